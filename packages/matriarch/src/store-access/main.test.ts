/** Opening the store of a cluster: nothing is connected yet, only files are read. */
import { parseClusterConfig } from '@matriarch/protocol';
import { describe, expect, it } from 'vitest';
import { openClusterStore, openEtcd } from './main.ts';

const access = {
  endpoints: ['http://127.0.0.1:1'],
  username: undefined,
  password: undefined,
  caFile: undefined,
  certFile: undefined,
  keyFile: undefined,
};
const limits = { attemptLimitMs: 50, budgetMs: 100 };

describe('a store', () => {
  it.each(['caFile', 'certFile', 'keyFile'])('whose %s cannot be read is refused', (key) => {
    const opened = openEtcd({ ...access, [key]: '/no/such/file.pem' }, limits);
    const message = 'kind' in opened ? opened.message : '';
    expect(message).toContain('etcd: a certificate or key cannot be read');
    expect(message).toContain('/no/such/file.pem');
  });

  it('that is not there says so when it is read', async () => {
    const text = 'cluster: demo\nmembers: 1\netcd: { endpoints: ["127.0.0.1:1"] }\n';
    const { config } = parseClusterConfig({ text, file: 'a.yaml', environment: {} });
    if (config === undefined) throw new Error('wrong configuration');
    const store = openClusterStore(config, new Map());
    if ('kind' in store) throw new Error(store.message);
    try {
      expect(await store.read('/service/demo/')).toMatchObject({ kind: 'failed' });
    } finally {
      await store.close();
    }
  });
});
