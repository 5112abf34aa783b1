/** Shows that whole messages of a loop pass unchanged and everything else does not pass. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseLoopMessage } from './parse-loop-message.ts';

const launch = {
  command: 'postgres',
  arguments: ['-D', '/data'],
  environment: { LC_ALL: 'C' },
  dataDirectory: '/data',
  logFile: '/log',
  user: { uid: 1, gid: 1 },
};

const whole: readonly object[] = [
  { kind: 'beat' },
  { kind: 'extend', id: 1, deadline: 5, leaseId: '7' },
  { kind: 'start', id: 1, as: 'primary', launch },
  { kind: 'adopt', id: 1, pid: 7, dataDirectory: '/data' },
  { kind: 'stop', id: 1, mode: 'fast', limitMs: 5 },
  { kind: 'fence', id: 1, dataDirectory: '/data' },
  { kind: 'promote', id: 1 },
  { kind: 'reload', id: 1 },
  { kind: 'leave', id: 1, status: 0 },
];

describe('parseLoopMessage', () => {
  it('takes whole messages as they are', () => {
    for (const message of whole) expect(parseLoopMessage(message)).toBe(message);
    const { user: _user, ...anybody } = launch;
    const start = { kind: 'start', id: 1, as: 'standby', launch: anybody };
    expect(parseLoopMessage(start)).toBe(start);
  });

  it('refuses a message that lacks any of its parts', () => {
    for (const message of whole)
      for (const key of Object.keys(message)) {
        const broken = Object.fromEntries(Object.entries(message).filter(([name]) => name !== key));
        expect(parseLoopMessage(broken), JSON.stringify(broken)).toBeUndefined();
      }
  });

  it('refuses pids that mean a group, unknown ways to start and unknown kinds', () => {
    expect(parseLoopMessage({ kind: 'adopt', id: 1, pid: 0, dataDirectory: '/' })).toBeUndefined();
    expect(parseLoopMessage({ kind: 'adopt', id: 1, pid: -5, dataDirectory: '/' })).toBeUndefined();
    expect(parseLoopMessage({ kind: 'start', id: 1, as: 'adopted', launch })).toBeUndefined();
    expect(parseLoopMessage({ kind: 'toString', id: 1 })).toBeUndefined();
  });

  it('never throws', () => {
    fc.assert(
      fc.property(fc.anything(), (value) => {
        parseLoopMessage(value);
      }),
    );
  });
});
