/**
 * Keeps the house as it is meant to be: who imports whom, how long files are, what no file says.
 * Every check is first shown a tree with planted faults, which it has to find, and then the real
 * one, which has to be without.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { checkExports, checkLineLengths, checkSizes } from './tidy/check-files.ts';
import { checkDeclared, checkImports } from './tidy/check-imports.ts';
import { checkLinks } from './tidy/check-links.ts';
import {
  checkEngines,
  checkLockComplete,
  checkLockHosts,
  checkManifests,
} from './tidy/check-packages.ts';
import { checkWords } from './tidy/check-words.ts';
import { ALLOWED_IN_CORE, FORBIDDEN_IN_CORE, findUncompilable } from './tidy/core-probe.ts';
import { type TreeFile, isTest, readTree } from './tidy/tree.ts';
import { mustAdmit } from './tidy/version-range.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const COMPILE_LIMIT_MS = 120_000;

/** The oldest Node we promise to run on, as in `engines`. */
const NODE_FLOOR = '20.19.0';

const tree = readTree(ROOT);
const lock = readFileSync(join(ROOT, 'package-lock.json'), 'utf8');

const file = (path: string, text: string): TreeFile => ({ path, text });

const importing = (path: string, specifier: string): TreeFile =>
  file(path, `import { a } from '${specifier}';\n`);

describe('import directions', () => {
  it.each([
    ['packages/core/src/model/lsn.ts', '../view/view.ts'],
    ['packages/core/src/view/view.ts', '../rules/table.ts'],
    ['packages/core/src/rules/hold.ts', '../decide.ts'],
    ['packages/core/src/decide.ts', './step.ts'],
    ['packages/core/src/render/haproxy.ts', '../view/view.ts'],
    ['packages/core/src/novelty/x.ts', '../model/lsn.ts'],
    ['packages/core/src/model/lsn.ts', '@matriarch/protocol'],
    ['packages/core/src/model/lsn.ts', '../../../protocol/src/index.ts'],
    ['packages/protocol/src/errors/codes.ts', 'matriarch'],
    ['packages/simulator/src/sim-clock.ts', '@matriarch/protocol'],
    ['packages/matriarch/src/agent/loop/loop.ts', '@matriarch/simulator'],
    ['packages/matriarch/src/agent/loop/loop.ts', '@matriarch/core/dist/step.js'],
    ['packages/matriarch/src/agent/ports/store.ts', '../loop/loop.ts'],
    ['packages/matriarch/src/agent/observe/server.ts', '../act/perform.ts'],
    ['packages/matriarch/src/agent/api/server.ts', '../loop/loop.ts'],
    ['packages/matriarch/src/agent/loop/loop.ts', '../../adapters/etcd/client.ts'],
    ['packages/matriarch/src/adapters/etcd/client.ts', '../postgres/client.ts'],
    ['packages/matriarch/src/adapters/etcd/client.ts', '../system-clock.ts'],
    ['packages/matriarch/src/adapters/etcd/client.ts', '../../agent/loop/loop.ts'],
    ['packages/matriarch/src/agent/guard/run-guard.ts', '../../../dist/agent/guard/main.js'],
  ])('finds that %s imports %s', (path, specifier) => {
    expect(checkImports([importing(path, specifier)])).toHaveLength(1);
  });

  it.each([
    ['packages/core/src/view/view.ts', '../model/lsn.ts'],
    ['packages/core/src/model/lsn.test.ts', '../rules/table.ts'],
    ['packages/core/src/index.ts', './step.ts'],
    ['packages/protocol/src/config/agent.ts', '@matriarch/core'],
    ['packages/matriarch/src/agent/loop/loop.ts', '../ports/clock.ts'],
    ['packages/matriarch/src/agent/ports/store.contract.ts', '@matriarch/simulator'],
    ['packages/matriarch/src/adapters/etcd/client.ts', '../../agent/ports/store.ts'],
    ['packages/matriarch/src/adapters/etcd/client.ts', './channel.ts'],
    ['packages/matriarch/src/main.ts', './adapters/etcd/client.ts'],
    ['packages/matriarch/src/proxy/main.ts', '../adapters/haproxy/runtime.ts'],
    ['packages/matriarch/src/agent/guard/testing/loop.mjs', '../../../../dist/agent/guard/main.js'],
    ['packages/matriarch/src/cli.ts', './main.ts'],
  ])('lets %s import %s', (path, specifier) => {
    expect(checkImports([importing(path, specifier)])).toEqual([]);
  });

  it('finds imports over several lines, re-exports, and imports at run time', () => {
    const path = 'packages/core/src/model/lsn.ts';
    const text = [
      "import {\n  a,\n  b,\n} from '../view/one.ts';\n",
      "export { c } from '../view/two.ts';\n",
      "import '../view/three.ts';\n",
      "const d = await import('../view/four.ts');\n",
      "export type E = import('../view/five.ts').E;\n",
      " * import nothing from '../view/six.ts';\n",
    ].join('');
    expect(checkImports([file(path, text)])).toHaveLength(5);
  });

  it('knows exceptions by name', () => {
    const from = 'packages/matriarch/src/adapters/postgres/run.ts';
    const process = 'packages/matriarch/src/adapters/process';
    const faulty = importing(from, '../process/spawn.ts');
    const exception = { from: 'packages/matriarch/src/adapters/postgres', to: process };
    expect(checkImports([faulty], [])).toHaveLength(1);
    expect(checkImports([faulty], [{ ...exception, because: 'planted' }])).toEqual([]);
  });

  it('holds', () => {
    expect(checkImports(tree)).toEqual([]);
  });
});

