/**
 * Shows the guard's decisions one by one: what it takes and refuses, what it does at the deadline,
 * and the orders of events in which a hole could be. Plays inputs to the pure step, no processes.
 */
import { describe, expect, it } from 'vitest';
import { FENCE_RETRY_MS } from './guard-draft.ts';
import { DEADLINE_AHEAD_MAX_MS, LOOP_LEAVE_LIMIT_MS } from './guard-requests.ts';
import { mayAcceptWrites } from './guard-state.ts';
import {
  IMMEDIATE_LIMIT_MS,
  LOOP_RESTART_MAX_MS,
  LOOP_RESTART_MS,
  LOOP_SETTLED_MS,
  LOOP_SILENCE_LIMIT_MS,
  OWN_STOP_LIMIT_MS,
} from './guard-step.ts';
import {
  DATA,
  LEASE,
  OTHER_LEASE,
  createBenchWithLoop,
  createBenchWithServer,
  extension,
  fenceOf,
  kindsOf,
  launchOf,
  sentBy,
  startOf,
} from './testing/guard-bench.ts';

const exitOf = (code: number | null, signal: string | null = null) =>
  ({ kind: 'server-exited', pid: 100, code, signal }) as const;

const fenceEffect = (pid: number | undefined) => ({ kind: 'fence', pid, dataDirectory: DATA });

describe('mayAcceptWrites', () => {
  const running = { kind: 'running', pid: 1, promoted: false } as const;

  it('holds for a primary, an adopted server and a promoted standby, and for nothing else', () => {
    expect(mayAcceptWrites({ ...running, startedAs: 'primary' })).toBe(true);
    expect(mayAcceptWrites({ ...running, startedAs: 'adopted' })).toBe(true);
    expect(mayAcceptWrites({ ...running, startedAs: 'standby', promoted: true })).toBe(true);
    expect(mayAcceptWrites({ ...running, startedAs: 'standby' })).toBe(false);
    expect(mayAcceptWrites({ ...running, startedAs: 'private' })).toBe(false);
    expect(mayAcceptWrites({ kind: 'none', silent: false })).toBe(false);
    expect(mayAcceptWrites({ kind: 'unknown' })).toBe(false);
  });
});

