/**
 * What an error of gRPC or etcd means for a call: whether the store may have carried it out, and
 * what to do next. Texts and codes as etcd 3.4 and 3.5 send them.
 */
import { status } from '@grpc/grpc-js';
import { describe, expect, it } from 'vitest';
import { type AttemptFailure, judgeCallError } from './attempt-failure.ts';

const ENDPOINT = 'http://127.0.0.1:2379';

type Row = readonly [AttemptFailure['effect'], AttemptFailure['remedy'], status, string];

const rows: readonly Row[] = [
  // Proposed and then not heard of again: the proposal may still be applied.
  ['possible', 'elsewhere', status.UNAVAILABLE, 'etcdserver: request timed out'],
  ['possible', 'elsewhere', status.UNAVAILABLE, 'etcdserver: leader changed'],
  ['possible', 'elsewhere', status.UNAVAILABLE, 'etcdserver: server stopped'],
  ['possible', 'elsewhere', status.UNAVAILABLE, 'Connection dropped'],
  ['possible', 'elsewhere', status.DEADLINE_EXCEEDED, 'context deadline exceeded'],
  ['possible', 'elsewhere', status.CANCELLED, 'context canceled'],
  ['possible', 'elsewhere', status.UNKNOWN, 'lease: not a primary lessor'],
  ['possible', 'elsewhere', status.INTERNAL, 'Response message parsing error'],
  ['possible', 'elsewhere', status.UNIMPLEMENTED, 'No message received'],
  // The code of a refusal, but from our own side, after the store has acted.
  ['possible', 'elsewhere', status.RESOURCE_EXHAUSTED, 'Received message larger than max'],
  ['possible', 'elsewhere', status.NOT_FOUND, 'a proxy answered 404'],
  // Refused before it was proposed.
  ['none', 'elsewhere', status.UNAVAILABLE, 'etcdserver: no leader'],
  ['none', 'elsewhere', status.RESOURCE_EXHAUSTED, 'etcdserver: too many requests'],
  // Judged and refused.
  ['none', 'none', status.NOT_FOUND, 'etcdserver: requested lease not found'],
  ['none', 'none', status.PERMISSION_DENIED, 'etcdserver: permission denied'],
  ['none', 'none', status.RESOURCE_EXHAUSTED, 'etcdserver: mvcc: database space exceeded'],
  ['none', 'none', status.INVALID_ARGUMENT, 'etcdserver: duplicate key given in txn request'],
  // A new token may help.
  ['none', 'authenticate', status.UNAUTHENTICATED, 'etcdserver: invalid auth token'],
  ['none', 'authenticate', status.INVALID_ARGUMENT, 'etcdserver: user name is empty'],
];

describe('an error of a call that may have been sent', () => {
  for (const [effect, remedy, code, details] of rows) {
    it(`has the effect "${effect}" and the remedy "${remedy}": ${code} ${details}`, () => {
      expect(judgeCallError(ENDPOINT, { code, details })).toMatchObject({ effect, remedy });
    });
  }

  it('names the member and what it said', () => {
    const error = { code: status.UNAVAILABLE, details: 'etcdserver: request timed out' };
    const { cause } = judgeCallError(ENDPOINT, error);
    expect(cause).toBe(`${ENDPOINT} answered: etcdserver: request timed out (gRPC code 14)`);
  });

  it('gives a lost lease the cause that the loop knows', () => {
    const error = { code: status.NOT_FOUND, details: 'etcdserver: requested lease not found' };
    expect(judgeCallError(ENDPOINT, error).cause).toBe('lease-not-found');
  });
});
