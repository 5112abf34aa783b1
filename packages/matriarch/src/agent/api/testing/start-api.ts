import type { MemberState } from '@matriarch/core';
import type { Endpoint } from '@matriarch/protocol';
import { onTestFinished } from 'vitest';
import { type Api, type ApiOptions, createApi } from '../create-api.ts';
import { buildState } from './build-state.ts';
import { type TestSource, createTestLog, createTestSource } from './test-source.ts';

export interface StartedApi {
  readonly api: Api;
  readonly source: TestSource;
  readonly log: ReturnType<typeof createTestLog>;
  readonly address: Endpoint;
}

export const LOOPBACK: Endpoint = { host: '127.0.0.1', port: 0 };

/** An API on a free port of loopback, stopped when the test ends. */
export const startApi = async (
  state: MemberState = buildState(),
  options: Partial<ApiOptions> = {},
): Promise<StartedApi> => {
  const source = createTestSource(state);
  const log = createTestLog();
  const api = createApi({
    listen: LOOPBACK,
    tls: undefined,
    authentication: undefined,
    source,
    log,
    ...options,
  });
  onTestFinished(() => api.stop());
  const started = await api.start();
  if (started.kind !== 'listening') throw new Error(started.message);
  return { api, source, log, address: started.address };
};
