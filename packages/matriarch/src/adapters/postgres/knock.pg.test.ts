/**
 * Shows that a stopped postmaster is told from a running one although its sessions go on, on a real
 * server that is stopped with SIGSTOP.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openPostgresLab, type PostgresLab, type TestServer } from '../../testing/postgres.ts';
import { createPostgres } from './postgres.ts';

let lab: PostgresLab;
let server: TestServer;

beforeAll(async () => {
  lab = await openPostgresLab();
  server = await lab.createServer('pg1');
  await server.start();
}, 60_000);
afterAll(async () => {
  await lab?.close();
});

it('tells that a stopped postmaster takes no new connections, and that a thawed one does', async () => {
  const postgres = createPostgres(server.context());
  const { dataDirectory } = server.context().config.postgresql;
  const file = await readFile(join(dataDirectory, 'postmaster.pid'), 'utf8');
  const pid = Number(file.split('\n')[0]);
  const look = async (): Promise<string> => (await postgres.probe(2_000)).kind;
  const until = async (kind: string): Promise<string> => {
    let seen = await look();
    for (let count = 0; seen !== kind && count < 50; count += 1) {
      await sleep(100);
      seen = await look();
    }
    return seen;
  };
  try {
    expect(await look()).toBe('answers');
    process.kill(pid, 'SIGSTOP');
    expect(await until('no-answer')).toBe('no-answer');
    process.kill(pid, 'SIGCONT');
    expect(await until('answers')).toBe('answers');
    expect(await readFile(join(dataDirectory, 'postmaster.pid'), 'utf8')).toBe(file);
  } finally {
    process.kill(pid, 'SIGCONT');
    postgres.close();
  }
}, 60_000);
