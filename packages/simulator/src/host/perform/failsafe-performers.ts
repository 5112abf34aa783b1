import type { OperationAnswer, PromiseAnswer, PromiseRequest } from '@matriarch/core';
import { memberName } from '@matriarch/core';
import { type Performer, type Performing, failed } from './performer.ts';

/** Each request over the network, answered by the other loop once its promise is on disk. */
export const askPromises: Performer<'ask-promises'> = (performing, action, answer) => {
  const { loop, host } = performing;
  const { members, limitMs, term, ttlMs } = action;
  const given: Record<string, PromiseAnswer> = {};
  let missing = members.length;
  let isOver = false;
  const finish = (): void => {
    if (isOver) return;
    isOver = true;
    for (const member of members)
      given[member] ??= { kind: 'no-answer', cause: `no answer within ${limitMs} ms` };
    answer({ kind: 'done', given });
  };
  loop.process.after(members.length === 0 ? 0.1 : limitMs, finish);
  for (const member of members) {
    const id = `${host.name} ${loop.host.world.kernel.now} ${member}`;
    const request: PromiseRequest = {
      kind: 'promise',
      id,
      from: memberName(host.name),
      term,
      ttlMs,
    };
    askMember(performing, { member, request }, (one) => {
      given[member] = one;
      missing -= 1;
      if (missing === 0) finish();
    });
  }
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

const askMember = (
  { host, loop, world }: Performing,
  { member, request }: { readonly member: string; readonly request: PromiseRequest },
  answer: (given: PromiseAnswer) => void,
): void => {
  const peer = world.hosts.get(member);
  const { network } = world;
  if (peer === undefined) return;
  network.send({ from: host.name, to: member }, () => {
    const asked = peer.guard?.loop;
    asked?.process.deliver(() =>
      asked.request(request, (given) =>
        network.send({ from: member, to: host.name }, () =>
          loop.process.deliver(() => answer(meaningOf(given))),
        ),
      ),
    );
  });
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
