/**
 * `failsafe-promise.json` in the state directory: the last promise, with the boot it was given in.
 * In another boot its instant says nothing, so that all of it counts from when it is read.
 */
import { join } from 'node:path';
import {
  type FailsafePromise,
  type FoundPromise,
  type Instant,
  type LeaseTerm,
  memberName,
} from '@matriarch/core';
import type { PromiseFile } from '../../agent/ports/promise-file.ts';
import { attempt, done } from './answer.ts';
import { readTextIfThere, writeAtomically } from './atomic-file.ts';
import type { PostgresContext } from './context.ts';
import { ensureStateDirectory } from './state-files.ts';

const NAME = 'failsafe-promise.json';

interface Kept extends FailsafePromise {
  readonly boot: string;
}

export const createPromiseFile = (
  context: PostgresContext,
  { boot, ttlMs }: { readonly boot: string; readonly ttlMs: () => number },
): PromiseFile => {
  const path = join(context.config.matriarch.stateDirectory, NAME);
  return {
    write: (promise) =>
      attempt('write down a promise', async () => {
        await ensureStateDirectory(context);
        const kept: Kept = { ...promise, boot };
        const kind = { mode: 0o600, owner: context.owner };
        await writeAtomically(path, `${JSON.stringify(kept)}\n`, kind);
        return done;
      }),
    read: async () => {
      const text = await readTextIfThere(path);
      return text === undefined ? undefined : parseKept(text, { boot, ttlMs: ttlMs() });
    },
  };
};

/** What cannot be read may have said anything: a whole ttl, to whomever. */
const parseKept = (
  text: string,
  { boot, ttlMs }: { readonly boot: string; readonly ttlMs: number },
): FoundPromise => {
  const unknown: FoundPromise = { to: undefined, term: undefined, ttlMs };
  let kept: unknown;
  try {
    kept = JSON.parse(text);
  } catch {
    return unknown;
  }
  if (typeof kept !== 'object' || kept === null) return unknown;
  const read = (key: string): unknown => (kept as Readonly<Record<string, unknown>>)[key];
  const [to, term, ttl, until] = [read('to'), read('term'), read('ttlMs'), read('until')];
  if (typeof ttl !== 'number' || typeof until !== 'number') return unknown;
  return {
    to: typeof to === 'string' ? memberName(to) : undefined,
    term: typeof term === 'number' ? (term as LeaseTerm) : undefined,
    ttlMs: ttl,
    ...(read('boot') === boot ? { until: until as Instant } : {}),
  };
};
