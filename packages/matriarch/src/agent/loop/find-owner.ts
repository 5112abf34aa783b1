/** Which user PostgreSQL runs as: PostgreSQL itself refuses to run as root. */
import { type Stats, statSync } from 'node:fs';
import type { AgentConfig } from '@matriarch/protocol';

export interface UserAccount {
  readonly uid: number;
  readonly gid: number;
}

export type FoundOwner =
  /** `owner` undefined: the agent runs as that user itself. */
  | { readonly kind: 'found'; readonly owner: UserAccount | undefined }
  | { readonly kind: 'wrong'; readonly message: string };

const DEFAULT_USER = 'postgres';

/**
 * As root: the user that `matriarch.user` names, else the owner of the data directory, else
 * `postgres`. Otherwise the agent's own user, whatever is configured.
 */
export const findOwner = (
  config: AgentConfig,
  lookUp: (name: string) => UserAccount | undefined,
): FoundOwner => {
  if (process.geteuid?.() !== 0) return { kind: 'found', owner: undefined };
  const { user } = config.matriarch;
  if (user !== undefined) return lookUpUser(user, lookUp, 'matriarch.user');
  const owner = ownerOf(config.postgresql.dataDirectory);
  if (owner !== undefined && owner.uid !== 0)
    return { kind: 'found', owner: { uid: owner.uid, gid: owner.gid } };
  return lookUpUser(DEFAULT_USER, lookUp, 'the default');
};

const ownerOf = (path: string): Stats | undefined => {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
};

const lookUpUser = (
  name: string,
  lookUp: (name: string) => UserAccount | undefined,
  source: string,
): FoundOwner => {
  const account = lookUp(name);
  if (account?.uid === 0)
    return {
      kind: 'wrong',
      message:
        `PostgreSQL does not run as root, which ${source} names: ` +
        'set matriarch.user to an ordinary user',
    };
  if (account !== undefined)
    return { kind: 'found', owner: { uid: account.uid, gid: account.gid } };
  return {
    kind: 'wrong',
    message:
      `there is no user ${name} (${source}) to run PostgreSQL as: ` +
      'create it, or set matriarch.user',
  };
};
