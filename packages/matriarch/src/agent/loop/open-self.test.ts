/** What a member publishes of itself, from its configuration. */
import { describe, expect, it } from 'vitest';
import { apiUrlOf, assembleSelf, formatEndpoint } from './open-self.ts';
import { buildAgentConfig } from './testing/build-config.ts';

const life = { host: 'host', run: 'run' };

describe('a member', () => {
  it('is reached at its connect addresses, not where it listens', () => {
    expect(assembleSelf(buildAgentConfig(), life)).toMatchObject({
      name: 'pg1',
      address: '10.0.0.1:5432',
      connUrl: 'postgres://10.0.0.1:5432/postgres',
      apiUrl: 'http://10.0.0.1:8008/patroni',
      life,
    });
  });

  it('has its API over TLS when there is a certificate', () => {
    const config = buildAgentConfig({ restapi: { certfile: '/srv/a.crt', keyfile: '/srv/a.key' } });
    expect(apiUrlOf(config)).toBe('https://10.0.0.1:8008/patroni');
  });

  it('names the database that members connect to', () => {
    const config = buildAgentConfig({ postgresql: { database: 'admin' } });
    expect(assembleSelf(config, life).connUrl).toBe('postgres://10.0.0.1:5432/admin');
  });

  it('publishes its tags', () => {
    const { tags } = assembleSelf(
      buildAgentConfig({ tags: { nofailover: true, zone: 'b' } }),
      life,
    );
    expect(tags).toMatchObject({ nofailover: true, others: { zone: 'b' } });
  });

  it('may begin a cluster only when it is told with what', () => {
    expect(assembleSelf(buildAgentConfig(), life).bootstrapConfig).toBeUndefined();
    const config = buildAgentConfig({ bootstrap: { dcs: { ttl: 40 } } });
    expect(assembleSelf(config, life).bootstrapConfig).toEqual({ ttl: 40 });
  });

  it('takes data over only where the whole store can be seen', () => {
    expect(assembleSelf(buildAgentConfig(), life).mayTakeOverData).toBe(true);
    const config = buildAgentConfig();
    const old = { ...config, etcd: { ...config.etcd, section: 'etcd' as const } };
    expect(assembleSelf(old, life).mayTakeOverData).toBe(false);
  });
});

describe('an endpoint', () => {
  it('has an IPv6 address in brackets', () => {
    expect(formatEndpoint({ host: 'fd00::1', port: 5432 })).toBe('[fd00::1]:5432');
    expect(formatEndpoint({ host: 'pg1', port: 5432 })).toBe('pg1:5432');
  });
});