describe('the deadline', () => {
  it('is acknowledged as it then stands, and only moves on', () => {
    const bench = createBenchWithLoop();
    expect(sentBy(bench.say(extension(1, 500)))).toEqual([
      { kind: 'deadline', id: 1, deadline: 500 },
    ]);
    expect(sentBy(bench.say(extension(2, 400)))).toEqual([
      { kind: 'deadline', id: 2, deadline: 500 },
    ]);
    bench.at(600);
    expect(sentBy(bench.say(extension(3, 600)))).toEqual([
      { kind: 'deadline', id: 3, deadline: 500 },
    ]);
    expect(sentBy(bench.say(extension(4, 601)))).toEqual([
      { kind: 'deadline', id: 4, deadline: 601 },
    ]);
  });

  it('of another lease counts as it is, also when it is earlier', () => {
    const bench = createBenchWithServer('primary');
    bench.say(extension(3, 700, OTHER_LEASE));
    expect(bench.state).toMatchObject({ deadline: 700, leaseId: OTHER_LEASE });
    bench.at(700);
    expect(bench.play({ kind: 'tick' })).toEqual([fenceEffect(100)]);
  });

  it('of another clock, or none at all, is refused', () => {
    const bench = createBenchWithLoop();
    for (const deadline of [Number.NaN, Number.POSITIVE_INFINITY, DEADLINE_AHEAD_MAX_MS + 1, -1])
      bench.say(extension(1, deadline));
    expect(bench.state.deadline).toBeUndefined();
    bench.say(extension(1, DEADLINE_AHEAD_MAX_MS));
    expect(bench.state.deadline).toBe(DEADLINE_AHEAD_MAX_MS);
  });

  it('fences a primary when it passes, and not before', () => {
    const bench = createBenchWithServer('primary');
    expect(bench.wakeAt).toBe(1_000);
    bench.at(999);
    expect(bench.play({ kind: 'tick' })).toEqual([]);
    bench.at(1_000);
    expect(bench.play({ kind: 'tick' })).toEqual([fenceEffect(100)]);
    expect(bench.play({ kind: 'tick' })).toEqual([]);
    expect(sentBy(bench.play({ kind: 'fence-finished', silent: true }))).toMatchObject([
      { kind: 'server-exited', exit: { pid: 100, signal: 'SIGKILL' } },
      { kind: 'guard-fenced', silent: true },
    ]);
    expect(bench.state).toMatchObject({
      process: { kind: 'none', silent: true },
      deadline: undefined,
      leaseId: LEASE,
    });
  });

  it('is suspended for a running primary when the loop says so in time', () => {
    const bench = createBenchWithServer('primary');
    bench.at(999);
    expect(sentBy(bench.say({ kind: 'suspend', id: 7, on: true, leaseId: LEASE }))).toEqual([
      { kind: 'suspended', id: 7, on: true },
    ]);
    bench.at(60_000);
    expect(kindsOf(bench.play({ kind: 'tick' }))).not.toContain('fence');
    // The next loop hears of it.
    bench.play({ kind: 'loop-exited', incarnation: bench.state.incarnation, status: null });
    bench.at(120_000);
    expect(sentBy(bench.play({ kind: 'tick' }))).toMatchObject([
      { kind: 'hello', suspended: true, deadline: 1_000 },
    ]);
    // Taken back, what has passed counts at once.
    expect(kindsOf(bench.say({ kind: 'suspend', id: 1, on: false, leaseId: LEASE }))).toEqual([
      'send',
      'fence',
    ]);
  });

  it('is not suspended late, for another lease, or for a server that is to end', () => {
    const suspend = { kind: 'suspend', id: 7, on: true, leaseId: LEASE } as const;
    const refused = [{ kind: 'suspended', id: 7, on: false }];
    const other = createBenchWithServer('primary');
    expect(sentBy(other.say({ ...suspend, leaseId: OTHER_LEASE }))).toEqual(refused);
    const standby = createBenchWithServer('standby');
    expect(sentBy(standby.say(suspend))).toEqual(refused);
    const stopping = createBenchWithServer('primary');
    stopping.say({ kind: 'stop', id: 6, mode: 'fast', limitMs: 5_000 });
    expect(sentBy(stopping.say(suspend))).toEqual(refused);
    const late = createBenchWithServer('primary');
    late.at(1_000);
    expect(sentBy(late.say(suspend))).toContainEqual(refused[0]);
    expect(late.state.fencing).toBeDefined();
  });

  it('counts again for what a suspended server leaves behind, and for its successor', () => {
    const bench = createBenchWithServer('primary');
    bench.say({ kind: 'suspend', id: 7, on: true, leaseId: LEASE });
    bench.at(60_000);
    expect(kindsOf(bench.play(exitOf(null, 'SIGKILL')))).toContain('fence');
    expect(bench.state.suspended).toBe(false);
    bench.play({ kind: 'fence-finished', silent: true });
    expect(sentBy(bench.say(startOf(8, 'primary')))).toMatchObject([{ kind: 'refused' }]);
  });

  it('leaves an unpromoted standby and a private server alone', () => {
    for (const as of ['standby', 'private'] as const) {
      const bench = createBenchWithServer(as);
      bench.at(5_000);
      expect(bench.play({ kind: 'tick' })).toEqual([]);
    }
  });

  it('that passed is not saved by an extension that comes late', () => {
    const bench = createBenchWithServer('primary');
    bench.at(1_001);
    const effects = bench.say(extension(3, 9_000));
    expect(effects).toContainEqual(fenceEffect(100));
    expect(sentBy(effects)).toEqual([{ kind: 'deadline', id: 3, deadline: 1_000 }]);
  });

  it('is not moved while a fence is under way or waits for its next attempt', () => {
    const bench = createBenchWithServer('primary');
    bench.say(fenceOf(3));
    bench.say(extension(4, 9_000));
    bench.play({ kind: 'fence-finished', silent: false });
    bench.say(extension(5, 9_000));
    expect(bench.state.deadline).toBe(1_000);
  });

  it('ends what a dead postmaster left behind, loop or no loop', () => {
    const bench = createBenchWithServer('primary');
    bench.play(exitOf(null, 'SIGKILL'));
    bench.play({ kind: 'loop-exited', incarnation: 1, status: null });
    expect(bench.wakeAt).toBe(LOOP_RESTART_MS);
    bench.at(1_000);
    expect(bench.play({ kind: 'tick' })).toContainEqual(fenceEffect(undefined));
  });

  it('that passes while the server is being started fences it as soon as it is there', () => {
    const bench = createBenchWithLoop();
    bench.say(extension(1, 1_000));
    bench.say(startOf(2, 'primary'));
    bench.at(1_500);
    expect(bench.play({ kind: 'server-spawned', pid: 100 })).toContainEqual(fenceEffect(100));
  });
});

