import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('keeper.mjs', import.meta.url));
const CLOSE_LIMIT_MS = 60_000;

/** Clears up when it is closed, and also when this process dies in any way. */
export class Keeper {
  readonly #child: ChildProcess;
  #complaint = '';

  constructor() {
    // A session of its own: what interrupts the tests must not interrupt it.
    this.#child = spawn(process.execPath, [PROGRAM], {
      detached: true,
      cwd: '/',
      stdio: ['pipe', 'ignore', 'pipe'],
    });
    this.#child.stdin?.on('error', () => undefined);
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#complaint += text;
    });
    this.#child.unref();
  }

  /** To be removed, with every process that works in it or was started with its path. */
  watchDirectory(path: string): void {
    this.#child.stdin?.write(`directory ${path}\n`);
  }

  /** A shared memory segment that its user may not be alive to remove. */
  watchSegment(id: string): void {
    this.#child.stdin?.write(`segment ${id}\n`);
  }

  async close(): Promise<void> {
    if (this.#child.exitCode === null) {
      const ended = once(this.#child, 'exit', { signal: AbortSignal.timeout(CLOSE_LIMIT_MS) });
      this.#child.stdin?.end();
      await ended;
    }
    if (this.#child.exitCode !== 0) throw new Error(`not all was cleared up: ${this.#complaint}`);
  }
}