describe('dependencies in use', () => {
  const manifest = file(
    'packages/protocol/package.json',
    '{"dependencies":{"zod":"4.6.7","@matriarch/core":"0.1.0"}}',
  );
  const root = file('package.json', '{"devDependencies":{"vitest":"4.1.12"}}');

  it.each([
    ['packages/protocol/src/a.ts', 'pino'],
    ['packages/protocol/src/a.ts', '@bufbuild/protobuf/wkt'],
    ['packages/protocol/src/a.ts', 'vitest'],
  ])('finds that %s imports %s undeclared', (path, specifier) => {
    expect(checkDeclared([root, manifest, importing(path, specifier)])).toHaveLength(1);
  });

  it.each([
    ['packages/protocol/src/a.ts', 'zod'],
    ['packages/protocol/src/a.ts', '@matriarch/core'],
    ['packages/protocol/src/a.ts', 'node:fs'],
    ['packages/protocol/src/a.test.ts', 'vitest'],
  ])('lets %s import %s', (path, specifier) => {
    expect(checkDeclared([root, manifest, importing(path, specifier)])).toEqual([]);
  });

  it('are declared', () => {
    expect(checkDeclared(tree)).toEqual([]);
  });
});

describe('sizes', () => {
  const sized = (path: string, count: number): TreeFile => file(path, 'x;\n'.repeat(count));

  it('finds long files, forgives named ones up to the limit, and finds idle names', () => {
    const files = [sized('a.ts', 300), sized('b.ts', 301), sized('c.ts', 301), sized('d.ts', 501)];
    const named = ['c.ts', 'd.ts', 'a.ts', 'gone.ts'];
    const problems = checkSizes(
      files,
      named.map((path) => ({ path, because: 'planted' })),
    );
    expect(problems.map((problem) => problem.slice(0, 4).trim())).toEqual([
      'b.ts',
      'd.ts',
      'a.ts',
      'gone',
    ]);
  });

  it('leaves tests and generated files alone', () => {
    expect(checkSizes([sized('a.test.ts', 600), sized('x/gen/a.ts', 600)], [])).toEqual([]);
  });

  it('finds long lines but not long addresses', () => {
    const long = 'x'.repeat(101);
    expect(checkLineLengths([file('a.ts', `${long}\n// https://a.example/${long}\n`)])).toEqual([
      'a.ts:1 has 101 columns, at most 100',
    ]);
  });

  it('of files hold', () => {
    expect(checkSizes(tree)).toEqual([]);
  });

  it('of lines hold', () => {
    expect(checkLineLengths(tree)).toEqual([]);
  });
});

