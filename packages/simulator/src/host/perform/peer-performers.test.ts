/** Whoever answers after the time limit has not answered. */
import { type OperationAnswer, type LeaseTerm, memberName } from '@matriarch/core';
import { expect, it } from 'vitest';
import { askPromises } from './peer-performers.ts';
import type { Performing, Result } from './performer.ts';

const LIMIT_MS = 500;

it('an answer that comes after the limit changes nothing that was told', () => {
  const deliver = (task: () => void): void => task();
  let pass = (): void => undefined;
  let reply = (_said: Omit<OperationAnswer, 'id'>): void => undefined;
  const asked = {
    process: { deliver },
    request: (_request: unknown, answer: typeof reply) => {
      reply = answer;
    },
  };
  const performing = {
    host: { name: 'anna' },
    loop: {
      process: {
        deliver,
        after: (_ms: number, task: () => void) => {
          pass = task;
        },
      },
    },
    world: {
      kernel: { now: 0 },
      hosts: new Map([['bert', { name: 'bert', guard: { loop: asked } }]]),
      network: { send: (_path: unknown, task: () => void) => task() },
    },
  } as unknown as Performing;
  const told: Result<'ask-promises'>[] = [];
  const members = [memberName('bert')];
  const action = { kind: 'ask-promises', members, term: 4 as LeaseTerm, ttlMs: 1_000 } as const;
  askPromises(performing, { ...action, limitMs: LIMIT_MS }, (result) => told.push(result));
  pass();
  reply({ kind: 'done', because: 'Accepted' });
  const silent = { kind: 'no-answer', cause: `no answer within ${LIMIT_MS} ms` };
  expect(told).toEqual([{ kind: 'done', given: { bert: silent } }]);
});
