/* Shows how HAProxy's answers are read, on answers taken from HAProxy 2.6. */
import { describe, expect, it } from 'vitest';
import { parseMasterState } from './master.ts';
import { parseServerStates } from './server-states.ts';

const AFTER_RELOADS = `#<PID>          <type>          <reloads>       <uptime>        <version>      
15105           master          3 [failed: 1]   0d00h01m39s     2.6.12-1+deb12u4
# workers
27120           worker          0               0d00h00m00s     2.6.12-1+deb12u4
# old workers
26728           worker          1               0d00h00m32s     2.6.12-1+deb12u4
15108           worker          2               0d00h01m08s     2.6.12-1+deb12u4
# programs

`;

describe('parseMasterState', () => {
  it('reads reloads, failed reloads and old workers', () => {
    expect(parseMasterState(AFTER_RELOADS)).toEqual({
      reloads: 3,
      failedReloads: 1,
      oldWorkers: [26728, 15108],
    });
  });

  it('finds no old workers where there are none', () => {
    const fresh = AFTER_RELOADS.replace(/# old workers[^#]*/u, '');
    expect(parseMasterState(fresh)?.oldWorkers).toEqual([]);
  });

  it('does not guess', () => {
    expect(parseMasterState('Unknown command')).toBeUndefined();
  });
});

const STATES = `1
# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight
4 primary 1 m1 127.0.0.1 2 0 1 1 27 15 3 3 6 0 0 0 - 17001 - 0 18001 - - 18001
4 primary 2 B:e4:r - 0 32 1 1 27 1 0 0 14 0 0 0 nosuchhost.invalid 17003 - 0 18003 - - 18003
4 primary 3 waiting-room - 2 0 256 256 27 1 0 0 0 0 0 0 - 0 - 0 0 - - 0
5 replicas 1 m1 127.0.0.1 0 0 1 1 27 17 2 0 6 0 0 0 - 17001 - 0 18001 - - 18001
6 statistics 1 x 127.0.0.1 2 0 1 1 27 17 2 0 6 0 0 0 - 17001 - 0 18001 - - 18001

`;

describe('parseServerStates', () => {
  it('reads members behind both doors and nothing else', () => {
    expect(parseServerStates(STATES)).toEqual([
      { door: 'write', member: 'm1', isUp: true, address: '127.0.0.1' },
      { door: 'write', member: 'Bär', isUp: false, address: undefined },
      { door: 'read', member: 'm1', isUp: false, address: '127.0.0.1' },
    ]);
  });

  it('does not guess at another format', () => {
    expect(parseServerStates(STATES.replace(/^1/u, '2'))).toBeUndefined();
    expect(parseServerStates('')).toBeUndefined();
  });
});
