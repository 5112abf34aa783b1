import type { Fate, Weather } from './weather.ts';

/** All that chance decides, drawn from the weather in one order. */
export class Chance {
  readonly #weather: Weather;
  #drawn = 0;
  #isHealed = false;

  constructor(weather: Weather) {
    this.#weather = weather;
  }

  get isHealed(): boolean {
    return this.#isHealed;
  }

  /** From now on everything works. */
  heal(): void {
    this.#isHealed = true;
  }

  draw<T>(from: readonly T[], healthy: T): T {
    this.#drawn += 1;
    return this.#isHealed ? healthy : (from[this.#drawn % from.length] ?? healthy);
  }

  drawDelayMs(): number {
    return this.draw(this.#weather.delaysMs, 1);
  }

  drawFate(): Fate {
    return this.draw(this.#weather.fates, 'done');
  }
}