describe('a start', () => {
  it('as primary needs a deadline that has not passed', () => {
    const bench = createBenchWithLoop();
    expect(sentBy(bench.say(startOf(1, 'primary')))[0]).toMatchObject({ kind: 'refused', id: 1 });
    bench.say(extension(2, 1_000));
    bench.at(1_000);
    expect(sentBy(bench.say(startOf(3, 'primary')))[0]).toMatchObject({ kind: 'refused', id: 3 });
    expect(kindsOf(bench.say(startOf(4, 'standby')))).toEqual(['spawn-server']);
  });

  it('is answered with the pid, or with why there is none', () => {
    const bench = createBenchWithLoop();
    bench.say(startOf(1, 'standby'));
    expect(sentBy(bench.play({ kind: 'server-not-spawned', cause: 'no such file' }))).toEqual([
      { kind: 'refused', id: 1, cause: 'no such file' },
    ]);
    bench.say(startOf(2, 'standby'));
    expect(sentBy(bench.play({ kind: 'server-spawned', pid: 7 }))).toEqual([
      { kind: 'started', id: 2, pid: 7 },
    ]);
  });

  it('is refused while a server runs, is started or is fenced', () => {
    const bench = createBenchWithServer('standby');
    expect(sentBy(bench.say(startOf(3, 'standby')))[0]).toMatchObject({ kind: 'refused' });
    bench.say(fenceOf(4));
    bench.play({ kind: 'fence-finished', silent: false });
    bench.play(exitOf(null, 'SIGKILL'));
    expect(sentBy(bench.say(startOf(5, 'standby')))[0]).toMatchObject({ kind: 'refused' });
    bench.at(FENCE_RETRY_MS);
    bench.play({ kind: 'tick' });
    bench.play({ kind: 'fence-finished', silent: true });
    bench.say(startOf(6, 'standby'));
    expect(sentBy(bench.say(startOf(7, 'standby')))[0]).toMatchObject({ kind: 'refused' });
  });

  it('in another data directory waits until the first one was seen silent', () => {
    const bench = createBenchWithServer('standby');
    bench.play(exitOf(1));
    const elsewhere = { kind: 'start', id: 3, as: 'standby', launch: launchOf('/b') } as const;
    expect(sentBy(bench.say(elsewhere))[0]).toMatchObject({ kind: 'refused' });
    expect(sentBy(bench.say(fenceOf(4, '/b')))[0]).toMatchObject({ kind: 'refused' });
    bench.say(fenceOf(5));
    bench.play({ kind: 'fence-finished', silent: true });
    expect(kindsOf(bench.say(elsewhere))).toEqual(['spawn-server']);
  });
});

