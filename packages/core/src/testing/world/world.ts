/**
 * One member in a make-believe world: a store, a host with PostgreSQL and its guard, and another
 * member that is primary from time to time. Calls take time, fail, or have their effect unheard. What
 * is true in this world is known, so that it can be compared with what the member believes.
 */
import type { Action, Dispatch, Failure, Outcome } from '../../model/action.ts';
import type { Input } from '../../model/input.ts';
import type { Instant } from '../../model/instant.ts';
import { type Lsn, lsn } from '../../model/lsn.ts';
import { type MemberName, defaultTags } from '../../model/member.ts';
import { isPauseOn } from '../../model/operating.ts';
import type { PeerAnswer } from '../../model/peer.ts';
import { defaultPolicy } from '../../model/policy.ts';
import type { LocalRequest } from '../../model/request.ts';
import type { ServerExit } from '../../model/server.ts';
import type { LeaseId, LeaseTerm } from '../../model/store.ts';
import { type Timeline, firstLineage, timeline } from '../../model/timeline.ts';
import { knownPosition } from '../../model/wal-position.ts';
import { type MemberState, createMember } from '../../state.ts';
import { findBreaches } from '../check-step.ts';
import { PlayedMember } from '../played-member.ts';
import { CLUSTER, type Elsewhere, MakeBelieveHost } from './make-believe-host.ts';
import { MakeBelieveStore } from './make-believe-store.ts';
import type { Fate, Mishap, Weather } from './weather.ts';

const ALPHA = 'alpha' as MemberName;
const BRAVO = 'bravo' as MemberName;
/** The host's clock when the story begins: a new member takes 0 for a time long ago. */
const STARTS_AT = 10_000 as Instant;
const TTL_MS = 5_000;
const OTHER_TTL_MS = 14_000;
const BRAVO_LEASE_TTL_MS = 600_000;
/** A caller of the store or of the guard hears after this time at the latest that nobody knows. */
const CALL_LIMIT_MS = 500;
/** What fails takes a moment. */
const FAILING_MS = 5;
const LATE_MS = 2_500;
const OUTAGE_MS = 6_000;
/** Longer than any lease, after a pause has been heard of. */
const LONG_OUTAGE_MS = 12_000;
const PAUSE_BEFORE_OUTAGE_MS = 2_500;
const FREEZE_MS = 4_500;
/** How long the healed world leaves the lease free before the other member takes it. */
const RIVAL_PATIENCE_MS = 20_000;
const TURNS_MAX = 40_000;

interface Due {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
}

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

const newMember = (weather: Weather, run: number): MemberState =>
  createMember(
    {
      name: ALPHA,
      address: 'alpha:5432',
      connUrl: 'postgres://alpha:5432/postgres',
      apiUrl: 'http://alpha:8008/patroni',
      tags: defaultTags,
      life: { host: 'host-1', run: `run-${run}` },
      bootstrapConfig: {},
      mayTakeOverData: false,
    },
    {
      ...defaultPolicy,
      fastLease: true,
      ttlMs: TTL_MS,
      loopWaitMs: 5_000,
      retryTimeoutMs: 2_000,
      primaryStartTimeoutMs: weather.handsOver ? 0 : 300_000,
      serverConfigVersion: 'v1',
    },
  );

export class World {
  readonly store = new MakeBelieveStore();
  readonly host = new MakeBelieveHost();
  readonly weather: Weather;
  readonly breaches: string[] = [];
  member: PlayedMember;
  now = STARTS_AT;
  #due: Due[] = [];
  #order = 0;
  #drawn = 0;
  #incarnation = 1;
  #healed = false;
  #frozenUntil = 0;
  #outUntil = 0;
  #rivalLease: LeaseId | undefined;
  #vacantSince: number | undefined;
  readonly #promotedTo = new Map<Timeline, LeaseTerm>();
  #ended = false;
  #inbox: Input[] = [];
  #guardHeardAt = 0;
  #guardDoneAt = 0;
  #fences = 0;
  #run = 1;

  constructor(weather: Weather) {
    this.weather = weather;
    this.member = new PlayedMember({ ...newMember(weather, 1), now: this.now });
    this.#begin();
    this.#greet();
    let at = this.now as number;
    for (const { afterMs, kind } of weather.mishaps) {
      at += afterMs;
      this.#later(at - this.now, () => this.#suffer(kind));
    }
  }

  get hasEnded(): boolean {
    return this.#ended;
  }

