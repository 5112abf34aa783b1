import { hashText } from '../random.ts';

export interface StoryListener {
  /** Gets the story, line by line. */
  readonly tell?: ((line: string) => void) | undefined;
  readonly tellsAll?: boolean | undefined;
}

/**
 * What happened, in order. The hash is always kept, so that two runs of a seed can be compared; the
 * words are only put together when somebody listens.
 */
export class Journal {
  readonly #now: () => number;
  readonly #tell: ((line: string) => void) | undefined;
  /** Also what happens all the time. */
  readonly #tellsAll: boolean;
  #hash = 0x811c9dc5;
  readonly #names = new Map<string, number>();
  notes = 0;

  constructor(now: () => number, listener: StoryListener = {}) {
    this.#now = now;
    this.#tell = listener.tell;
    this.#tellsAll = listener.tellsAll ?? false;
  }

  get hash(): string {
    return (this.#hash >>> 0).toString(16).padStart(8, '0');
  }

  /** `what` is one of a few words, `detail` is only called when the story is told. */
  note(who: string, what: string, detail?: () => string): void {
    this.#mixIn(who, what);
    if (this.#tell !== undefined) this.#tell(this.#format(who, what, detail));
  }

  /** Something that happens all the time, and is no news. */
  noteRoutine(who: string, what: string, detail?: () => string): void {
    this.#mixIn(who, what);
    if (this.#tellsAll && this.#tell !== undefined) this.#tell(this.#format(who, what, detail));
  }

  #format(who: string, what: string, detail: (() => string) | undefined): string {
    const words = detail === undefined ? what : `${what}: ${detail()}`;
    return `${formatSeconds(this.#now())}  ${who.padEnd(WHO_WIDTH)} ${words}`;
  }

  #mixIn(who: string, what: string): void {
    const now = this.#now();
    this.notes += 1;
    this.#mix(Math.floor(now));
    this.#mix(Math.floor((now % 1) * 4_294_967_296));
    this.#mix(this.#hashOf(who));
    this.#mix(this.#hashOf(what));
  }

  #mix(word: number): void {
    this.#hash = Math.imul(this.#hash ^ word, 0x01000193);
    this.#hash ^= this.#hash >>> 15;
  }

  #hashOf(text: string): number {
    let hash = this.#names.get(text);
    if (hash === undefined) {
      hash = hashText(text);
      this.#names.set(text, hash);
    }
    return hash;
  }
}

const WHO_WIDTH = 7;

export const formatSeconds = (milliseconds: number): string =>
  `${(milliseconds / 1_000).toFixed(3).padStart(9)} s`;