describe('a promotion', () => {
  it('needs a running server and a deadline that has not passed', () => {
    const bench = createBenchWithLoop();
    expect(sentBy(bench.say({ kind: 'promote', id: 1 }))[0]).toMatchObject({ kind: 'refused' });
    const standby = createBenchWithServer('standby');
    expect(standby.say({ kind: 'promote', id: 3 })).toEqual([
      { kind: 'promote-server', pid: 100, dataDirectory: DATA },
      { kind: 'send', message: { kind: 'done', id: 3 } },
    ]);
    const late = createBenchWithServer('standby');
    late.at(1_000);
    expect(sentBy(late.say({ kind: 'promote', id: 3 }))[0]).toMatchObject({ kind: 'refused' });
  });

  it('makes the deadline count', () => {
    const bench = createBenchWithServer('standby');
    bench.say({ kind: 'promote', id: 3 });
    bench.at(1_000);
    expect(bench.play({ kind: 'tick' })).toEqual([fenceEffect(100)]);
  });

  it('is refused while the server is being stopped or fenced', () => {
    const stopping = createBenchWithServer('standby');
    stopping.say({ kind: 'stop', id: 3, mode: 'fast', limitMs: 100 });
    expect(sentBy(stopping.say({ kind: 'promote', id: 4 }))[0]).toMatchObject({ kind: 'refused' });
    const fenced = createBenchWithServer('standby');
    fenced.say(fenceOf(3));
    expect(sentBy(fenced.say({ kind: 'promote', id: 4 }))[0]).toMatchObject({ kind: 'refused' });
  });
});

describe('an adopted server', () => {
  const adopt = (id: number) => ({ kind: 'adopt', id, pid: 100, dataDirectory: DATA }) as const;

  it('is watched, and goes on without a deadline until one was given', () => {
    const bench = createBenchWithLoop();
    expect(bench.say(adopt(1))).toEqual([
      { kind: 'watch-process', pid: 100, dataDirectory: DATA },
      { kind: 'send', message: { kind: 'done', id: 1 } },
    ]);
    bench.at(5_000);
    expect(bench.play({ kind: 'tick' })).toEqual([]);
    bench.say(extension(2, 6_000));
    bench.at(6_000);
    expect(bench.play({ kind: 'tick' })).toEqual([fenceEffect(100)]);
  });

  it('does not inherit a deadline that passed before', () => {
    const bench = createBenchWithLoop();
    bench.say(extension(1, 1_000));
    bench.at(2_000);
    bench.say(adopt(2));
    expect(bench.state.deadline).toBeUndefined();
    expect(bench.play({ kind: 'tick' })).toEqual([]);
  });

  it('is left as it was found when the guard ends and it never had a deadline', () => {
    const bench = createBenchWithLoop();
    bench.say(adopt(1));
    expect(kindsOf(bench.say({ kind: 'leave', id: 2, status: 3 }))).toEqual(['send']);
    expect(bench.play({ kind: 'loop-exited', incarnation: 1, status: 3 })).toEqual([
      { kind: 'exit', status: 3 },
    ]);
  });

  it('is fenced when the guard ends and it had a deadline', () => {
    const bench = createBenchWithLoop();
    bench.say(adopt(1));
    bench.say(extension(2, 1_000));
    expect(bench.say({ kind: 'leave', id: 3, status: 3 })).toContainEqual(fenceEffect(100));
  });

  it('is refused beside a running one', () => {
    const bench = createBenchWithServer('standby');
    expect(sentBy(bench.say(adopt(3)))[0]).toMatchObject({ kind: 'refused', id: 3 });
  });
});

