import type { Problem } from '../errors/problem.ts';
import { problem } from '../errors/problem.ts';
import { parseText } from '../located/parsers.ts';
import type { Section } from '../located/section.ts';
import type { ClusterSecrets, SecretSource } from './cluster-config.ts';

/** Reads where the passwords are. A password itself in the file is a mistake, and not repeated. */
export const readSecrets = (section: Section, isLocal: boolean): ClusterSecrets => {
  const one = (key: string): SecretSource | undefined => readSource(section, key);
  const must = (key: string): SecretSource => {
    const source = one(key);
    if (source !== undefined || isLocal) return source ?? { kind: 'generated' };
    if (!section.has(key)) {
      section.mistake(key, {
        message: 'is missing: only a cluster on one machine makes its own passwords',
        fix: `write for example ${key}: {file: /etc/matriarch/${key}.secret}`,
      });
    }
    return { kind: 'generated' };
  };
  const applications = section.section('applications');
  const secrets: ClusterSecrets = {
    superuser: must('superuser'),
    replication: must('replication'),
    rewind: one('rewind'),
    restapi: must('restapi'),
    etcd: one('etcd'),
    applications: Object.fromEntries(
      applications.names().flatMap((name) => {
        const source = readSource(applications, name);
        return source === undefined ? [] : [[name, source] as const];
      }),
    ),
  };
  section.finish();
  return secrets;
};

const readSource = (section: Section, key: string): SecretSource | undefined => {
  const entry = section.entry(key);
  if (entry === undefined) return undefined;
  const complain = (message: string): undefined => {
    const fix = `write ${key}: {file: PATH} or ${key}: {environment: VARIABLE}`;
    section.mistake(key, { message, fix });
    return undefined;
  };
  if (entry.kind !== 'map') return complain('is not said to be in a file or a variable');
  const source = section.nested(entry, { path: `.${key}`, schema: '.*' });
  const path = source.value('file', parseText);
  const variable = source.value('environment', parseText);
  source.finish();
  if ((path === undefined) === (variable === undefined)) {
    return complain('needs either a file or a variable');
  }
  return path === undefined
    ? { kind: 'environment', variable: variable ?? '' }
    : { kind: 'file', path };
};

export type ResolvedSecret =
  | { readonly ok: true; readonly value: string }
  | { readonly ok: false; readonly problem: Problem };

/** How secrets are fetched. `readFile` answers undefined for a file that cannot be read. */
export interface SecretAccess {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly readFile: (path: string) => string | undefined;
  /** Answers what was made up for the secret of this name. */
  readonly readGenerated: (name: string) => string | undefined;
}

/** Fetches one secret. The end of the last line of a file is not part of it. */
export const resolveSecret = (
  name: string,
  source: SecretSource,
  access: SecretAccess,
): ResolvedSecret => {
  const refuse = (message: string): ResolvedSecret => ({
    ok: false,
    problem: problem('secret-unreadable', message),
  });
  switch (source.kind) {
    case 'file': {
      const value = access.readFile(source.path)?.replace(/\r?\n$/, '');
      if (value === undefined) return refuse(`the secret ${name} cannot be read: ${source.path}`);
      return value === '' ? refuse(`the file is empty: ${source.path}`) : { ok: true, value };
    }
    case 'environment': {
      const value = access.environment[source.variable];
      if (value !== undefined && value !== '') return { ok: true, value };
      return refuse(`the secret ${name} is not in the variable ${source.variable}`);
    }
    case 'generated': {
      const value = access.readGenerated(name);
      if (value !== undefined && value !== '') return { ok: true, value };
      return refuse(`no secret ${name} has been made up here`);
    }
  }
};