  get leader(): MemberName | undefined {
    return this.store.snapshot.leader?.value;
  }

  /** The leader key is ours and hangs on a lease that lives. */
  get isOurs(): boolean {
    const { leader } = this.store.snapshot;
    return leader?.value === ALPHA && this.store.isAlive(leader.leaseId);
  }

  /** From now on everything works, and nothing happens by itself. */
  heal(): void {
    this.#healed = true;
    this.#frozenUntil = 0;
    this.#outUntil = 0;
    this.#setPause(false);
    this.#thaw();
  }

  /** Plays until the clock stands at `until`. */
  run(until: number): void {
    for (let turn = 0; turn < TURNS_MAX; turn += 1) {
      const next = Math.min(
        ...this.#due.map(({ at }) => at),
        this.#wakeAt,
        this.#guardAt,
        this.#endAt,
      );
      if (next > until || this.#ended || this.breaches.length > 0) {
        this.now = Math.max(this.now, until) as Instant;
        return;
      }
      this.now = Math.max(this.now, next) as Instant;
      this.#turn();
      this.#checkTruth();
    }
    this.breaches.push(`${TURNS_MAX} turns until ${this.now}: the member never rests`);
  }

  /** When the last of all that is to happen happens. */
  get lastMishapAt(): number {
    return this.weather.mishaps.reduce((sum, { afterMs }) => sum + afterMs, STARTS_AT as number);
  }

  get #wakeAt(): number {
    const wakeAt = this.member.last?.wakeAt ?? Number.POSITIVE_INFINITY;
    return Math.max(wakeAt, this.#frozenUntil, this.now + 1);
  }