describe('a stop', () => {
  const stop = (id: number, mode: 'fast' | 'immediate', limitMs: number) =>
    ({ kind: 'stop', id, mode, limitMs }) as const;

  it('is answered when the server has ended', () => {
    const bench = createBenchWithServer('primary');
    expect(bench.say(stop(3, 'fast', 500))).toEqual([
      { kind: 'signal-server', pid: 100, signal: 'SIGINT' },
    ]);
    expect(sentBy(bench.play(exitOf(0)))).toEqual([
      {
        kind: 'server-exited',
        exit: { pid: 100, startedAs: 'primary', promoted: false, code: 0, signal: null },
      },
      { kind: 'stopped', id: 3, mode: 'fast' },
    ]);
  });

  it('is not called fast when the server crashed in it or was not there', () => {
    const crashed = createBenchWithServer('primary');
    crashed.say(stop(3, 'fast', 500));
    expect(sentBy(crashed.play(exitOf(null, 'SIGSEGV')))).toContainEqual({
      kind: 'stopped',
      id: 3,
      mode: 'immediate',
    });
    const absent = createBenchWithLoop();
    expect(sentBy(absent.say(stop(1, 'fast', 500)))).toEqual([
      { kind: 'stopped', id: 1, mode: 'immediate' },
    ]);
  });

  it('gets harder means after its limit: fast, immediate, fence', () => {
    const bench = createBenchWithServer('standby');
    bench.say(stop(3, 'fast', 500));
    bench.at(500);
    expect(bench.play({ kind: 'tick' })).toEqual([
      { kind: 'signal-server', pid: 100, signal: 'SIGQUIT' },
    ]);
    bench.at(500 + IMMEDIATE_LIMIT_MS);
    expect(bench.play({ kind: 'tick' })).toEqual([fenceEffect(100)]);
    expect(sentBy(bench.play({ kind: 'fence-finished', silent: true }))).toMatchObject([
      { kind: 'server-exited' },
      { kind: 'stopped', id: 3, mode: 'immediate' },
      { kind: 'guard-fenced', silent: true },
    ]);
  });

  it('asked twice answers both and never gives more time', () => {
    const bench = createBenchWithServer('standby');
    bench.say(stop(3, 'fast', 300));
    expect(bench.say(stop(4, 'fast', 9_000))).toEqual([]);
    expect(bench.state.stopping?.harderAt).toBe(300);
    expect(bench.say(stop(5, 'immediate', 200))).toEqual([
      { kind: 'signal-server', pid: 100, signal: 'SIGQUIT' },
    ]);
    expect(bench.state.stopping?.harderAt).toBe(200);
    const answers = sentBy(bench.play(exitOf(2))).filter(({ kind }) => kind === 'stopped');
    expect(answers.map((answer) => 'id' in answer && answer.id)).toEqual([3, 4, 5]);
  });

  it('overtaken by a fence is never called fast', () => {
    for (const last of [exitOf(0), { kind: 'fence-finished', silent: true }] as const) {
      const bench = createBenchWithServer('primary');
      bench.say(stop(3, 'fast', 5_000));
      bench.at(1_000);
      expect(bench.play({ kind: 'tick' })).toEqual([fenceEffect(100)]);
      expect(sentBy(bench.play(last))).toContainEqual({
        kind: 'stopped',
        id: 3,
        mode: 'immediate',
      });
    }
  });

  it('goes on when its loop dies, and its answer does not reach the next loop', () => {
    const bench = createBenchWithServer('standby');
    bench.say(stop(3, 'fast', 5_000));
    bench.play({ kind: 'loop-exited', incarnation: 1, status: null });
    bench.at(LOOP_RESTART_MS);
    expect(kindsOf(bench.play({ kind: 'tick' }))).toEqual(['start-loop', 'send']);
    expect(sentBy(bench.play(exitOf(0))).map(({ kind }) => kind)).toEqual(['server-exited']);
  });

  it('is refused while a start is under way', () => {
    const bench = createBenchWithLoop();
    bench.say(startOf(1, 'standby'));
    expect(sentBy(bench.say(stop(2, 'fast', 10)))[0]).toMatchObject({ kind: 'refused', id: 2 });
  });
});

