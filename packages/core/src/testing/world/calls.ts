import type { Action, Dispatch, Failure, Outcome } from '../../model/action.ts';
import type { ServerExit } from '../../model/server.ts';
import type { Agenda } from './agenda.ts';
import type { Chance } from './chance.ts';
import type { MakeBelieveHost } from './make-believe-host.ts';
import type { MakeBelieveLoop } from './make-believe-loop.ts';
import { BRAVO, type MakeBelieveRival } from './make-believe-rival.ts';
import type { MakeBelieveStore } from './make-believe-store.ts';
import type { Truth } from './truth.ts';
import type { Fate } from './weather.ts';

/** A caller of the store or of the guard hears after this time at the latest that nobody knows. */
const CALL_LIMIT_MS = 500;
/** What fails takes a moment. */
const FAILING_MS = 5;
const LATE_MS = 2_500;

const isStoreCall = ({ kind }: Action): boolean =>
  ['transact', 'read-store', 'grant-lease', 'keep-alive'].includes(kind);

const isGuardCall = (action: Action): boolean =>
  [
    'extend-deadline',
    'suspend-deadline',
    'start-server',
    'stop-server',
    'reload-server',
    'promote',
  ].includes(action.kind) ||
  (action.kind === 'fence' && action.by === 'guard');

interface Called {
  readonly agenda: Agenda;
  readonly chance: Chance;
  readonly store: MakeBelieveStore;
  readonly host: MakeBelieveHost;
  readonly rival: MakeBelieveRival;
  readonly loop: MakeBelieveLoop;
  readonly truth: Truth;
}

/** What becomes of the member's calls, which take time, fail, or have their effect unheard. */
export class Calls {
  readonly #world: Called;
  #outUntil = 0;
  #guardDoneAt = 0;
  #fences = 0;

  constructor(world: Called) {
    this.#world = world;
  }

  /** From now on no call reaches the store, for so long; 0: calls reach it again. */
  loseStore(forMs: number): void {
    this.#outUntil = this.#world.agenda.now + forMs;
  }

  perform(dispatch: Dispatch): void {
    const { agenda, chance, loop, truth } = this.#world;
    const { id, action } = dispatch;
    if (action.kind === 'exit') {
      loop.end();
      return;
    }
    const isOut = isStoreCall(action) && agenda.now < this.#outUntil;
    const fate: Fate = isOut ? 'lost' : chance.drawFate();
    const delayMs = chance.drawDelayMs();
    const answer = this.#answerTo(dispatch);
    if (action.kind === 'promote')
      truth.checkPromotion(action.timeline, loop.member.state.tenure?.term);
    if (action.kind === 'fence') this.#fences += 1;
    const isSuperseded = this.#supersession(dispatch);
    if (fate !== 'failed' && fate !== 'lost')
      agenda.later(this.#effectDelay(action, fate, delayMs), () => {
        if (isSuperseded()) return;
        const result = this.#take(action);
        if (fate === 'done') answer({ kind: 'done', ...result });
      });
    if (fate === 'failed')
      agenda.later(FAILING_MS, () => answer({ kind: 'failed', cause: 'by chance' }));
    if (fate === 'done' || fate === 'failed') return;
    const unknown = { id, kind: action.kind, result: { kind: 'unknown', cause: 'time' } };
    loop.tellLater({ kind: 'outcome', outcome: unknown as Outcome }, CALL_LIMIT_MS);
  }

  /** Takes the answer of a call back to the loop that made it. */
  #answerTo({ id, action }: Dispatch): (result: object) => void {
    const { loop } = this.#world;
    const { incarnation } = loop;
    return (result) => {
      if (incarnation !== loop.incarnation) return;
      const outcome = { id, kind: action.kind, result } as Outcome;
      if (isGuardCall(action)) loop.tellFromGuard({ kind: 'outcome', outcome });
      else loop.tellLater({ kind: 'outcome', outcome });
    };
  }

  /**
   * Tells whether nothing is to come of a call any more. Work ends with its loop, and the guard is
   * deaf to loops of before; the store is not. What a fence supersedes is ended before anything else
   * begins in its lane.
   */
  #supersession({ lane, action }: Dispatch): () => boolean {
    const { loop } = this.#world;
    const { incarnation } = loop;
    const fences = this.#fences;
    if (isStoreCall(action)) return () => false;
    const endsWithFence = lane === 'server' && !isGuardCall(action);
    return () => incarnation !== loop.incarnation || (endsWithFence && fences !== this.#fences);
  }

  /** The guard does what it is told in the order in which it was told. */
  #effectDelay(action: Action, fate: Fate, delayMs: number): number {
    const { now } = this.#world.agenda;
    if (isStoreCall(action)) return fate === 'late' ? delayMs + LATE_MS : delayMs;
    if (!isGuardCall(action)) return delayMs;
    this.#guardDoneAt = Math.max(now + delayMs, this.#guardDoneAt);
    return this.#guardDoneAt - now;
  }

  /** The effect of an action, at the moment it has it. */
  #take(action: Action): object | Failure {
    const { agenda, store, host, rival, loop, truth } = this.#world;
    switch (action.kind) {
      case 'grant-lease':
        return { leaseId: store.grant(action.ttlMs, agenda.now), ttlMs: action.ttlMs };
      case 'keep-alive':
        return { ttlMs: store.keepAlive(action.leaseId, agenda.now) };
      case 'read-store':
        return { snapshot: store.snapshot };
      case 'transact': {
        const result = store.transact(action.transaction);
        if (result.kind === 'done' && result.applied) {
          if (action.purpose === 'release') truth.checkRelease();
          loop.announce();
        }
        return result;
      }
      case 'ask-peers':
      case 'ask-held':
        return { answers: { [BRAVO]: rival.answer() } };
      case 'inspect-upstream':
        return rival.inspect();
      case 'stop-server': {
        this.tellExit(host.stop());
        return { mode: action.mode };
      }
      default:
        return host.perform(action) ?? {};
    }
  }

  /** The guard tells of a server that has ended. */
  tellExit(exit: ServerExit | undefined): void {
    if (exit !== undefined) this.#world.loop.tellFromGuard({ kind: 'server-exited', exit });
  }
}
