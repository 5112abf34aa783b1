/** The generated code is what `npm run generate` makes of etcd.proto today. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';

const here = fileURLToPath(new URL('.', import.meta.url));
const programs = fileURLToPath(new URL('../../../../../node_modules/.bin', import.meta.url));
const COMMAND_LIMIT_MS = 30_000;

it('is up to date: gen/etcd_pb.ts', { timeout: COMMAND_LIMIT_MS }, () => {
  const output = mkdtempSync(join(tmpdir(), 'matriarch-generated-'));
  onTestFinished(() => rmSync(output, { recursive: true, force: true }));
  const args = ['generate', here, '--template', join(here, 'buf.gen.yaml'), '--output', output];
  const env = { ...process.env, PATH: `${programs}${delimiter}${process.env['PATH'] ?? ''}` };
  execFileSync(join(programs, 'buf'), args, { env, timeout: COMMAND_LIMIT_MS, stdio: 'pipe' });
  const path = join('gen', 'etcd_pb.ts');
  expect(readFileSync(join(here, path), 'utf8')).toBe(readFileSync(join(output, path), 'utf8'));
});
