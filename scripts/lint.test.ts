/**
 * Shows that the linter's configuration catches what it is there for: a copy of it is run over a
 * small tree in which every file holds one planted fault, and every fault must be reported under
 * the rule that is meant for it. A tree without faults must pass.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const LINT_LIMIT_MS = 60_000;

const CORE = 'packages/core/src';
const SIMULATOR = 'packages/simulator/src';
const AGENT = 'packages/matriarch/src/agent';

interface Fault {
  readonly rule: string;
  readonly path: string;
  readonly text: string;
}

let faultCount = 0;

const plant = (rule: string, directory: string, text: string): Fault => {
  faultCount += 1;
  return { rule, path: `${directory}/fault-${faultCount}.ts`, text: `${text}\nexport {};\n` };
};

const lines = (count: number): string =>
  Array.from({ length: count }, (_, index) => `  sum += ${index};`).join('\n');

const SIZE_FAULTS: readonly Fault[] = [
  plant('eslint(max-lines)', AGENT, `export let sum = 0;\n${lines(500)}`),
  plant(
    'eslint(max-lines-per-function)',
    AGENT,
    `export const add = (start: number): number => {\n  let sum = start;\n${lines(70)}\n  return sum;\n};`,
  ),
  plant(
    'eslint(max-params)',
    AGENT,
    'export const add = (a: number, b: number, c: number, d: number): number => a + b + c + d;',
  ),
  plant(
    'eslint(max-depth)',
    AGENT,
    'export const f = (a: boolean[]): number => {\n  if (a[0]) { if (a[1]) { if (a[2]) { if (a[3]) { return 1; } } } }\n  return 0;\n};',
  ),
];

const PROMISE_FAULTS: readonly Fault[] = [
  plant('typescript(no-floating-promises)', AGENT, 'Promise.resolve(1);'),
  plant('typescript(no-floating-promises)', AGENT, 'void Promise.resolve(1);'),
  plant(
    'typescript(no-misused-promises)',
    AGENT,
    'export const f = (p: Promise<boolean>): number => { if (p) { return 1; } return 0; };',
  ),
  plant(
    'typescript(no-misused-promises)',
    AGENT,
    '[1].forEach(async (n) => { await Promise.resolve(n); });',
  ),
  plant(
    'typescript(await-thenable)',
    AGENT,
    'export const f = async (): Promise<void> => { await 1; };',
  ),
  plant(
    'typescript(return-await)',
    AGENT,
    'export const f = async (p: Promise<number>): Promise<number> => {\n  try { return p; } catch { return 0; }\n};',
  ),
  plant('typescript(only-throw-error)', AGENT, "export const f = (): never => { throw 'text'; };"),
];

const TYPE_FAULTS: readonly Fault[] = [
  plant(
    'typescript(switch-exhaustiveness-check)',
    AGENT,
    "export const f = (kind: 'a' | 'b'): void => {\n  switch (kind) { case 'a': break; }\n};",
  ),
  plant('typescript(no-explicit-any)', AGENT, 'export const f = (a: any): string => String(a);'),
  plant(
    'typescript(no-non-null-assertion)',
    AGENT,
    'export const f = (a: string | undefined): string => a!;',
  ),
  plant('typescript(no-unsafe-assignment)', AGENT, "export const a: string = JSON.parse('1');"),
  plant('typescript(no-unsafe-return)', AGENT, "export const f = (): string => JSON.parse('1');"),
  plant(
    'typescript(consistent-type-imports)',
    AGENT,
    "import { Lsn } from './lsn.ts';\nexport type Here = Lsn;",
  ),
  plant('typescript(ban-ts-comment)', AGENT, '// @ts-ignore\nexport const a: string = 1;'),
  plant('typescript(no-namespace)', AGENT, 'export namespace Old { export const a = 1; }'),
  plant(
    'typescript(parameter-properties)',
    AGENT,
    'export class Old { constructor(private readonly a: number) {} b(): number { return this.a; } }',
  ),
];

const MODULE_FAULTS: readonly Fault[] = [
  plant('import(no-default-export)', AGENT, 'export default 1;'),
  plant('oxc(no-barrel-file)', AGENT, "export * from './lsn.ts';"),
  plant(
    'unicorn(prefer-node-protocol)',
    AGENT,
    "import { join } from 'path';\nexport const a = join('a');",
  ),
  { rule: 'unicorn(filename-case)', path: `${AGENT}/badName.ts`, text: 'export const a = 1;\n' },
  {
    rule: 'import(no-cycle)',
    path: `${AGENT}/one.ts`,
    text: "import { b } from './two.ts';\nexport const a = (): number => b();\n",
  },
  {
    rule: 'import(no-cycle)',
    path: `${AGENT}/two.ts`,
    text: "import { a } from './one.ts';\nexport const b = (): number => a();\n",
  },
];

const PLAIN_FAULTS: readonly Fault[] = [
  plant('eslint(eqeqeq)', AGENT, 'export const f = (a: unknown): boolean => a == 1;'),
  plant('eslint(no-console)', AGENT, "console.log('x');"),
  plant('eslint(no-unused-vars)', AGENT, 'const unused = 1;'),
  plant(
    'eslint(no-param-reassign)',
    AGENT,
    'export const f = (a: number): number => { a = 2; return a; };',
  ),
  plant('eslint(no-empty)', AGENT, 'export const f = (): void => { try { f(); } catch {} };'),
  plant('unicorn(no-process-exit)', AGENT, 'process.exit(1);'),
  plant('eslint(no-restricted-properties)', AGENT, 'export const a = Math.random();'),
  plant('eslint(no-console)', 'packages/protocol/src', "console.log('x');"),
];

const CORE_GLOBALS = [
  'new Date()',
  'Date.now()',
  'Promise.resolve(1)',
  'setTimeout(String, 1)',
  'setInterval(String, 1)',
  'setImmediate(String)',
  'queueMicrotask(() => {})',
  'performance.now()',
  'process.env',
  'globalThis',
  'console.info',
  "fetch('x')",
  'crypto.randomUUID()',
  "Buffer.from('x')",
];

const CORE_FAULTS: readonly Fault[] = [
  ...CORE_GLOBALS.map((use) =>
    plant('eslint(no-restricted-globals)', CORE, `export const a = ${use};`),
  ),
  plant('oxc(no-async-await)', CORE, 'export const f = async (): Promise<number> => 1;'),
  plant('eslint(no-restricted-properties)', CORE, 'export const a = Math.random();'),
  plant(
    'eslint(no-restricted-imports)',
    CORE,
    "import { readFileSync } from 'node:fs';\nexport const a = readFileSync;",
  ),
  plant(
    'eslint(no-restricted-imports)',
    CORE,
    "import { parse } from 'yaml';\nexport const a = parse;",
  ),
  plant('eslint(no-restricted-globals)', SIMULATOR, 'export const a = new Date();'),
  plant('eslint(no-restricted-globals)', SIMULATOR, 'export const a = setTimeout(String, 1);'),
  plant('eslint(no-restricted-properties)', SIMULATOR, 'export const a = Math.random();'),
  plant('oxc(no-async-await)', SIMULATOR, 'export const f = async (): Promise<number> => 1;'),
  {
    rule: 'eslint(no-restricted-properties)',
    path: `${CORE}/seed.test.ts`,
    text: 'export const a = Math.random();\n',
  },
];

const TEST_FAULTS: readonly Fault[] = [
  {
    rule: 'vitest(no-focused-tests)',
    path: `${AGENT}/focused.test.ts`,
    text: "import { it } from 'vitest';\nit.only('a', () => {});\n",
  },
  {
    rule: 'vitest(no-disabled-tests)',
    path: `${AGENT}/disabled.test.ts`,
    text: "import { it } from 'vitest';\nit.skip('a', () => {});\n",
  },
];

const ALLOWED: readonly Pick<Fault, 'path' | 'text'>[] = [
  { path: `${AGENT}/lsn.ts`, text: 'export type Lsn = bigint;\n' },
  { path: `${CORE}/index.ts`, text: "export * from './lsn.ts';\n" },
  {
    path: `${CORE}/lsn.ts`,
    text: 'export type Lsn = bigint;\nexport const floor = Math.floor(1.5);\n',
  },
  { path: 'packages/matriarch/src/cli/print.ts', text: "console.log('x');\n" },
  { path: 'packages/matriarch/src/adapters/etcd/gen/rpc.ts', text: 'export default 1;\n' },
  { path: 'packages/matriarch/dist/old.ts', text: 'export default 1;\n' },
  { path: 'packages/simulator/src/main.ts', text: 'console.log(process.argv);\n' },
];

const FAULTS: readonly Fault[] = [
  ...SIZE_FAULTS,
  ...PROMISE_FAULTS,
  ...TYPE_FAULTS,
  ...MODULE_FAULTS,
  ...PLAIN_FAULTS,
  ...CORE_FAULTS,
  ...TEST_FAULTS,
];

interface Finding {
  readonly rule: string;
  readonly path: string;
}

/** Lines read `path:line:column: message [Error/plugin(rule)]`. */
const parseFinding = (line: string): readonly Finding[] => {
  const { path, rule } = /^(?<path>[^:]+):\d+.*\[\w+\/(?<rule>[^\]]+)\]$/u.exec(line)?.groups ?? {};
  return path === undefined || rule === undefined ? [] : [{ path, rule }];
};

