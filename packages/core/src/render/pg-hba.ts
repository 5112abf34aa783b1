/**
 * The text of pg_hba.conf: who may connect, from where, proven how. The first line that matches a
 * connection decides. Grammar: PostgreSQL documentation, "The pg_hba.conf File".
 */

/** A name in double quotes is never a keyword (`all`, `replication`) and may contain anything. */
const quoteName = (name: string): string => `"${name.replace(/"/g, '""')}"`;

export type HbaMethod = 'trust' | 'scram-sha-256' | 'md5';

/**
 * The way a password is asked for. `md5` accepts both kinds of stored passwords; where a cluster's
 * own lines still say it, some may be stored in the old way, and ours must not lock us out.
 */
export const passwordMethod = (configured: readonly string[]): HbaMethod =>
  configured.some((line) => /\bmd5\b/.test(line)) ? 'md5' : 'scram-sha-256';

/** The lines by which the agent reaches its own server: SQL, and the replication protocol. */
export const ownHbaLines = (access: {
  readonly superuser: string;
  readonly method: HbaMethod;
  readonly route: 'socket' | 'network';
}): readonly string[] => {
  const [type, address] = access.route === 'socket' ? ['local', ''] : ['host', ' samehost'];
  return ['all', 'replication'].map(
    (database) => `${type} ${database} ${quoteName(access.superuser)}${address} ${access.method}`,
  );
};

/** Our lines first: whatever the configured ones say, the agent can look after its server. */
export const renderPgHba = (content: {
  readonly comment: readonly string[];
  readonly own: readonly string[];
  readonly configured: readonly string[];
}): string =>
  [...content.comment.map((line) => `# ${line}`), ...content.own, ...content.configured, ''].join(
    '\n',
  );