describe('a fence', () => {
  it('is answered to whoever asked; a second one joins the first', () => {
    const bench = createBenchWithServer('standby');
    expect(bench.say(fenceOf(3))).toEqual([fenceEffect(100)]);
    expect(bench.say(fenceOf(4))).toEqual([]);
    expect(sentBy(bench.play({ kind: 'fence-finished', silent: true }))).toMatchObject([
      { kind: 'server-exited' },
      { kind: 'fenced', id: 3, silent: true },
      { kind: 'fenced', id: 4, silent: true },
    ]);
  });

  it('tells the end of the postmaster once and first, whichever is seen first', () => {
    const exitFirst = createBenchWithServer('primary');
    exitFirst.say(fenceOf(3));
    const silenceFirst = createBenchWithServer('primary');
    silenceFirst.say(fenceOf(3));
    const silence = { kind: 'fence-finished', silent: true } as const;
    const exit = exitOf(null, 'SIGKILL');
    const news = [...exitFirst.play(exit), ...exitFirst.play(silence)];
    expect([...silenceFirst.play(silence), ...silenceFirst.play(exit)]).toEqual(news);
    const told = { pid: 100, startedAs: 'primary', promoted: false, code: null };
    expect(sentBy(news)).toEqual([
      { kind: 'server-exited', exit: { ...told, signal: 'SIGKILL' } },
      { kind: 'fenced', id: 3, silent: true },
    ]);
    expect(exitFirst.state).toEqual(silenceFirst.state);
  });

  it('that does not reach silence says so, and is tried again until it does', () => {
    const bench = createBenchWithServer('primary');
    bench.say(fenceOf(3));
    bench.play(exitOf(null, 'SIGKILL'));
    expect(sentBy(bench.play({ kind: 'fence-finished', silent: false }))).toEqual([
      { kind: 'fenced', id: 3, silent: false },
    ]);
    expect(bench.wakeAt).toBe(FENCE_RETRY_MS);
    bench.at(FENCE_RETRY_MS);
    expect(bench.play({ kind: 'tick' })).toEqual([fenceEffect(undefined)]);
    expect(sentBy(bench.play({ kind: 'fence-finished', silent: true }))).toEqual([
      { kind: 'guard-fenced', silent: true },
    ]);
  });

  it('is repeated for a server that came to be during it', () => {
    const bench = createBenchWithLoop();
    bench.say(startOf(1, 'standby'));
    expect(bench.say(fenceOf(2))).toEqual([fenceEffect(undefined)]);
    bench.play({ kind: 'server-spawned', pid: 100 });
    expect(bench.play({ kind: 'fence-finished', silent: true })).toEqual([fenceEffect(100)]);
    expect(sentBy(bench.play({ kind: 'fence-finished', silent: true }))).toMatchObject([
      { kind: 'server-exited' },
      { kind: 'fenced', id: 2, silent: true },
    ]);
  });

  it('is repeated for a server that came to be only after it', () => {
    const bench = createBenchWithLoop();
    bench.say(startOf(1, 'standby'));
    bench.say(fenceOf(2));
    expect(bench.play({ kind: 'fence-finished', silent: true })).toEqual([]);
    bench.play({ kind: 'server-spawned', pid: 100 });
    bench.at(FENCE_RETRY_MS);
    expect(bench.play({ kind: 'tick' })).toEqual([fenceEffect(100)]);
  });

  it('asked by a loop that died is told to the next one as the guard’s own', () => {
    const bench = createBenchWithServer('standby');
    bench.say(fenceOf(3));
    bench.play({ kind: 'loop-exited', incarnation: 1, status: null });
    bench.at(LOOP_RESTART_MS);
    expect(bench.play({ kind: 'tick' })).toEqual([]);
    const effects = bench.play({ kind: 'fence-finished', silent: true });
    expect(kindsOf(effects)).toEqual(['start-loop', 'send']);
    expect(sentBy(effects)[0]).toMatchObject({
      kind: 'hello',
      process: { kind: 'none', silent: true },
    });
  });

  it('of another data directory is refused while a server runs', () => {
    const bench = createBenchWithServer('primary');
    expect(sentBy(bench.say(fenceOf(3, '/b')))[0]).toMatchObject({ kind: 'refused' });
    bench.at(1_000);
    expect(bench.play({ kind: 'tick' })).toEqual([fenceEffect(100)]);
  });
});

