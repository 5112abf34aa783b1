/** The simulated store behind the shape of the agent's own port. */
import { describe, expect, it } from 'vitest';
import { KeyValueCore } from './key-value-core.ts';
import { KeyValueFacade, LEASE_NOT_FOUND_CAUSE } from './key-value-facade.ts';

const makeFacade = (): KeyValueFacade => new KeyValueFacade(new KeyValueCore<string>(() => 0));

describe('KeyValueFacade', () => {
  it('answers a transaction with the keys under the prefix, in order', async () => {
    const facade = makeFacade();
    const writes = [
      { key: '/b', put: '2' },
      { key: '/a', put: '1' },
      { key: 'elsewhere', put: '3' },
    ];
    const result = await facade.transact({ compares: [], writes, prefix: '/' });
    expect(result).toMatchObject({
      kind: 'done',
      applied: true,
      range: { entries: [{ key: '/a' }, { key: '/b' }] },
    });
  });

  it('tells a lease that is not known by ttl 0, and by the cause of a write', async () => {
    const facade = makeFacade();
    expect(await facade.keepAlive('1')).toEqual({ kind: 'done', ttlSeconds: 0 });
    const writes = [{ key: '/a', put: '1', leaseId: '1' }];
    const result = await facade.transact({ compares: [], writes, prefix: '/' });
    expect(result).toEqual({ kind: 'failed', cause: LEASE_NOT_FOUND_CAUSE });
  });

  it('wakes those who watch the prefix, until they close', async () => {
    const facade = makeFacade();
    let woken = 0;
    const watch = facade.watchPrefix('/service/', () => {
      woken += 1;
    });
    const write = (key: string) =>
      facade.transact({ compares: [], writes: [{ key, put: 'x' }], prefix: '/' });
    await write('/service/a');
    await write('/other/a');
    expect(woken).toBe(1);
    watch.close();
    await write('/service/a');
    expect(woken).toBe(1);
  });
});
