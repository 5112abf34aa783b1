/**
 * A real guard in a process of its own for tests, and its loops: each connects to the test, which
 * asks through it what a loop would ask, and hears what a loop would hear.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { type Server, type Socket, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { GuardNotice } from '@matriarch/core';
import { waitUntil } from '../../../testing/postgres.ts';
import type { Guard, GuardReply } from '../../ports/guard.ts';

const PROGRAM = fileURLToPath(new URL('guard-program.mjs', import.meta.url));

type Method = Exclude<keyof Guard, 'incarnation' | 'close'>;
type Argument<M extends Method> = Parameters<Guard[M]>[0];
type Reply<M extends Method> = Awaited<ReturnType<Guard[M]>>;

interface FromLoop {
  readonly pid?: number;
  readonly incarnation?: number;
  readonly id?: number;
  readonly reply?: GuardReply;
  readonly notice?: GuardNotice;
}

/** One loop of the guard, as the test moves it. */
export class TestLoop {
  readonly notices: GuardNotice[] = [];
  pid = 0;
  incarnation = 0;
  isGone = false;
  readonly #socket: Socket;
  readonly #waiting = new Map<number, (reply: unknown) => void>();
  #nextId = 1;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.isGone = true;
    });
    createInterface({ input: socket }).on('line', (line) => this.#receive(line));
  }

  #receive(line: string): void {
    const message = JSON.parse(line) as FromLoop;
    if (message.pid !== undefined) this.pid = message.pid;
    if (message.incarnation !== undefined) this.incarnation = message.incarnation;
    if (message.notice !== undefined) this.notices.push(message.notice);
    if (message.id !== undefined) this.#waiting.get(message.id)?.(message.reply);
  }

  ask<M extends Method>(method: M, argument: Argument<M>): Promise<Reply<M>> {
    const id = this.#nextId;
    this.#nextId += 1;
    this.#socket.write(`${JSON.stringify({ id, method, argument })}\n`);
    return new Promise((resolve) => {
      this.#waiting.set(id, (reply) => resolve(reply as Reply<M>));
    });
  }

  exit(status: number): void {
    this.#socket.write(`${JSON.stringify({ method: 'exit', argument: status })}\n`);
  }

  async notice<K extends GuardNotice['kind']>(kind: K): Promise<Extract<GuardNotice, { kind: K }>> {
    const find = (): Extract<GuardNotice, { kind: K }> | undefined =>
      this.notices.find(
        (notice): notice is Extract<GuardNotice, { kind: K }> => notice.kind === kind,
      );
    await waitUntil(`a notice ${kind}`, () => find() !== undefined);
    const found = find();
    if (found === undefined) throw new Error(`no notice ${kind}`);
    return found;
  }
}

export class TestGuard {
  readonly pid: number;
  readonly ended: Promise<number | string>;
  readonly loops: TestLoop[] = [];
  readonly #child: ChildProcess;
  readonly #server: Server;
  readonly #directory: string;
  log = '';

  constructor(child: ChildProcess, server: Server, directory: string) {
    this.#child = child;
    this.#server = server;
    this.#directory = directory;
    this.pid = child.pid ?? 0;
    this.ended = once(child, 'exit').then(([code, signal]) => (code ?? signal) as number | string);
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.log += text;
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.log += text;
    });
    server.on('connection', (socket) => this.loops.push(new TestLoop(socket)));
  }

  /** The loop of this incarnation, once it has got its hello. */
  async loop(incarnation: number): Promise<TestLoop> {
    const find = (): TestLoop | undefined =>
      this.loops.find((loop) => loop.incarnation === incarnation && loop.notices.length > 0);
    await waitUntil(`loop ${incarnation}\n${this.log}`, () => find() !== undefined);
    const found = find();
    if (found === undefined) throw new Error(`no loop ${incarnation}`);
    return found;
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  async close(): Promise<void> {
    for (const { pid, isGone } of this.loops) if (pid !== 0 && !isGone) kill(pid, 'SIGKILL');
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      this.#child.kill('SIGKILL');
      await this.ended;
    }
    this.#server.close();
    await rm(this.#directory, { recursive: true, force: true });
  }
}

export const kill = (pid: number, signal: NodeJS.Signals): void => {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended already.
  }
};

export const startTestGuard = async (): Promise<TestGuard> => {
  const directory = await mkdtemp(join(tmpdir(), 'matriarch-guard-'));
  const path = join(directory, 'relay');
  const server = createServer();
  server.listen(path);
  await once(server, 'listening');
  const child = spawn(process.execPath, [PROGRAM], {
    env: { ...process.env, RELAY_SOCKET: path },
    stdio: ['ignore', 'pipe', 'pipe'],
    // As under systemd: a session of its own.
    detached: true,
  });
  return new TestGuard(child, server, directory);
};
