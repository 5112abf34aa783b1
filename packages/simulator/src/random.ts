/**
 * The only source of chance in the simulator: sfc32, seeded from a number and the name of a stream.
 * Each part of the world has a stream of its own, so that one more draw in the network does not
 * change which faults a seed brings.
 */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  constructor(seed: number, stream: string) {
    let mixed = hashText(stream) ^ Math.imul(seed | 0, 0x9e3779b1) ^ Math.floor(seed / 2 ** 32);
    const draw = (): number => {
      mixed = (mixed + 0x6d2b79f5) | 0;
      let word = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
      word ^= word + Math.imul(word ^ (word >>> 7), word | 61);
      return word ^ (word >>> 14);
    };
    this.#a = draw();
    this.#b = draw();
    this.#c = draw();
    for (let round = 0; round < WARM_UP_ROUNDS; round += 1) this.next();
  }

  /** A number from 0 up to, but not including, 1. */
  next(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum;
    this.#c |= 0;
    return (sum >>> 0) / 4_294_967_296;
  }

  between(low: number, high: number): number {
    return low + (high - low) * this.next();
  }

  /** A whole number, both ends included. */
  integer(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low + 1));
  }

  chance(probability: number): boolean {
    return probability > 0 && this.next() < probability;
  }

  /** Small most of the time, with a long tail; never more than `most`. */
  tail(typical: number, most: number): number {
    return Math.min(most, -Math.log(1 - this.next()) * typical);
  }

  pick<T>(choices: readonly T[]): T {
    const chosen = choices[Math.floor(this.next() * choices.length)];
    if (chosen === undefined) throw new Error('nothing to pick from: the list of choices is empty');
    return chosen;
  }

  /** One of the keys, each as likely as its weight says. */
  weighted<K extends string>(weights: Readonly<Partial<Record<K, number>>>): K {
    const rows = Object.entries(weights) as [K, number][];
    const total = rows.reduce((sum, [, weight]) => sum + weight, 0);
    let left = this.next() * total;
    for (const [key, weight] of rows) {
      left -= weight;
      if (left < 0) return key;
    }
    throw new Error('nothing to choose from: all weights are zero');
  }

  shuffle<T>(values: readonly T[]): T[] {
    const shuffled = [...values];
    for (let index = shuffled.length - 1; index > 0; index -= 1) {
      const other = this.integer(0, index);
      const kept = shuffled[index];
      const moved = shuffled[other];
      if (kept === undefined || moved === undefined) throw new Error('index out of the list');
      shuffled[index] = moved;
      shuffled[other] = kept;
    }
    return shuffled;
  }
}

/** Passes on what another one draws, and keeps it. */
export class RecordedRandom extends Random {
  readonly #source: Random;
  readonly draws: number[] = [];

  constructor(source: Random) {
    super(0, 'recorded');
    this.#source = source;
  }

  override next(): number {
    // The base class warms itself up before there is a source.
    if (!(#source in this)) return super.next();
    const drawn = this.#source.next();
    this.draws.push(drawn);
    return drawn;
  }
}

/** Draws what was recorded; after that what a seed of its own gives. */
export class ReplayedRandom extends Random {
  readonly #draws: number[] = [];

  constructor(draws: readonly number[], stream: string) {
    super(0, stream);
    this.#draws.push(...draws);
  }

  override next(): number {
    return (#draws in this ? this.#draws.shift() : undefined) ?? super.next();
  }
}

const WARM_UP_ROUNDS = 12;

/** FNV-1a, 32 bits. */
export const hashText = (text: string): number => {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1)
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return hash >>> 0;
};
