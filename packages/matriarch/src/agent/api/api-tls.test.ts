/** The API over TLS, with certificates made by openssl in a temporary directory. */
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Endpoint, TlsFiles } from '@matriarch/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type Certificate,
  createAuthority,
  createCertificate,
} from '../../adapters/etcd/testing/certificates.ts';
import { createApi } from './create-api.ts';
import { buildState, primaryState } from './testing/build-state.ts';
import { type ExchangeOptions, type Exchanged, exchange, exchangeRaw } from './testing/exchange.ts';
import { LOOPBACK, startApi } from './testing/start-api.ts';
import { createTestLog, createTestSource } from './testing/test-source.ts';

let directory = '';
let authority: Certificate;
let stranger: Certificate;
let own: Certificate;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'matriarch-api-tls-'));
  authority = createAuthority(directory, 'authority');
  stranger = createAuthority(directory, 'stranger');
  own = createCertificate(authority, directory);
});

afterAll(() => rmSync(directory, { recursive: true, force: true }));

const files = (changes: Partial<TlsFiles> = {}): TlsFiles => ({
  certFile: own.certFile,
  keyFile: own.keyFile,
  keyPassword: undefined,
  caFile: authority.certFile,
  verifyClient: 'none',
  ...changes,
});

const client = (certificate?: Certificate): Required<Pick<ExchangeOptions, 'tls'>> => ({
  tls: {
    ca: readFileSync(authority.certFile),
    ...(certificate === undefined
      ? {}
      : { cert: readFileSync(certificate.certFile), key: readFileSync(certificate.keyFile) }),
  },
});

const reload = (address: Endpoint, certificate?: Certificate): Promise<Exchanged> =>
  exchange(address, '/reload', { method: 'POST', ...client(certificate) });

describe('an API with a certificate', () => {
  it('answers over TLS, and to nothing else', async () => {
    const { address } = await startApi(primaryState(), { tls: files() });
    const got = await exchange(address, '/primary', client());
    expect([got.status, got.headers['content-type']]).toEqual([200, 'application/json']);
    expect(await exchangeRaw(address, 'GET /primary HTTP/1.0\r\n\r\n')).not.toContain('200');
    expect((await reload(address)).status).toBe(202);
  });

  it('asks for a client certificate where something changes', async () => {
    const { address } = await startApi(primaryState(), {
      tls: files({ verifyClient: 'optional' }),
    });
    expect((await exchange(address, '/primary', client())).status).toBe(200);
    const without = await reload(address);
    expect([without.status, without.body]).toEqual([403, 'client certificate required']);
    expect((await reload(address, stranger)).status).toBe(403);
    expect((await reload(address, own)).status).toBe(202);
  });

  it('asks for a client certificate before everything when it is required', async () => {
    const { address } = await startApi(primaryState(), {
      tls: files({ verifyClient: 'required' }),
    });
    await expect(exchange(address, '/primary', client())).rejects.toThrow();
    await expect(exchange(address, '/primary', client(stranger))).rejects.toThrow();
    expect((await exchange(address, '/primary', client(own))).status).toBe(200);
  });

  it('wants credentials as well as the certificate', async () => {
    const { address } = await startApi(primaryState(), {
      tls: files({ verifyClient: 'optional' }),
      authentication: { username: 'admin', password: 'secret' },
    });
    expect((await reload(address)).status).toBe(403);
    expect((await reload(address, own)).status).toBe(401);
  });

  it('takes a key from the file of the certificate', async () => {
    const both = join(directory, 'both.pem');
    writeFileSync(both, readFileSync(own.certFile, 'utf8') + readFileSync(own.keyFile, 'utf8'));
    const { address } = await startApi(primaryState(), {
      tls: files({ certFile: both, keyFile: undefined }),
    });
    expect((await exchange(address, '/primary', client())).status).toBe(200);
  });

  it('serves renewed files, and keeps what it has when they are bad', async () => {
    const certFile = join(directory, 'changing.crt');
    const keyFile = join(directory, 'changing.key');
    copyFileSync(stranger.certFile, certFile);
    copyFileSync(stranger.keyFile, keyFile);
    const { address, api } = await startApi(primaryState(), { tls: files({ certFile, keyFile }) });
    await expect(exchange(address, '/primary', client())).rejects.toThrow();
    copyFileSync(own.certFile, certFile);
    copyFileSync(own.keyFile, keyFile);
    expect(api.renewCertificates()).toEqual({ kind: 'done' });
    expect((await exchange(address, '/primary', client())).status).toBe(200);
    writeFileSync(keyFile, 'no key');
    expect(api.renewCertificates()).toMatchObject({ kind: 'failed' });
    expect((await exchange(address, '/primary', client())).status).toBe(200);
  });

  it.each([
    ['is not there', () => files({ certFile: join(directory, 'nothing.crt') }), 'nothing.crt'],
    ['does not fit', () => files({ keyFile: stranger.keyFile }), 'stranger.key'],
  ])('does not start when a file %s, and names it', async (_name, tls, file) => {
    const api = createApi({
      listen: LOOPBACK,
      tls: tls(),
      authentication: undefined,
      source: createTestSource(buildState()),
      log: createTestLog(),
    });
    const started = await api.start();
    expect(started).toMatchObject({
      kind: 'cannot-listen',
      message: expect.stringContaining(file) as string,
    });
    expect(started).toMatchObject({ message: expect.stringContaining('restapi') as string });
  });
});
