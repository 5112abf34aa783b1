/**
 * Shows when a change of the names commits wait for counts as carried out: not when a connection
 * shows it, but when no process can acknowledge under earlier names, and enough standbys have all
 * that was acknowledged under them.
 */
import { describe, expect, it } from 'vitest';
import type { Outcome } from '../model/action.ts';
import { after } from '../model/instant.ts';
import { lsn } from '../model/lsn.ts';
import type { MemberName } from '../model/member.ts';
import type { ConnectedStandby, ServerAnswer } from '../model/server.ts';
import { renderSyncNames } from '../replication/sync-names.ts';
import { knownPosition } from '../model/wal-position.ts';
import { timeline } from '../model/timeline.ts';
import type { MemberState } from '../state.ts';
import { mustBuildMember } from '../testing/scene/must-build.ts';
import { holdsNames } from '../view/sync.ts';
import { absorbInput } from './absorb-input.ts';

const wanted = {
  method: 'any' as const,
  count: 1,
  names: ['bravo', 'charlie'] as unknown as MemberName[],
};
const NAMES = renderSyncNames(wanted);

const told = (armed: boolean): MemberState => {
  const member = mustBuildMember(
    `me alpha:
     policy: quorum
     store initialize:
     store leader alpha:
     lease held:
     process: running, primary
     probe: primary, at 0/5000000`.replaceAll(/^ +/gmu, ''),
  );
  return { ...member, sync: { ...member.sync, wanted, told: NAMES, armed } };
};

const under = (member: MemberState, outcome: Omit<Outcome, 'id'>, sentMs = 0): MemberState => {
  const lane = outcome.kind === 'probe-server' ? 'probe' : 'sql';
  const action = { kind: outcome.kind } as never;
  const sentAt = after(member.now, sentMs);
  const flight = { id: 1, lane, action, rule: undefined, sentAt } as const;
  const draft = { ...member, lanes: { [lane]: flight }, now: after(member.now, 10) };
  absorbInput(draft, {
    kind: 'outcome',
    outcome: { ...outcome, id: 1 } as Outcome,
    now: draft.now,
  });
  return draft;
};

const shows = (
  member: MemberState,
  senders: Readonly<Record<string, string>>,
  names = NAMES,
): MemberState =>
  under(member, {
    kind: 'show-sync-names',
    result: { kind: 'done', shown: { names, senders } },
  } as never);

const END = 0x5000000;

const standby = (name: string, [pid, replyTime]: readonly [number, string], flushed: number) =>
  ({
    pid,
    replyTime,
    applicationName: name,
    state: 'streaming',
    sentLsn: lsn(flushed),
    flushLsn: lsn(flushed),
    replayLsn: lsn(flushed),
    syncState: 'quorum',
    clientAddress: '',
  }) satisfies ConnectedStandby;

const probed = (
  member: MemberState,
  standbys: readonly ConnectedStandby[],
  { sentMs = 0, end = END }: { readonly sentMs?: number; readonly end?: number } = {},
): MemberState => {
  const before = member.probe?.value as ServerAnswer;
  const position = knownPosition({ timeline: timeline(1), lsn: lsn(end) });
  const probe = { ...before, standbys, position };
  return under(member, { kind: 'probe-server', result: { kind: 'done', probe } } as never, sentMs);
};

describe('names that PostgreSQL was told', () => {
  it('do not hold before a fresh connection has shown them', () => {
    expect(holdsNames(told(true).sync)).toBe(false);
    expect(shows(told(true), {}, 'others').sync.shown).toBeUndefined();
    expect(holdsNames(shows(told(true), {}).sync)).toBe(true);
  });

  it('do not hold before each walsender of then has taken two more answers', () => {
    let member = shows(told(true), { 7: 'a' });
    member = probed(member, [standby('bravo', [7, 'a'], END)]);
    expect(holdsNames(member.sync)).toBe(false);
    member = probed(member, [standby('bravo', [7, 'b'], END)]);
    expect(holdsNames(member.sync)).toBe(false);
    member = probed(member, [standby('bravo', [7, 'c'], END)]);
    expect(holdsNames(member.sync)).toBe(true);
  });

  it('hold when that walsender is gone, and whoever came later knows them', () => {
    const member = probed(shows(told(true), { 7: 'a' }), [standby('bravo', [8, 'a'], END)]);
    expect(holdsNames(member.sync)).toBe(true);
  });

  it('do not hold before a checkpoint was begun after they were shown, where backends had nobody to wait for', () => {
    const member = shows(told(false), {});
    expect(holdsNames(member.sync)).toBe(false);
    const done = { kind: 'checkpoint', result: { kind: 'done' } } as never;
    expect(holdsNames(under(member, done, -20).sync)).toBe(false);
    expect(holdsNames(under(member, done).sync)).toBe(true);
  });
});

describe('what was acknowledged before', () => {
  const holding = (): MemberState => shows(told(true), {});

  it('is proven to be on standbys only by a look that was begun later', () => {
    const member = holding();
    const early = probed(member, [standby('bravo', [7, 'a'], END)], { sentMs: -20 });
    expect(early.sync.proven).toBe(false);
    expect(probed(member, [standby('bravo', [7, 'a'], END)]).sync.proven).toBe(true);
  });

  it('is not proven by a standby that lacks a byte, by a stranger, or by one that only catches up', () => {
    expect(probed(holding(), [standby('bravo', [7, 'a'], END - 1)]).sync.proven).toBe(false);
    expect(probed(holding(), [standby('delta', [7, 'a'], END)]).sync.proven).toBe(false);
    const late = { ...standby('bravo', [7, 'a'], END), state: 'catchup' };
    expect(probed(holding(), [late]).sync.proven).toBe(false);
  });

  it('is compared with the end of WAL of then, not of now', () => {
    const first = probed(holding(), [standby('bravo', [7, 'a'], END - 1)]);
    expect(first.sync.holdsFrom).toBe(lsn(END));
    // By now there is more, which the standby need not have.
    const second = probed(first, [standby('bravo', [7, 'b'], END)], { end: END + 1 });
    expect(second.sync.holdsFrom).toBe(lsn(END));
    expect(second.sync.proven).toBe(true);
  });
});

it('a server that ends takes all of it with it', () => {
  const member = shows(told(true), {});
  const draft = { ...member };
  const exit = { pid: 100, startedAs: 'primary', promoted: false, code: 1, signal: null } as const;
  absorbInput(draft, { kind: 'server-exited', exit, now: member.now });
  expect(draft.sync).toMatchObject({ wanted: undefined, told: undefined, armed: false });
});
