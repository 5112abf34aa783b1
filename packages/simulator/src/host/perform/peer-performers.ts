/** What members ask each other, over the network, and each answers by its own loop. */
import type { OperationAnswer, PeerAnswer, PromiseAnswer, PromiseRequest } from '@matriarch/core';
import { type MemberName, assemblePeerAnswer, memberName } from '@matriarch/core';
import type { LoopProcess } from '../loop-process.ts';
import type { SimHost } from '../sim-host.ts';
import { PROBE_LIMIT_MS, observeServer } from './look-performers.ts';
import { type Performer, type Performing, failed } from './performer.ts';

interface Question<T> {
  readonly members: readonly MemberName[];
  readonly limitMs: number;
  /** Runs in the loop of each member that hears of it. */
  readonly hear: (asked: LoopProcess, peer: SimHost, answer: (said: T) => void) => void;
}

type Silence = Extract<PeerAnswer & PromiseAnswer, { readonly kind: 'no-answer' }>;

/** Asks all at once; over when the last one has answered, or after the limit. */
const askAll = <T>(
  { host, loop, world }: Performing,
  { members, limitMs, hear }: Question<T>,
  done: (answers: Record<string, T | Silence>) => void,
): void => {
  const answers: Record<string, T | Silence> = {};
  let missing = members.length;
  let isOver = false;
  const finish = (): void => {
    if (isOver) return;
    isOver = true;
    for (const member of members)
      answers[member] ??= { kind: 'no-answer', cause: `no answer within ${limitMs} ms` };
    done(answers);
  };
  loop.process.after(members.length === 0 ? 0.1 : limitMs, finish);
  for (const member of members) {
    const peer = world.hosts.get(member);
    if (peer === undefined) continue;
    const hearBack = (said: T): void => {
      if (isOver) return;
      answers[member] = said;
      missing -= 1;
      if (missing === 0) finish();
    };
    const goesBack = (said: T): void => {
      world.network.send({ from: member, to: host.name }, () =>
        loop.process.deliver(() => hearBack(said)),
      );
    };
    world.network.send({ from: host.name, to: member }, () => {
      const asked = peer.guard?.loop;
      asked?.process.deliver(() => hear(asked, peer, goesBack));
    });
  }
};

interface Asked {
  readonly members: readonly MemberName[];
  readonly limitMs: number;
}

/** Each answers after a fresh look at its server. */
const askPositions = (
  performing: Performing,
  { members, limitMs }: Asked,
  answer: (result: { kind: 'done'; answers: Record<string, PeerAnswer> }) => void,
): void => {
  const { random } = performing.world;
  const hear: Question<PeerAnswer>['hear'] = (asked, peer, say) => {
    const isFrozen = peer.postgres.running?.postmaster === 'frozen';
    const lookMs = isFrozen ? PROBE_LIMIT_MS : random.between(0.5, 3);
    asked.process.after(lookMs, () => {
      const now = peer.machine.read();
      const probe = { value: observeServer(peer), at: now };
      say(assemblePeerAnswer({ ...asked.state, now, probe }));
    });
  };
  askAll(performing, { members, limitMs, hear }, (answers) => answer({ kind: 'done', answers }));
};

export const askPeers: Performer<'ask-peers'> = askPositions;

export const askHeld: Performer<'ask-held'> = askPositions;

/** Each answers once its promise is on disk. */
export const askPromises: Performer<'ask-promises'> = (performing, action, answer) => {
  const { host, world } = performing;
  const { members, limitMs, term, ttlMs } = action;
  const askedAt = world.kernel.now;
  const hear: Question<PromiseAnswer>['hear'] = (asked, peer, say) => {
    const id = `${host.name} ${askedAt} ${peer.name}`;
    const from = memberName(host.name);
    const request: PromiseRequest = { kind: 'promise', id, from, term, ttlMs };
    asked.request(request, (given) => say(meaningOf(given)));
  };
  askAll(performing, { members, limitMs, hear }, (given) => answer({ kind: 'done', given }));
};

const meaningOf = ({ kind, because }: OperationAnswer): PromiseAnswer => {
  switch (kind) {
    case 'done':
      return { kind: 'promised' };
    case 'refused':
      return { kind: 'refused', because };
    case 'failed':
      return { kind: 'no-answer', cause: because };
  }
};

/** On disk from the moment on in which it is written; a loop that dies before has not answered. */
export const keepPromise: Performer<'keep-promise'> = ({ loop, host, world }, action, answer) => {
  const { random, hostPace } = world;
  loop.process.after(random.between(0.5, 5) + random.tail(1, 100), () => {
    if (random.chance(hostPace.jobFailRate / 4)) return answer(failed('the disk did not do it'));
    host.postgres.disk.promise = { ...action.promise, boot: host.machine.boots };
    world.see({ kind: 'promise-kept', host: host.name, to: action.promise.to ?? '' });
    answer({ kind: 'done' });
  });
};