describe('exports', () => {
  it.each([
    ['a default export', 'packages/core/src/a.ts', 'export default 1;\n'],
    ['a renamed default export', 'packages/core/src/a.ts', 'export { a as default };\n'],
    ['a barrel', 'packages/core/src/rules/all.ts', "export * from './a.ts';\n"],
    ['a barrel of names', 'packages/core/src/all.ts', "export {\n  a,\n} from './a.ts';\n"],
    ['a barrel of types', 'packages/core/src/all.ts', "export type { A } from './a.ts';\n"],
    ['an index that is no door', 'packages/core/src/rules/index.ts', 'export const a = 1;\n'],
  ])('finds %s', (_what, path, text) => {
    expect(checkExports([file(path, text)])).toHaveLength(1);
  });

  it('lets a package have its door and a tool its configuration', () => {
    const door = file('packages/core/src/index.ts', "export * from './a.ts';\n");
    expect(checkExports([door, file('vitest.config.ts', 'export default 1;\n')])).toEqual([]);
  });

  it('hold', () => {
    expect(checkExports(tree)).toEqual([]);
  });
});

describe('words', () => {
  const path = (...parts: readonly string[]): string => ['', ...parts, ''].join('/');
  const mark = (...parts: readonly string[]): string => parts.join('');

  it.each([
    ['a.md', `see ${path('work', 'main')}`],
    ['a.ts', `const home = '${path('root')}.config';`],
    ['a.yaml', `dir: ${path('home', 'somebody')}`],
    ['a.ts', `// ${mark('TO', 'DO')}: later`],
    ['a.ts', `// ${mark('FIX', 'ME')} #12`],
    ['a.sh', `# ${mark('TO', 'DO')} later`],
  ])('finds them in %s: %s', (name, text) => {
    expect(checkWords([file(name, text)])).toHaveLength(1);
  });

  it.each([
    ['a.ts', `// ${mark('TO', 'DO')} #12: when 13 is gone`],
    ['a.md', 'as root, the work goes on in /var/lib/root'],
    ['a.md', `\`${mark('TO', 'DO')}\` names an issue`],
  ])('lets %s say: %s', (name, text) => {
    expect(checkWords([file(name, text)])).toEqual([]);
  });

  it('hold', () => {
    expect(checkWords(tree)).toEqual([]);
  });
});

describe('links', () => {
  const page = file('docs/guide/a.md', '# A page\n\n## What it *is*, and why\n');

  it.each(['gone.md', '../gone/', '#nothing', 'a.md#nothing', '../../README.md'])(
    'finds that %s leads nowhere',
    (link) => {
      const linking = file('docs/guide/b.md', `See [this](${link}).\n`);
      expect(checkLinks([page, linking])).toHaveLength(1);
    },
  );

  it.each([
    'a.md',
    './a.md#a-page',
    'a.md#what-it-is-and-why',
    '../guide/',
    'https://a.example/gone.md',
    'mailto:a@a.example',
  ])('follows %s', (link) => {
    const linking = file('docs/guide/b.md', `See [this](${link}).\n`);
    expect(checkLinks([page, linking])).toEqual([]);
  });

  it('are not looked for in code', () => {
    const text = '```\n[a](gone.md)\n```\n`[a](gone.md)`\n';
    expect(checkLinks([file('a.md', text)])).toEqual([]);
  });

  it('hold', () => {
    expect(checkLinks(tree)).toEqual([]);
  });
});

describe('version ranges', () => {
  it.each([
    ['>=18', true],
    ['>= 20.19.0', true],
    ['>=20.19.1', false],
    ['>20.19', false],
    ['>20.18', true],
    ['<=20.18', false],
    ['<21', true],
    ['^20.19.0 || >=22.12.0', true],
    ['^18.0.0 || >=22.0.0', false],
    ['~20.19', true],
    ['~20.18.1', false],
    ['20.x', true],
    ['20', true],
    ['18 - 20', true],
    ['18 - 20.18', false],
    ['>=14.0.0 <20', false],
    ['^0.1.2', false],
    ['*', true],
    ['', true],
  ])('"%s" admits 20.19.0: %s', (range, admits) => {
    expect(mustAdmit(range, '20.19.0')).toBe(admits);
  });

  it('does not guess', () => {
    expect(() => mustAdmit('lts/*', '20.19.0')).toThrow('"lts/*"');
  });
});