const runLinter = (directory: string): readonly Finding[] => {
  const linter = join(ROOT, 'node_modules/oxlint/bin/oxlint');
  const run = spawnSync(process.execPath, [linter, '--type-aware', '--format', 'unix'], {
    cwd: directory,
    encoding: 'utf8',
    timeout: LINT_LIMIT_MS,
    env: { ...process.env, OXLINT_TSGOLINT_PATH: join(ROOT, 'node_modules/.bin/tsgolint') },
  });
  expect(run.status, run.stderr).toBe(1);
  return run.stdout.split('\n').flatMap(parseFinding);
};

const TSCONFIG = {
  extends: './tsconfig.base.json',
  compilerOptions: {
    noEmit: true,
    composite: false,
    allowImportingTsExtensions: true,
    typeRoots: [join(ROOT, 'node_modules/@types')],
    types: ['node'],
  },
  include: ['packages'],
};

describe('the linter', () => {
  const directory = mkdtempSync(join(tmpdir(), 'matriarch-lint-'));
  let findings: readonly Finding[] = [];

  beforeAll(() => {
    cpSync(join(ROOT, '.oxlintrc.json'), join(directory, '.oxlintrc.json'));
    cpSync(join(ROOT, 'tsconfig.base.json'), join(directory, 'tsconfig.base.json'));
    writeFileSync(join(directory, 'tsconfig.json'), JSON.stringify(TSCONFIG));
    for (const { path, text } of [...FAULTS, ...ALLOWED]) {
      mkdirSync(dirname(join(directory, path)), { recursive: true });
      writeFileSync(join(directory, path), text);
    }
    findings = runLinter(directory);
  }, LINT_LIMIT_MS);

  afterAll(() => {
    rmSync(directory, { recursive: true, force: true });
  });

  it.each(FAULTS)('reports $rule in $path', ({ rule, path }) => {
    const rules = findings.filter((finding) => finding.path === path).map((found) => found.rule);
    expect(rules).toContain(rule);
  });

  it.each(ALLOWED)('has nothing against $path', ({ path }) => {
    expect(findings.filter((finding) => finding.path === path)).toEqual([]);
  });
});
