/** A program on a host of its own that says lines to another one, and tells what it hears. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { waitUntil } from '../harness/wait.ts';

/** Ends with its input, whatever becomes of us. */
const TALK = `
  const { createInterface } = require('node:readline');
  const [role, host, port, peer] = process.argv.slice(1);
  const tell = (text) => process.stdout.write(text + '\\n');
  const fail = (error) => tell('error ' + error.code);
  let say;
  const talk = (socket) => {
    say = (line) => socket.write(line + '\\n');
    createInterface({ input: socket }).on('line', (line) => tell('heard ' + line));
    socket.on('error', fail);
    socket.on('close', () => tell('closed'));
  };
  if (role === 'datagrams') {
    const socket = require('node:dgram').createSocket('udp4');
    say = (line) => socket.send(line, Number(port), peer, (error) => error && fail(error));
    socket.on('error', fail);
    socket.on('message', (message) => tell('heard ' + message));
    socket.bind(Number(port), host, () => tell('ready'));
  } else if (role === 'server') {
    const server = require('node:net').createServer({ noDelay: true }, (socket) => {
      talk(socket);
      tell('connected');
    });
    server.listen(Number(port), host, () => tell('ready'));
  } else {
    const call = { port: Number(port), host, noDelay: true };
    talk(require('node:net').connect(call, () => tell('connected')));
  }
  createInterface({ input: process.stdin })
    .on('line', (line) => say(line))
    .on('close', () => process.exit());
`;

export interface TalkerPlace {
  /** Of a process on its host. */
  readonly pid: number;
  readonly role: 'server' | 'client' | 'datagrams';
  /** Where it listens; whom a client calls. */
  readonly host: string;
  readonly port: number;
  /** Whom its datagrams go to. */
  readonly peer?: string;
}

export class Talker {
  readonly #child: ChildProcess;
  /** Everything it told, in order. */
  readonly told: string[] = [];

  constructor({ pid, role, host, port, peer = '' }: TalkerPlace) {
    const program = [process.execPath, '-e', TALK, role, host, String(port), peer];
    const child = spawn('nsenter', [`--net=/proc/${pid}/ns/net`, '--', ...program], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    createInterface({ input: child.stdout }).on('line', (line) => this.told.push(line));
    child.stdin.on('error', () => undefined);
    this.#child = child;
  }

  say(line: string): void {
    this.#child.stdin?.write(`${line}\n`);
  }

  async until(told: string): Promise<void> {
    await waitUntil(`"${told}" from a talker`, () => this.told.includes(told), {
      explain: () => this.told.join('\n'),
    });
  }

  close(): void {
    this.#child.kill('SIGKILL');
  }
}
