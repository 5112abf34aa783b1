/** The mode of replication as the cluster-wide configuration says it, and how it is switched. */
import { describe, expect, it } from 'vitest';
import { isMode, modeOf, withMode } from './replication-mode.ts';

const hybrid = {
  ttl: 5,
  synchronous_mode: 'quorum',
  postgresql: { parameters: { synchronous_commit: 'local', work_mem: '8MB' } },
};

describe('modeOf', () => {
  it.each([
    [undefined, 'asynchronous'],
    [{}, 'asynchronous'],
    [{ synchronous_mode: 'off' }, 'asynchronous'],
    [{ synchronous_mode: true }, 'synchronous'],
    [{ synchronous_mode: 'quorum' }, 'quorum'],
    [hybrid, 'hybrid'],
  ] as const)('of %j is %s', (config, mode) => {
    expect(modeOf(config)).toBe(mode);
  });
});

describe('withMode', () => {
  it.each(['asynchronous', 'synchronous', 'quorum'] as const)('makes it %s', (mode) => {
    const switched = withMode(hybrid, mode);
    expect(modeOf(switched)).toBe(mode);
    expect(switched).toMatchObject({ ttl: 5, postgresql: { parameters: { work_mem: '8MB' } } });
  });

  it('leaves alone what is in that mode already', () => {
    const config = { synchronous_mode: 'quorum' };
    expect(withMode(config, 'quorum')).toBe(config);
  });
});

it('hybrid is no mode to switch to: there it depends on who writes', () => {
  expect(isMode('hybrid')).toBe(false);
  expect(isMode('quorum')).toBe(true);
});
