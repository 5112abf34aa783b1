/** Runs a program to its end for a job: bounded output, a time limit, and no survivors. */
import { type ChildProcess, spawn } from 'node:child_process';
import {
  type CommandCall,
  type CommandResult,
  OUTPUT_KEPT_BYTES,
  type RunCommand,
} from '../../agent/ports/run-command.ts';
import type { Owner } from './owner-rights.ts';
import { buildPrefix, findProgram } from './run-as.ts';

/** Time to clean up, from SIGTERM to SIGKILL. */
export const KILL_AFTER_MS = 2_000;
/** A program that has ended may have left its output open in a child: we wait this long for it. */
const OUTPUT_LIMIT_MS = 500;
/** What setpriv ends with when it cannot execute the program. */
const NOT_EXECUTABLE: readonly (number | null)[] = [126, 127];

/** The last bytes of a stream. */
class Tail {
  #text = '';

  add(chunk: string): void {
    this.#text = (this.#text + chunk).slice(-OUTPUT_KEPT_BYTES);
  }

  get text(): string {
    return this.#text;
  }
}

/** Cuts a stream into lines; an endless line is handed on in pieces. */
class Lines {
  readonly #onLine: (line: string) => void;
  #rest = '';

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine;
  }

  add(chunk: string): void {
    const parts = (this.#rest + chunk).split(/[\r\n]/);
    this.#rest = parts.pop() ?? '';
    for (const line of parts) if (line !== '') this.#onLine(line);
    if (this.#rest.length > OUTPUT_KEPT_BYTES) this.end();
  }

  end(): void {
    if (this.#rest !== '') this.#onLine(this.#rest);
    this.#rest = '';
  }
}

/** To the whole group: pg_basebackup, for one, has a child of its own. */
const signalGroup = ({ pid }: ChildProcess, signal: NodeJS.Signals): void => {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // The group has ended by itself: nothing is left to signal.
  }
};

/** SIGTERM to all of it, SIGKILL to what is left; the timers end with the program. */
const armLimit = (child: ChildProcess, limitMs: number, onLate: () => void): (() => void) => {
  let kill: NodeJS.Timeout | undefined;
  const stop = setTimeout(() => {
    onLate();
    signalGroup(child, 'SIGTERM');
    kill = setTimeout(() => signalGroup(child, 'SIGKILL'), KILL_AFTER_MS);
  }, limitMs);
  return () => {
    clearTimeout(stop);
    clearTimeout(kill);
  };
};

/** Runs commands as this user, or as the own one. */
export const createRunCommand =
  (user: Owner | undefined): RunCommand =>
  (call) => {
    const program = findProgram(call.command, call.env['PATH']);
    const prefix = buildPrefix({ user, deathSignal: 'KILL' });
    if (program === undefined) return notFound(call.command);
    if (prefix.kind === 'impossible') {
      const stderr = `${prefix.cause}\n`;
      return Promise.resolve({ kind: 'exited', code: -1, stdout: '', stderr });
    }
    const [setpriv, ...options] = prefix.argv;
    const child = spawn(setpriv, [...options, program, ...call.args], {
      env: call.env,
      cwd: '/',
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    return finish(child, call);
  };

const notFound = (command: string): Promise<CommandResult> =>
  Promise.resolve({ kind: 'not-found', command });

const finish = (child: ReturnType<typeof spawn>, call: CommandCall): Promise<CommandResult> =>
  new Promise((resolve) => {
    const stdout = new Tail();
    const stderr = new Tail();
    const printed = new Lines(call.onStdoutLine ?? (() => undefined));
    const lines = new Lines(call.onStderrLine ?? (() => undefined));
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      stdout.add(chunk);
      printed.add(chunk);
    });
    child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
      stderr.add(chunk);
      lines.add(chunk);
    });
    let late = false;
    const disarm =
      call.limitMs === undefined
        ? () => undefined
        : armLimit(child, call.limitMs, () => {
            late = true;
          });
    // Whoever watches its progress may call it off; the exit then tells by which signal it ended.
    const callOff = (): void => signalGroup(child, 'SIGKILL');
    call.signal?.addEventListener('abort', callOff);
    if (call.signal?.aborted === true) callOff();
    child.on('error', () => {
      disarm();
      resolve({ kind: 'not-found', command: call.command });
    });
    child.on('exit', () => {
      setTimeout(() => {
        child.stdout?.destroy();
        child.stderr?.destroy();
      }, OUTPUT_LIMIT_MS).unref();
    });
    child.on('close', (code, signal) => {
      disarm();
      call.signal?.removeEventListener('abort', callOff);
      // Its own children would write on without anybody who knows of them.
      if (late || signal !== null) signalGroup(child, 'SIGKILL');
      printed.end();
      lines.end();
      if (late) resolve({ kind: 'timed-out', stdout: stdout.text, stderr: stderr.text });
      else if (signal !== null) resolve({ kind: 'killed', signal, stderr: stderr.text });
      else if (NOT_EXECUTABLE.includes(code) && stderr.text.startsWith('setpriv: '))
        resolve({ kind: 'not-found', command: call.command });
      else resolve({ kind: 'exited', code: code ?? -1, stdout: stdout.text, stderr: stderr.text });
    });
  });
