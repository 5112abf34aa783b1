/** The program itself, with threads: as built, as people start it. */
import { spawn, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, it, onTestFinished } from 'vitest';

const BUILD = fileURLToPath(new URL('../../../../scripts/build.mjs', import.meta.url));
const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
const LIMIT_MS = 120_000;

beforeAll(() => {
  expect(spawnSync(process.execPath, [BUILD], { timeout: LIMIT_MS }).error).toBeUndefined();
}, LIMIT_MS);

const play = (...words: readonly string[]) =>
  spawnSync(process.execPath, [MAIN, ...words], { encoding: 'utf8', timeout: LIMIT_MS });

const digestIn = (text: string): string | undefined => /digest ([0-9a-f]{8})/.exec(text)?.[1];

it(
  'finds the same with one thread and with two',
  () => {
    const words = ['--seeds', '1..8', '--profile', 'quiet'];
    const one = play(...words);
    const two = play(...words, '--workers', '2');
    expect([one.status, two.status]).toEqual([0, 0]);
    expect(digestIn(one.stdout)).toBeDefined();
    expect(digestIn(two.stdout)).toBe(digestIn(one.stdout));
  },
  LIMIT_MS,
);

it(
  'ends on SIGINT and tells what was done',
  async () => {
    const child = spawn(process.execPath, [MAIN, '--seeds', '1..1000000', '--profile', 'quiet']);
    onTestFinished(() => void child.kill('SIGKILL'));
    let told = '';
    const status = await new Promise((resolve) => {
      child.stdout.on('data', (text: Buffer) => {
        told += text.toString();
        if (told.includes('per second')) child.kill('SIGINT');
      });
      child.once('close', resolve);
    });
    expect(status).toBe(130);
    expect(told).toMatch(/\d+ seeds in \d+ s: /);
  },
  LIMIT_MS,
);
