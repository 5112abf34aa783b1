import { join } from 'node:path';
import { makeDirectory } from './data-layout.ts';
import { exists, readTextIfThere, removeDurably, writeAtomically } from './atomic-file.ts';
import type { PostgresContext } from './context.ts';

/**
 * What is under way in the data directory, as files in the state directory: they outlive the agent,
 * and pg_rewind, which removes what the source does not have, cannot remove them.
 */
export type Marker =
  /** Written before pg_rewind changes anything, removed when it is done. */
  | 'rewind-unfinished'
  /** Holds the system identifier that initdb gave, as soon as there is one. */
  | 'bootstrap-unfinished'
  /** A complete new data directory waits to be put in place. */
  | 'new-ready'
  /** The new data directory is being put in place: `out` or `drop` of the old one, then `in`. */
  | 'install-unfinished';

const markerPath = ({ config }: PostgresContext, marker: Marker): string =>
  join(config.matriarch.stateDirectory, marker);

/** PostgreSQL's user works in here too: the passfile, kept WAL and the log are there. */
export const ensureStateDirectory = (
  { config, owner }: PostgresContext,
  ...below: readonly string[]
): Promise<string> => makeDirectory(join(config.matriarch.stateDirectory, ...below), owner);

export const setMarker = async (
  context: PostgresContext,
  marker: Marker,
  text = '',
): Promise<void> => {
  await ensureStateDirectory(context);
  await writeAtomically(markerPath(context, marker), text, {
    mode: 0o600,
    owner: context.owner,
  });
};

export const clearMarker = async (context: PostgresContext, marker: Marker): Promise<void> => {
  await removeDurably(markerPath(context, marker));
};

export const hasMarker = (context: PostgresContext, marker: Marker): Promise<boolean> =>
  exists(markerPath(context, marker));

export const readMarker = (context: PostgresContext, marker: Marker): Promise<string | undefined> =>
  readTextIfThere(markerPath(context, marker));

/** Passwords for libpq. The configured place, as in Patroni, or our own. */
export const passFilePath = ({ config }: PostgresContext): string =>
  config.postgresql.passFile ?? join(config.matriarch.stateDirectory, 'pgpass');

/** PostgreSQL's own output, until it opens its own log (`logging_collector`). */
export const serverLogPath = ({ config }: PostgresContext): string =>
  join(config.matriarch.stateDirectory, 'postgresql.log');