  get #guardAt(): number {
    const { deadline, isSilent, suspended } = this.host;
    return deadline === undefined || isSilent || suspended ? Number.POSITIVE_INFINITY : deadline;
  }

  get #endAt(): number {
    return this.store.nextEnd ?? Number.POSITIVE_INFINITY;
  }

  #turn(): void {
    if (this.store.endLeases(this.now)) this.#announce();
    this.#enterHost();
    if (this.host.isOverdue) {
      this.host.fence();
      this.#tellFromGuard({ kind: 'guard-fenced', silent: true });
      return;
    }
    const [first] = this.#due.toSorted((a, b) => a.at - b.at || a.order - b.order);
    if (first !== undefined && first.at <= this.now) {
      this.#due = this.#due.filter((due) => due !== first);
      first.run();
    } else if (this.now >= this.#frozenUntil) this.#tell({ kind: 'tick' });
    if (this.#healed) this.#driveRival();
  }

  #later(delayMs: number, run: () => void): void {
    this.#order += 1;
    this.#due.push({ at: this.now + delayMs, order: this.#order, run });
  }

  #draw<T>(from: readonly T[], healthy: T): T {
    this.#drawn += 1;
    return this.#healed ? healthy : (from[this.#drawn % from.length] ?? healthy);
  }

  #enterHost(): void {
    this.host.now = this.now;
    this.host.elsewhere = this.#elsewhere();
  }

  #tell(input: Input): void {
    if (this.#ended) return;
    this.member.state = { ...this.member.state, now: this.now };
    const result = this.member.tell(input);
    this.breaches.push(...findBreaches(result));
    for (const dispatch of result.dispatches) this.#perform(dispatch);
  }

  /** To the loop of now. What comes while it is frozen waits, and keeps its order. */
  #tellLater(input: Input, delayMs = this.#draw(this.weather.delaysMs, 1)): void {
    const incarnation = this.#incarnation;
    this.#later(delayMs, () => {
      if (incarnation !== this.#incarnation) return;
      if (this.now < this.#frozenUntil || this.#inbox.length > 0) this.#inbox.push(input);
      else this.#tell(input);
    });
  }

  /** The guard's words come in the order in which it said them. */
  #tellFromGuard(input: Input): void {
    const at = Math.max(this.now + this.#draw(this.weather.delaysMs, 1), this.#guardHeardAt);
    this.#guardHeardAt = at;
    this.#tellLater(input, at - this.now);
  }

  #thaw(): void {
    const inputs = this.#inbox;
    this.#inbox = [];
    for (const input of inputs) this.#tell(input);
  }

  #announce(): void {
    this.#tellLater({ kind: 'store-changed' });
  }

  #perform(dispatch: Dispatch): void {
    const { id, action } = dispatch;
    const { kind } = action;
    if (kind === 'exit') {
      this.#ended = true;
      return;
    }
    const out = isStoreCall(action) && this.now < this.#outUntil;
    const fate: Fate = out ? 'lost' : this.#draw(this.weather.fates, 'done');
    const delayMs = this.#draw(this.weather.delaysMs, 1);
    const incarnation = this.#incarnation;
    const answer = (result: object): void => {
      if (incarnation !== this.#incarnation) return;
      const outcome: Input = { kind: 'outcome', outcome: { id, kind, result } as Outcome };
      if (isGuardCall(action)) this.#tellFromGuard(outcome);
      else this.#tellLater(outcome);
    };
    if (kind === 'promote') this.#checkPromotion(action.timeline);
    // What a fence supersedes is ended before anything else begins in its lane.
    if (kind === 'fence') this.#fences += 1;
    const fences = this.#fences;
    const isSuperseded = (): boolean =>
      // Work ends with its loop, and the guard is deaf to loops of before. The store is not.
      !isStoreCall(action) &&
      (incarnation !== this.#incarnation ||
        (dispatch.lane === 'server' && !isGuardCall(action) && fences !== this.#fences));
    if (fate !== 'failed' && fate !== 'lost')
      this.#later(this.#effectDelay(action, fate, delayMs), () => {
        if (isSuperseded()) return;
        this.#enterHost();
        const result = this.#take(action);
        if (fate === 'done') answer({ kind: 'done', ...result });
      });
    if (fate === 'failed')
      this.#later(FAILING_MS, () => answer({ kind: 'failed', cause: 'by chance' }));
    if (fate === 'done' || fate === 'failed') return;
    const unknown = { id, kind, result: { kind: 'unknown', cause: 'time' } } as Outcome;
    this.#tellLater({ kind: 'outcome', outcome: unknown }, CALL_LIMIT_MS);
  }

  /** The guard does what it is told in the order in which it was told. */
  #effectDelay(action: Action, fate: Fate, delayMs: number): number {
    if (isStoreCall(action)) return fate === 'late' ? delayMs + LATE_MS : delayMs;
    if (!isGuardCall(action)) return delayMs;
    this.#guardDoneAt = Math.max(this.now + delayMs, this.#guardDoneAt);
    return this.#guardDoneAt - this.now;
  }

  /** The effect of an action, at the moment it has it. */
  #take(action: Action): object | Failure {
    switch (action.kind) {
      case 'grant-lease':
        return { leaseId: this.store.grant(action.ttlMs, this.now), ttlMs: action.ttlMs };
      case 'keep-alive':
        return { ttlMs: this.store.keepAlive(action.leaseId, this.now) };
      case 'read-store':
        return { snapshot: this.store.snapshot };
      case 'transact': {
        const result = this.store.transact(action.transaction);
        if (result.kind === 'done' && result.applied) {
          if (action.purpose === 'release' && !this.host.isSilent && this.host.acceptsWrites)
            this.breaches.push('the lease was released while the server accepts writes');
          this.#announce();
        }
        return result;
      }
      case 'ask-peers':
        return { answers: { [BRAVO]: this.#askBravo() } };
      case 'inspect-upstream':
        return this.#inspect();
      case 'stop-server': {
        this.#exit(this.host.stop());
        return { mode: action.mode };
      }
      default:
        return this.host.perform(action) ?? {};
    }
  }

  #exit(exit: ServerExit | undefined): void {
    if (exit !== undefined) this.#tellFromGuard({ kind: 'server-exited', exit });
  }

  /** S5: no number is promoted to in two terms. */
  #checkPromotion(number: Timeline): void {
    const term = this.member.state.tenure?.term;
    const before = this.#promotedTo.get(number);
    if (term === undefined) return;
    if (before !== undefined && before !== term)
      this.breaches.push(`timeline ${number} was promoted to in terms ${before} and ${term}`);
    this.#promotedTo.set(number, term);
  }

  /** S1, S2: what is true, whatever the member believes. */
  #checkTruth(): void {
    if (this.host.acceptsWrites && !this.isOurs && !this.#goesOn)
      this.breaches.push(
        `writes are accepted at ${this.now}, and the lease is ${this.leader ?? 'free'}`,
      );
    const { tenure } = this.member.state;
    const believes = tenure !== undefined && this.now < tenure.deadline;
    const { leader } = this.store.snapshot;
    if (believes && (leader?.modRevision as number | undefined) === tenure.term && !this.isOurs)
      this.breaches.push('the member counts on a lease that has ended');
  }

  /** S1: without the lease only while the store says that nobody else may take it. */
  get #goesOn(): boolean {
    const { suspension, leader } = this.store.snapshot;
    return suspension?.value.member === ALPHA && leader?.value !== BRAVO;
  }

  #elsewhere(): Elsewhere {
    const promotions = this.store.snapshot.timelines?.value.promotions ?? [];
    const ancestors = promotions.map(({ parent, switchLsn }) => ({ timeline: parent, switchLsn }));
    const number = promotions.at(-1)?.timeline ?? timeline(1);
    return {
      lineage: { timeline: number, ancestors },
      end: this.#bravoEnd,
      primary: this.leader === BRAVO ? 'bravo:5432' : undefined,
    };
  }

  #bravoEnd: Lsn = lsn(0x5000000);

  #askBravo(): PeerAnswer {
    if (this.store.snapshot.initialize?.value !== CLUSTER || !this.#draw([true, true, false], true))
      return { kind: 'no-answer', cause: 'by chance' };
    const { lineage } = this.#elsewhere();
    const primary = this.leader === BRAVO;
    return {
      kind: 'answers',
      running: true,
      primary,
      position: knownPosition({ timeline: lineage.timeline, lsn: this.#bravoEnd }),
      lineage,
      tags: defaultTags,
      electable: !primary,
      streaming: false,
    };
  }

  #inspect(): object | Failure {
    if (this.leader !== BRAVO) return { kind: 'failed', cause: 'nobody answers' };
    const { lineage } = this.#elsewhere();
    return {
      facts: {
        member: BRAVO,
        systemIdentifier: CLUSTER,
        inRecovery: false,
        timeline: lineage.timeline,
        lineage,
        oldestLsn: lsn(0),
        checkpointed: this.#draw([true, false], true),
      },
    };
  }

  #begin(): void {
    const { begins } = this.weather;
    if (begins === 'new cluster') return;
    this.store.put('initialize', CLUSTER);
    this.store.put('config', {});
    this.store.put('timelines', { issued: timeline(1), promotions: [] });
    const standby = begins === 'as standby' || begins === 'with another primary';
    const end = lsn(begins === 'as forked primary' ? 0x5000100 : 0x5000000);
    if (begins !== 'with empty disk')
      this.host.data = {
        lineage: firstLineage,
        end,
        standbySignal: standby,
        inProduction: !standby,
      };
    this.#showBravo('running', 'replica');
    if (begins !== 'as standby' && begins !== 'as crashed primary') this.#rivalTakesLease();
  }

  #showBravo(state: string, role: string): void {
    this.#rivalLease ??= this.store.grant(BRAVO_LEASE_TTL_MS, this.now);
    this.store.transact({
      compares: [],
      writes: [
        {
          member: BRAVO,
          leaseId: this.#rivalLease,
          put: {
            connUrl: 'postgres://bravo:5432/postgres',
            apiUrl: '',
            state,
            role,
            tags: defaultTags,
            ours: true,
          },
        },
      ],
    });
    this.#announce();
  }

  #rivalTakesLease(): void {
    const { leader, timelines, initialize, config, suspension } = this.store.snapshot;
    if (leader !== undefined || initialize?.value !== CLUSTER) return;
    if (isPauseOn(config?.value) || suspension !== undefined) return;
    const issued = ((timelines?.value.issued ?? 1) + 1) as Timeline;
    const before = timelines?.value.promotions ?? [];
    const parent = before.at(-1)?.timeline ?? timeline(1);
    this.#showBravo('running', 'primary');
    this.store.put('leader', BRAVO, this.#rivalLease);
    this.store.put('holder', { member: BRAVO, life: { host: 'host-2', run: 'run-1' } });
    const term = this.store.snapshot.leader?.modRevision as number as LeaseTerm;
    const switchLsn = this.#bravoEnd;
    const promotion = { timeline: issued, parent, switchLsn, member: BRAVO, term };
    this.store.put('timelines', { issued, promotions: [...before, promotion] });
    this.#promotedTo.set(issued, term);
  }

  #rivalGivesLeaseBack(): void {
    if (this.leader !== BRAVO) return;
    this.store.remove('leader');
    this.#showBravo('running', 'replica');
  }

  /** A switchover from bravo to us. */
  #rivalHandsOver(): void {
    const term = this.store.snapshot.leader?.modRevision as number as LeaseTerm;
    if (this.leader !== BRAVO) return;
    const { lineage, end } = this.#elsewhere();
    const position = knownPosition({ timeline: lineage.timeline, lsn: end });
    this.store.put('handover', {
      from: BRAVO,
      term,
      cause: 'switchover',
      end: position,
      heir: ALPHA,
      quietMs: 0,
    });
    this.#rivalGivesLeaseBack();
  }

  /** In the healed world somebody else takes a lease that we leave free for long. */
  #driveRival(): void {
    if (this.leader !== undefined) this.#vacantSince = undefined;
    else this.#vacantSince ??= this.now;
    if (this.#vacantSince !== undefined && this.now - this.#vacantSince >= RIVAL_PATIENCE_MS)
      this.#rivalTakesLease();
    // A member that streams from us is where we are.
    const { data } = this.host;
    if (this.isOurs && this.host.acceptsWrites && data !== undefined) this.#bravoEnd = data.end;
  }

  #greet(): void {
    const { process, leaseId, deadline, suspended } = this.host;
    const incarnation = this.#incarnation;
    this.#tell({ kind: 'guard-hello', incarnation, process, leaseId, deadline, suspended });
  }

  #restartLoop(): void {
    this.#incarnation += 1;
    this.#inbox = [];
    this.#frozenUntil = 0;
    const { state } = this.member;
    const fresh = newMember(this.weather, this.#run);
    this.member = new PlayedMember({
      ...fresh,
      self: state.self,
      policy: state.policy,
      now: this.now,
    });
    this.#greet();
  }

  #setPause(pause: boolean): void {
    if (this.store.snapshot.config === undefined) return;
    this.store.put('config', pause ? { pause } : {});
    this.#announce();
  }

  #ask(request: LocalRequest): void {
    this.#tellLater({ kind: 'request', request });
  }

  #suffer(mishap: Mishap): void {
    if (this.#ended) return;
    const { state } = this.member;
    const mishaps: { readonly [K in Mishap]: () => void } = {
      'server-crashes': () => this.#exit(this.host.crash()),
      'rival-takes-lease': () => this.#rivalTakesLease(),
      'rival-gives-lease-back': () => this.#rivalGivesLeaseBack(),
      'rival-hands-over': () => this.#rivalHandsOver(),
      'switchover-is-asked': () => {
        this.store.put('failover', { leader: ALPHA, member: BRAVO });
        this.#announce();
      },
      'pause-is-asked': () => this.#setPause(true),
      'resume-is-asked': () => this.#setPause(false),
      'pause-and-long-outage': () => {
        this.#setPause(true);
        this.#later(PAUSE_BEFORE_OUTAGE_MS, () => {
          this.#outUntil = this.now + LONG_OUTAGE_MS;
        });
      },
      'restart-is-asked': () => this.#ask({ kind: 'restart', id: '1', limitMs: undefined }),
      'reinitialize-is-asked': () => this.#ask({ kind: 'reinitialize', id: '2' }),
      'wal-is-written': () => {
        this.host.write(4_096);
        if (this.#draw([true, false], true) && this.host.data !== undefined && this.isOurs)
          this.#bravoEnd = this.host.data.end;
      },
      'loop-is-frozen': () => {
        this.#frozenUntil = this.now + FREEZE_MS;
        this.#later(FREEZE_MS, () => {
          if (this.now >= this.#frozenUntil) this.#thaw();
        });
      },
      'loop-dies': () => this.#restartLoop(),
      'agent-dies': () => {
        // PostgreSQL dies with its guard; the next run of the agent knows of no lease.
        this.host.fence();
        this.host.leaseId = undefined;
        this.#run += 1;
        this.#restartLoop();
      },
      'store-is-out': () => {
        this.#outUntil = this.now + OUTAGE_MS;
      },
      'policy-changes': () =>
        this.#tell({
          kind: 'policy-changed',
          policy: { ...state.policy, serverConfigVersion: 'v2' },
        }),
      'ttl-changes': () => {
        const ttlMs = state.policy.ttlMs === TTL_MS ? OTHER_TTL_MS : TTL_MS;
        this.#tell({ kind: 'policy-changed', policy: { ...state.policy, ttlMs } });
      },
      'tags-change': () =>
        this.#tell({ kind: 'tags-changed', tags: { ...defaultTags, failoverPriority: 2 } }),
      'server-looks-changed': () => this.#tell({ kind: 'server-changed' }),
    };
    this.#enterHost();
    mishaps[mishap]();
  }
}
