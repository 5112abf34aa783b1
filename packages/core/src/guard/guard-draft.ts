/** One step of the guard in the making: the state as it changes and the effects so far. */
import { type Instant, after } from '../model/instant.ts';
import type { Asker, GuardEffect, GuardState } from './guard-state.ts';
import type { GuardAnswer, GuardMessage } from './messages.ts';

/** Wait after a fence that did not reach silence. */
export const FENCE_RETRY_MS = 100;

export class GuardDraft {
  readonly effects: GuardEffect[] = [];
  readonly now: Instant;
  state: GuardState;

  constructor(state: GuardState, now: Instant) {
    this.state = state;
    this.now = now;
  }

  set(change: Partial<GuardState>): void {
    this.state = { ...this.state, ...change };
  }

  send(message: GuardMessage): void {
    if (this.state.loop.kind === 'present') this.effects.push({ kind: 'send', message });
  }

  /** An answer to a loop that is no more is dropped: its successor counts its ids anew. */
  answer(asker: Asker, answer: (id: number) => GuardAnswer): void {
    if (asker.incarnation === this.state.incarnation) this.send(answer(asker.id));
  }

  /** Whether one of these is the loop of today. */
  hears(askers: readonly Asker[]): boolean {
    const { loop, incarnation } = this.state;
    return loop.kind === 'present' && askers.some((asker) => asker.incarnation === incarnation);
  }

  /** Begins a fence, or joins the one that is under way: no server can start in between. */
  fence(dataDirectory: string, askers: readonly Asker[]): void {
    const { fencing, process } = this.state;
    const all = [...(fencing?.askers ?? []), ...askers];
    if (fencing?.attempt !== undefined) return this.set({ fencing: { ...fencing, askers: all } });
    const pid = process.kind === 'running' ? process.pid : undefined;
    const retryAt = after(this.now, FENCE_RETRY_MS);
    this.set({ dataDirectory, fencing: { attempt: { pid }, askers: all, retryAt } });
    this.effects.push({ kind: 'fence', pid, dataDirectory });
  }
}
