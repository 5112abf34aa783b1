/**
 * The guard's log: JSON lines on standard output. Writing must never make the guard wait. Standard
 * output may be a pipe whose reader hangs, and Node writes to pipes synchronously: so the write is
 * left to a thread, one at a time, and lines that find the queue full are counted and dropped.
 */
import { write } from 'node:fs';

export type Details = Readonly<Record<string, string | number | boolean | null | undefined>>;

export interface GuardLog {
  write(level: 'info' | 'warn' | 'error', message: string, details?: Details): void;
  /** Waits until everything is written, at most `limitMs`; false when it is not. */
  flush(limitMs: number): Promise<boolean>;
}

const QUEUE_LINES_MAX = 200;
const RETRY_MS = 50;
const FLUSH_POLL_MS = 5;

class DescriptorLog implements GuardLog {
  readonly #descriptor: number;
  readonly #base: Details;
  readonly #queue: string[] = [];
  #isWriting = false;
  #dropped = 0;

  constructor(descriptor: number, base: Details) {
    this.#descriptor = descriptor;
    this.#base = base;
  }

  write(level: 'info' | 'warn' | 'error', message: string, details: Details = {}): void {
    const isFull = this.#queue.length >= QUEUE_LINES_MAX;
    if (isFull) {
      this.#dropped += 1;
      return;
    }
    const dropped = this.#dropped === 0 ? {} : { droppedLines: this.#dropped };
    this.#dropped = 0;
    const time = new Date().toISOString();
    const line = { level, time, ...this.#base, ...details, ...dropped, msg: message };
    this.#queue.push(`${JSON.stringify(line)}\n`);
    this.#next();
  }

  #next(): void {
    const line = this.#queue[0];
    if (line === undefined || this.#isWriting) return;
    this.#isWriting = true;
    write(this.#descriptor, line, (error) => {
      this.#isWriting = false;
      // A pipe somebody made non-blocking is full: the line stays and is tried again.
      if (error !== null && error.code === 'EAGAIN') {
        setTimeout(() => this.#next(), RETRY_MS).unref();
        return;
      }
      this.#queue.shift();
      this.#next();
    });
  }

  async flush(limitMs: number): Promise<boolean> {
    const until = performance.now() + limitMs;
    while (this.#queue.length > 0 && performance.now() < until)
      await new Promise((resolve) => {
        setTimeout(resolve, FLUSH_POLL_MS);
      });
    return this.#queue.length === 0;
  }
}

/** `base` is added to every line. */
export const createGuardLog = (base: Details, descriptor = 1): GuardLog =>
  new DescriptorLog(descriptor, base);
