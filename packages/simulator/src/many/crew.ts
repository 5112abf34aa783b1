import type { RunResult } from '../run/run-seed.ts';
import { type Block, type BlockResult, type Choice, type Totals, addTotals } from './block.ts';
import { noTotals } from './block.ts';

/** Who plays blocks, one at a time: a thread, or in a test the test itself. */
export interface Worker {
  readonly play: (block: Block) => void;
  readonly stop: () => void;
}

export interface WorkerEars {
  readonly played: (result: BlockResult) => void;
  /** It has ended with an error that is no violation. */
  readonly broke: (cause: string) => void;
}

export type StartWorker = (choice: Choice, ears: WorkerEars) => Worker;

export interface CrewOptions {
  readonly choice: Choice;
  readonly seeds: Block;
  readonly workers: number;
  readonly startWorker: StartWorker;
  readonly onProgress: (totals: Totals) => void;
  readonly onEnd: (end: CrewEnd) => void;
}

export interface CrewEnd {
  /** Of all seeds up to and including the one that failed. */
  readonly totals: Totals;
  readonly failure: RunResult | undefined;
  readonly broken: string | undefined;
}

/** Short enough that progress is seen and a failure stops the others soon. */
const SEEDS_PER_BLOCK = 4;

/**
 * Has many seeds played by several workers. Blocks are given out in order, and counted in order,
 * whoever is done first: so what is told, and which seed is the first to fail, is the same with any
 * number of workers.
 */
export class Crew {
  readonly #options: CrewOptions;
  readonly #workers: Worker[] = [];
  /** Played, and some block before it is not. */
  readonly #waiting = new Map<number, BlockResult>();
  #nextToPlay: number;
  #nextToCount: number;
  /** Nothing after this seed is begun any more. */
  #last: number;
  #isOver = false;
  totals: Totals = noTotals;

  constructor(options: CrewOptions) {
    this.#options = options;
    this.#nextToPlay = options.seeds.first;
    this.#nextToCount = options.seeds.first;
    this.#last = options.seeds.last;
  }

  start(): void {
    const { workers, startWorker, choice } = this.#options;
    for (let count = 0; count < workers && !this.#isOver; count += 1) {
      const worker = startWorker(choice, {
        played: (result) => {
          this.#take(result);
          this.#employ(worker);
        },
        broke: (cause) => this.#end({ broken: cause }),
      });
      this.#workers.push(worker);
      this.#employ(worker);
    }
  }

  /** Somebody has seen enough: what is counted so far is told. */
  interrupt(): void {
    this.#end({});
  }

  #employ(worker: Worker): void {
    if (this.#isOver || this.#nextToPlay > this.#last) return;
    const first = this.#nextToPlay;
    const last = Math.min(first + SEEDS_PER_BLOCK - 1, this.#options.seeds.last);
    this.#nextToPlay = last + 1;
    worker.play({ first, last });
  }

  #take(result: BlockResult): void {
    if (this.#isOver) return;
    this.#waiting.set(result.block.first, result);
    if (result.failure !== undefined) this.#last = Math.min(this.#last, result.failure.seed);
    for (;;) {
      const next = this.#waiting.get(this.#nextToCount);
      if (next === undefined) break;
      this.#waiting.delete(this.#nextToCount);
      this.#nextToCount = next.block.last + 1;
      this.totals = addTotals(this.totals, next.totals);
      if (next.failure !== undefined) return this.#end({ failure: next.failure });
    }
    this.#options.onProgress(this.totals);
    if (this.#nextToCount > this.#options.seeds.last) this.#end({});
  }

  #end({ failure, broken }: Partial<CrewEnd>): void {
    if (this.#isOver) return;
    this.#isOver = true;
    for (const worker of this.#workers) worker.stop();
    this.#options.onEnd({ totals: this.totals, failure, broken });
  }
}
