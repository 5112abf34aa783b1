import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const COMPILE_LIMIT_MS = 60_000;

/** Whatever core must not know: each is an expression that may not compile there. */
export const FORBIDDEN_IN_CORE = [
  'console.log',
  'setTimeout',
  'setInterval',
  'setImmediate',
  'queueMicrotask',
  'process.env',
  'performance.now',
  'fetch',
  'Buffer',
  'AbortController',
  'URL',
  'TextEncoder',
  'structuredClone',
  'crypto',
  'document',
  "import('node:fs')",
] as const;

/** What the probe must compile with, or its errors would prove nothing. */
export const ALLOWED_IN_CORE = ['Math.max(1, 2)', 'new Map<string, bigint>()', '[3].toSorted()'];

const PROBE = 'probe.ts';

/**
 * Compiles `expressions` as if they stood in core, together with core's own sources: a single
 * import that brings Node's types along would make all of them known. Answers those that did not
 * compile. The probe lies below the root, so that type packages are found as they are for core.
 */
export const findUncompilable = (
  root: string,
  expressions: readonly string[],
  change: { readonly types?: readonly string[] } = {},
): readonly string[] => {
  const cache = join(root, 'node_modules/.cache');
  mkdirSync(cache, { recursive: true });
  const directory = mkdtempSync(join(cache, 'core-probe-'));
  try {
    const text = expressions.map((use, index) => `export const use${index} = ${use};\n`).join('');
    writeFileSync(join(directory, PROBE), text);
    const configuration = {
      extends: join(root, 'packages/core/tsconfig.src.json'),
      compilerOptions: {
        ...change,
        noEmit: true,
        composite: false,
        rootDir: root,
        allowImportingTsExtensions: true,
        rewriteRelativeImportExtensions: false,
      },
      include: [PROBE, join(root, 'packages/core/src')],
      exclude: ['**/*.test.ts', '**/*.contract.ts', '**/testing/**'],
      references: [],
    };
    writeFileSync(join(directory, 'tsconfig.json'), JSON.stringify(configuration));
    return readFailedLines(root, directory).map((line) => expressions[line - 1] ?? `line ${line}`);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
};

const readFailedLines = (root: string, directory: string): readonly number[] => {
  const compiler = join(root, 'node_modules/typescript/bin/tsc');
  const run = spawnSync(process.execPath, [compiler, '-p', directory, '--pretty', 'false'], {
    encoding: 'utf8',
    timeout: COMPILE_LIMIT_MS,
  });
  if (run.error !== undefined) throw run.error;
  const lines = Array.from(run.stdout.matchAll(/probe\.ts\((?<line>\d+),/gu), (match) =>
    Number(match.groups?.['line']),
  );
  return [...new Set(lines)].toSorted((left, right) => left - right);
};