describe('packages', () => {
  const locked = (entry: object): string =>
    JSON.stringify({ packages: { 'node_modules/a': { version: '1.0.0', ...entry } } });

  it('finds a host in the lock file', () => {
    expect(checkLockHosts(locked({ resolved: 'https://a.example/a.tgz' }))).toHaveLength(1);
    expect(checkLockHosts(locked({ resolved: 'packages/core', link: true }))).toEqual([]);
  });

  it('finds a platform that is missing in the lock file', () => {
    const optionalDependencies = { 'a-linux-x64-musl': '1.0.0' };
    expect(checkLockComplete(locked({ optionalDependencies }))).toEqual([
      'package-lock.json: node_modules/a-linux-x64-musl has no entry; add it with: npm run lock',
    ]);
  });

  it('finds a dependency that needs a later Node, also an optional one', () => {
    const engines = { node: '>=22' };
    expect(checkEngines(locked({ engines }), NODE_FLOOR, [])).toHaveLength(1);
    expect(checkEngines(locked({ engines, optional: true }), NODE_FLOOR, [])).toHaveLength(1);
  });

  it('knows exceptions by name, and finds idle ones', () => {
    const named = [{ path: 'node_modules/a', because: 'planted' }];
    expect(checkEngines(locked({ engines: { node: '>=22' } }), NODE_FLOOR, named)).toEqual([]);
    expect(checkEngines(locked({ engines: { node: '>=20' } }), NODE_FLOOR, named)).toHaveLength(1);
  });

  const root = { version: '1.0.0', license: 'Apache-2.0', engines: { node: '>=20.19' } };
  const manifests = (change: object): readonly TreeFile[] => [
    file('package.json', JSON.stringify(root)),
    file('packages/a/package.json', JSON.stringify({ ...root, ...change })),
  ];

  it.each([
    { version: '1.0.1' },
    { license: 'MIT' },
    { engines: { node: '>=22' } },
    { dependencies: { zod: '^4.0.0' } },
    { dependencies: { '@matriarch/core': '0.9.0' } },
  ])('finds %j', (change) => {
    expect(checkManifests(manifests(change))).toHaveLength(1);
  });

  it('hold', () => {
    expect(NODE_FLOOR).toBe('20.19.0');
    expect(tree.find(({ path }) => path === 'package.json')?.text).toContain('"node": ">=20.19"');
    expect(checkLockHosts(lock)).toEqual([]);
    expect(checkLockComplete(lock)).toEqual([]);
    expect(checkEngines(lock, NODE_FLOOR)).toEqual([]);
    expect(checkManifests(tree)).toEqual([]);
  });
});

describe('the pure core', () => {
  it(
    'compiles none of what it must not know',
    () => {
      expect(findUncompilable(ROOT, [...FORBIDDEN_IN_CORE, ...ALLOWED_IN_CORE])).toEqual(
        FORBIDDEN_IN_CORE,
      );
    },
    COMPILE_LIMIT_MS,
  );

  it(
    'would compile it if Node’s types came along',
    () => {
      const failed = findUncompilable(ROOT, FORBIDDEN_IN_CORE, { types: ['node'] });
      expect(failed.length).toBeLessThan(FORBIDDEN_IN_CORE.length / 2);
    },
    COMPILE_LIMIT_MS,
  );
});

describe('the tree', () => {
  it('is read: a check of nothing finds nothing', () => {
    const paths = tree.map(({ path }) => path);
    expect(paths).toContain('packages/core/src/index.ts');
    expect(paths).toContain('.ci/run');
    expect(paths).toContain('LICENSE');
    expect(paths.filter(isTest).length).toBeGreaterThan(2);
  });
});