describe('the loop', () => {
  it('is told at its start what the guard kept', () => {
    const bench = createBenchWithServer('primary');
    bench.play({ kind: 'loop-exited', incarnation: 1, status: null });
    bench.at(LOOP_RESTART_MS);
    expect(bench.play({ kind: 'tick' })).toEqual([
      { kind: 'start-loop', incarnation: 2 },
      {
        kind: 'send',
        message: {
          kind: 'hello',
          incarnation: 2,
          process: { kind: 'running', pid: 100, startedAs: 'primary', promoted: false },
          leaseId: LEASE,
          deadline: 1_000,
        },
      },
    ]);
  });

  it('of an earlier incarnation, or one that has exited, is not heard', () => {
    const bench = createBenchWithServer('primary');
    bench.play({ kind: 'loop-exited', incarnation: 1, status: null });
    const before = bench.state;
    expect(bench.say(extension(3, 5_000))).toEqual([]);
    expect(bench.state).toBe(before);
    bench.at(LOOP_RESTART_MS);
    bench.play({ kind: 'tick' });
    const next = bench.state;
    const late = { kind: 'loop-message', incarnation: 1, message: fenceOf(9) } as const;
    expect(bench.play(late)).toEqual([]);
    bench.play({ kind: 'loop-exited', incarnation: 1, status: 0 });
    expect(bench.state).toBe(next);
  });

  it('that is silent is killed once and started anew when it is gone', () => {
    const bench = createBenchWithLoop();
    bench.at(LOOP_SILENCE_LIMIT_MS - 1);
    expect(bench.play({ kind: 'tick' })).toEqual([]);
    bench.at(LOOP_SILENCE_LIMIT_MS);
    expect(bench.play({ kind: 'tick' })).toEqual([{ kind: 'kill-loop', incarnation: 1 }]);
    expect(bench.play({ kind: 'tick' })).toEqual([]);
    bench.play({ kind: 'loop-exited', incarnation: 1, status: null });
    bench.at(LOOP_SILENCE_LIMIT_MS + LOOP_RESTART_MS);
    expect(kindsOf(bench.play({ kind: 'tick' }))).toEqual(['start-loop', 'send']);
  });

  it('that beats lives', () => {
    const bench = createBenchWithLoop();
    for (let now = 0; now <= 3 * LOOP_SILENCE_LIMIT_MS; now += 1_000) {
      bench.at(now);
      expect(bench.say({ kind: 'beat' })).toEqual([]);
    }
  });

  it('that dies again and again waits longer and longer, up to a limit', () => {
    const bench = createBenchWithLoop();
    const waits: number[] = [];
    for (let deaths = 0; deaths < 8; deaths += 1) {
      const { incarnation } = bench.state;
      bench.play({ kind: 'loop-exited', incarnation, status: 1 });
      waits.push(Number(bench.wakeAt) - bench.now);
      bench.at(Number(bench.wakeAt));
      bench.play({ kind: 'tick' });
    }
    expect(waits.slice(0, 3)).toEqual([100, 200, 400]);
    expect(waits.at(-1)).toBe(LOOP_RESTART_MAX_MS);
    bench.at(bench.now + LOOP_SETTLED_MS);
    bench.play({ kind: 'loop-exited', incarnation: bench.state.incarnation, status: 1 });
    expect(Number(bench.wakeAt) - bench.now).toBe(LOOP_RESTART_MS);
  });
});

