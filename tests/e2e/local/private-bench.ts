/** A private cluster for a test, told what to do by lines; nothing of it outlives the test. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Link } from '../../../packages/matriarch/src/drills/drill-cluster.ts';
import type { Account } from '../harness/account.ts';
import { type ProcessFacts, listProcesses, withDescendants } from '../harness/processes.ts';
import { waitUntil } from '../harness/wait.ts';

const DRIVER = fileURLToPath(new URL('private-driver.mjs', import.meta.url));

/** The driver, with what goes before and behind its command line. */
export const startDriver = ({
  prefix = [],
  args = [],
  account,
}: {
  readonly prefix?: readonly string[];
  readonly args?: readonly string[];
  readonly account?: Account | undefined;
} = {}): ChildProcess => {
  const [command = '', ...rest] = [...prefix, process.execPath, DRIVER, ...args];
  return spawn(command, rest, { stdio: ['pipe', 'pipe', 'pipe'], cwd: '/', ...account });
};

/** What it says by ending. */
export const finishDriver = async (
  driver: ChildProcess,
): Promise<{ readonly status: number | null; readonly told: string }> => {
  let told = '';
  driver.stderr?.setEncoding('utf8').on('data', (text: string) => {
    told += text;
  });
  const [status] = (await once(driver, 'close')) as [number | null];
  return { status, told };
};

/** What a process has of its own, as the kernel names it: `net:[4026532000]`. */
const namespacesOf = (pid: number): readonly string[] =>
  ['net', 'mnt', 'pid', 'ipc'].flatMap((kind) => {
    try {
      return [readlinkSync(`/proc/${pid}/ns/${kind}`)];
    } catch {
      return [];
    }
  });

export class PrivateBench {
  readonly child = startDriver();
  readonly #answers: string[] = [];
  #told = '';

  constructor() {
    const { stdout, stderr, stdin } = this.child;
    if (stdout === null || stderr === null) throw new Error('the driver has no outputs');
    createInterface({ input: stdout }).on('line', (line) => this.#answers.push(line));
    stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#told += text;
    });
    stdin?.on('error', () => undefined);
  }

  async untilWhole(): Promise<void> {
    expectAnswer(await this.nextAnswer(), 'whole');
  }

  async nextAnswer(): Promise<unknown> {
    await waitUntil(
      'an answer of the driver',
      () => {
        if (this.child.exitCode !== null) throw new Error(`the driver ended:\n${this.#told}`);
        return this.#answers.length > 0;
      },
      { limitMs: 150_000, intervalMs: 10, explain: () => this.#told },
    );
    return JSON.parse(this.#answers.shift() ?? 'null');
  }

  async ask<T>(command: string, argument?: unknown): Promise<T> {
    this.child.stdin?.write(`${JSON.stringify([command, argument])}\n`);
    return (await this.nextAnswer()) as T;
  }

  async cut(links: readonly Link[]): Promise<void> {
    await this.ask('cut', links);
  }

  async mend(links: readonly Link[]): Promise<void> {
    await this.ask('mend', links);
  }

  /** So many more writes are acknowledged. */
  async moreWrites(count: number): Promise<void> {
    const before = await this.ask<number>('acknowledged');
    await waitUntil(
      `${count} more writes`,
      async () => (await this.ask<number>('acknowledged')) >= before + count,
      { explain: () => this.#told },
    );
  }

  /** Everybody inside, with the pids they have outside. */
  processes(): readonly ProcessFacts[] {
    return withDescendants(listProcesses(), ({ pid }) => pid === this.child.pid);
  }

  agentOf(member: string): number {
    const file = `/members/${member}.yml`;
    const found = this.processes().find(
      ({ commandLine }) => commandLine.includes(` agent `) && commandLine.endsWith(file),
    );
    if (found === undefined) throw new Error(`the agent of ${member} does not run`);
    return found.pid;
  }

  /** How many ICMP messages the host of a member has received: networks complain by them. */
  complaintsTo(member: string): number {
    const lines = readFileSync(`/proc/${this.agentOf(member)}/net/snmp`, 'utf8').split('\n');
    const [, counts] = lines.filter((line) => line.startsWith('Icmp:'));
    return Number(counts?.split(' ')[1]);
  }

  /** A path inside, as it is reached from outside. */
  seenOutside(path: string): string {
    const [pg] = this.processes().filter(({ commandLine }) => commandLine.includes(' agent '));
    return join(`/proc/${pg?.pid ?? 0}/root`, path);
  }

  /** The namespaces that are not ours. */
  namespaces(): ReadonlySet<string> {
    const own = new Set(namespacesOf(process.pid));
    const all = this.processes().flatMap(({ pid }) => namespacesOf(pid));
    return new Set(all.filter((name) => !own.has(name)));
  }

  async close(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = once(this.child, 'exit');
    this.child.stdin?.end();
    await ended;
  }
}

const expectAnswer = (answer: unknown, expected: string): void => {
  if (answer !== expected) throw new Error(`${JSON.stringify(answer)}, not "${expected}"`);
};

/** Processes that have one of these namespaces, wherever they come from. */
export const usersOf = (namespaces: ReadonlySet<string>): readonly ProcessFacts[] =>
  listProcesses().filter(({ pid }) => namespacesOf(pid).some((name) => namespaces.has(name)));
