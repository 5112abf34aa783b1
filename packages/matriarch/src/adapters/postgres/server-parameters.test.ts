/** Shows what ends up in the file, on the command line, or nowhere. By comparing records. */
import { describe, expect, it } from 'vitest';
import { refusedOf, rememberRefusal, resolveParameters } from './server-parameters.ts';

const nothing = { minimums: {}, refused: new Set<string>() };

describe('resolveParameters', () => {
  it('puts what members must share on the command line, and all of it in the file', () => {
    const wanted = { max_connections: '50', work_mem: '8MB', hot_standby: 'off' };
    const { file, commandLine, remarks } = resolveParameters({ wanted, ...nothing });
    expect(commandLine).toEqual({
      hot_standby: 'on',
      restart_after_crash: 'off',
      max_connections: '50',
    });
    expect(file).toEqual({ ...commandLine, work_mem: '8MB' });
    expect(remarks).toEqual([]);
  });

  it('raises what a standby needs, and says so only where something else was wanted', () => {
    const minimums = { max_connections: 100, max_wal_senders: 20, max_worker_processes: 8 };
    const wanted = { max_connections: '50', max_worker_processes: '16' };
    const { file, remarks } = resolveParameters({ wanted, ...nothing, minimums });
    expect(file).toMatchObject({
      max_connections: '100',
      max_wal_senders: '20',
      max_worker_processes: '16',
    });
    expect(remarks).toEqual(['max_connections = 50 is raised to 100: its primary had that many']);
  });

  it('leaves out what the server has turned down', () => {
    const wanted = { work_mem: 'plenty', max_connections: '9999999' };
    rememberRefusal('/a/postgres', 'work_mem', wanted);
    rememberRefusal('/a/postgres', 'max_connections', wanted);
    expect([...refusedOf('/a/postgres', { work_mem: '4MB' })]).toEqual([]);
    expect([...refusedOf('/b/postgres', wanted)]).toEqual([]);
    const refused = refusedOf('/a/postgres', wanted);
    const { file, commandLine, remarks } = resolveParameters({ wanted, ...nothing, refused });
    expect(file['work_mem']).toBeUndefined();
    expect(commandLine['max_connections']).toBeUndefined();
    expect(remarks).toEqual([
      'the server does not accept work_mem = plenty',
      'the server does not accept max_connections = 9999999',
    ]);
  });
});
