/** Passwords of a local cluster: made up once, one file each, readable by nobody else. */
import { randomBytes } from 'node:crypto';
import { chownSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { type ClusterConfig, type SecretSource, resolveSecret } from '@matriarch/protocol';

const SECRET_BYTES = 24;

/** Every secret of the cluster with its name in messages. */
const secretSources = ({ secrets }: ClusterConfig): [string, SecretSource][] => {
  const { superuser, replication, rewind, restapi, etcd, applications } = secrets;
  const named: [string, SecretSource | undefined][] = [
    ['superuser', superuser],
    ['replication', replication],
    ['rewind', rewind],
    ['restapi', restapi],
    ['etcd', etcd],
    ...Object.entries(applications).map(([name, source]): [string, SecretSource] => [
      `application ${name}`,
      source,
    ]),
  ];
  return named.flatMap(([name, source]) => (source === undefined ? [] : [[name, source]]));
};

/** Makes up what `directory` is to hold and does not yet. */
export const makeSecrets = (config: ClusterConfig, directory: string): void => {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  for (const [, source] of secretSources(config))
    if (source.kind === 'file' && dirname(source.path) === directory && !existsSync(source.path))
      makeSecret(source.path);
};

/** Whole or not at all: half a password would never be replaced. */
const makeSecret = (file: string): void => {
  const secret = randomBytes(SECRET_BYTES).toString('base64url');
  writeFileSync(`${file}.new`, `${secret}\n`, { mode: 0o600 });
  renameSync(`${file}.new`, file);
};

export type FetchedSecrets =
  | { readonly kind: 'fetched'; readonly values: ReadonlyMap<string, string> }
  | { readonly kind: 'missing'; readonly messages: readonly string[] };

/** Fetches all of them; what cannot be had is said all at once. */
export const fetchSecrets = (config: ClusterConfig): FetchedSecrets => {
  const values = new Map<string, string>();
  const messages: string[] = [];
  for (const [name, source] of secretSources(config)) {
    const secret = resolveSecret(name, source, {
      environment: process.env,
      readFile: (path) => {
        try {
          return readFileSync(path, 'utf8');
        } catch {
          return undefined;
        }
      },
      readGenerated: () => undefined,
    });
    if (secret.ok) values.set(name, secret.value);
    else messages.push(secret.problem.message);
  }
  return messages.length === 0 ? { kind: 'fetched', values } : { kind: 'missing', messages };
};

/** libpq ignores a passfile that others may read. */
export const writePassFile = (
  file: string,
  entry: { readonly user: string; readonly password: string },
): void => {
  const escape = (text: string): string => text.replaceAll(/[\\:]/g, String.raw`\$&`);
  writeFileSync(file, `*:*:*:${escape(entry.user)}:${escape(entry.password)}\n`, { mode: 0o600 });
};

export interface Account {
  readonly uid: number;
  readonly gid: number;
}

export const giveTo = (path: string, owner: Account | undefined): void => {
  if (owner !== undefined) chownSync(path, owner.uid, owner.gid);
};