describe('the end', () => {
  it('comes with a final status of the loop', () => {
    for (const status of [0, 2, 3]) {
      const bench = createBenchWithLoop();
      expect(bench.play({ kind: 'loop-exited', incarnation: 1, status })).toEqual([
        { kind: 'exit', status },
      ]);
      expect(bench.play({ kind: 'tick' })).toEqual([]);
      expect(bench.wakeAt).toBeUndefined();
    }
  });

  it('with a final status stops a running server in order, and then sees it silent', () => {
    const bench = createBenchWithServer('standby');
    expect(bench.play({ kind: 'loop-exited', incarnation: 1, status: 2 })).toEqual([
      { kind: 'signal-server', pid: 100, signal: 'SIGINT' },
    ]);
    expect(bench.wakeAt).toBe(OWN_STOP_LIMIT_MS);
    expect(bench.play(exitOf(0))).toEqual([fenceEffect(undefined)]);
    expect(bench.play({ kind: 'fence-finished', silent: true })).toEqual([
      { kind: 'exit', status: 2 },
    ]);
  });

  it('is waited for when the loop leaves: the server silent, the loop gone', () => {
    const bench = createBenchWithServer('primary');
    const effects = bench.say({ kind: 'leave', id: 3, status: 0 });
    expect(effects).toContainEqual(fenceEffect(100));
    expect(sentBy(effects)).toEqual([{ kind: 'done', id: 3 }]);
    bench.play({ kind: 'fence-finished', silent: true });
    expect(bench.play({ kind: 'loop-exited', incarnation: 1, status: 1 })).toEqual([
      { kind: 'exit', status: 0 },
    ]);
  });

  it('kills a loop that said it leaves and does not', () => {
    const bench = createBenchWithLoop();
    bench.say({ kind: 'leave', id: 3, status: 0 });
    for (let now = 0; now < LOOP_LEAVE_LIMIT_MS; now += 500) {
      bench.at(now);
      expect(bench.say({ kind: 'beat' })).toEqual([]);
    }
    expect(bench.wakeAt).toBe(LOOP_LEAVE_LIMIT_MS);
    bench.at(LOOP_LEAVE_LIMIT_MS);
    expect(bench.play({ kind: 'tick' })).toEqual([{ kind: 'kill-loop', incarnation: 1 }]);
    expect(bench.play({ kind: 'loop-exited', incarnation: 1, status: null })).toEqual([
      { kind: 'exit', status: 0 },
    ]);
  });

  it('lets a stop that was asked for take its course', () => {
    const bench = createBenchWithServer('standby');
    bench.say({ kind: 'stop', id: 3, mode: 'fast', limitMs: 400 });
    expect(kindsOf(bench.say({ kind: 'leave', id: 4, status: 0 }))).toEqual(['send']);
    bench.at(400);
    expect(bench.play({ kind: 'tick' })).toEqual([
      { kind: 'signal-server', pid: 100, signal: 'SIGQUIT' },
    ]);
  });

  it('after SIGTERM is the loop’s to arrange', () => {
    const bench = createBenchWithServer('primary');
    expect(bench.play({ kind: 'signal', signal: 'SIGTERM' })).toEqual([
      { kind: 'send', message: { kind: 'signal', signal: 'SIGTERM' } },
    ]);
    expect(bench.state.leaving).toBeUndefined();
  });

  it('after SIGTERM does not need a loop', () => {
    for (const order of ['signal-first', 'death-first']) {
      const bench = createBenchWithServer('primary');
      const death = { kind: 'loop-exited', incarnation: 1, status: 1 } as const;
      const signal = { kind: 'signal', signal: 'SIGTERM' } as const;
      bench.play(order === 'signal-first' ? signal : death);
      expect(bench.play(order === 'signal-first' ? death : signal)).toEqual([
        { kind: 'signal-server', pid: 100, signal: 'SIGINT' },
      ]);
      bench.play(exitOf(0));
      expect(bench.play({ kind: 'fence-finished', silent: true })).toEqual([
        { kind: 'exit', status: 1 },
      ]);
    }
  });

  it('does not come while a fence has not reached silence', () => {
    const bench = createBenchWithServer('primary');
    bench.say({ kind: 'leave', id: 3, status: 0 });
    bench.play({ kind: 'loop-exited', incarnation: 1, status: 0 });
    expect(bench.play({ kind: 'fence-finished', silent: false })).toEqual([]);
    bench.at(FENCE_RETRY_MS);
    expect(bench.play({ kind: 'tick' })).toEqual([fenceEffect(100)]);
  });

  it('fences a server that comes to be after the loop has left', () => {
    const bench = createBenchWithLoop();
    bench.say(startOf(1, 'standby'));
    bench.play({ kind: 'loop-exited', incarnation: 1, status: 0 });
    expect(bench.play({ kind: 'server-spawned', pid: 100 })).toEqual([fenceEffect(100)]);
  });
});
