/**
 * Shows that what is rendered is read back as it was, also with quotes, spaces and backslashes, and
 * that nothing that is no connection string is taken for one. By round trips and a table.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  conninfoTarget,
  parseAddress,
  parseConninfo,
  renderConninfo,
  renderPrimaryConninfo,
} from './primary-conninfo.ts';

describe('renderConninfo', () => {
  it('is read back as it was written', () => {
    const pairs = fc.dictionary(fc.stringMatching(/^[a-z_]{1,8}$/), fc.string());
    fc.assert(
      fc.property(pairs, (original) => {
        expect(parseConninfo(renderConninfo(original))).toEqual({ ...original });
      }),
    );
  });

  it('leaves out what is undefined', () => {
    expect(renderConninfo({ host: 'a', password: undefined, port: 1 })).toBe('host=a port=1');
  });
});

describe('parseConninfo', () => {
  it('accepts spaces around the equals sign, as libpq does', () => {
    expect(parseConninfo("host = 'a b'  port =5433")).toEqual({ host: 'a b', port: '5433' });
  });
  it.each(['host', "host='a", '=a'])('refuses %j', (text) => {
    expect(parseConninfo(text)).toBeUndefined();
  });
});

describe('conninfoTarget', () => {
  it.each([
    ['host=pg1 port=5433 user=x', 'pg1:5433'],
    ['user=x host=pg1', 'pg1:5432'],
    ['host=::1 port=1', '[::1]:1'],
    ['postgresql://u:p@pg1:7/x', 'pg1:7'],
    ['postgres://pg1', 'pg1:5432'],
    ['', undefined],
    ['user=x', undefined],
    ['postgres:///x', undefined],
  ])('%j leads to %s', (text, target) => {
    expect(conninfoTarget(text)).toBe(target);
  });
});

describe('parseAddress', () => {
  it.each([
    ['pg1:5432', { host: 'pg1', port: 5432 }],
    ['[::1]:5432', { host: '::1', port: 5432 }],
    ['pg1', undefined],
    ['pg1:0', undefined],
    ['pg1:70000', undefined],
    ['::1:5432', undefined],
  ])('%s', (text, address) => {
    expect(parseAddress(text)).toEqual(address);
  });
});

describe('renderPrimaryConninfo', () => {
  it('names the passfile, never a password', () => {
    const text = renderPrimaryConninfo({
      host: '10.0.0.1',
      port: 5432,
      user: 'replicator',
      database: 'postgres',
      passFile: '/var/lib/my pg/pass',
      applicationName: 'pg-2',
      options: { sslmode: 'require' },
    });
    expect(text).toBe(
      "dbname=postgres user=replicator passfile='/var/lib/my pg/pass' host=10.0.0.1 port=5432 " +
        'sslmode=require application_name=pg-2',
    );
  });
});
