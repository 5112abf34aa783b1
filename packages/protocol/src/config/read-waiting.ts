import type { WaitingPolicy } from '@matriarch/core';
import { type Parser, parseText } from '../located/parsers.ts';
import type { Section } from '../located/section.ts';

/** PostgreSQL cuts longer names: they would be those of others. */
const NAME_BYTES_MAX = 63;

/** In UTF-8. */
const bytesOf = (character: string): number => {
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x80) return 1;
  if (code < 0x800) return 2;
  return code < 0x10000 ? 3 : 4;
};

const isName = (text: string): boolean =>
  Array.from(text, bytesOf).reduce((sum, bytes) => sum + bytes, 0) <= NAME_BYTES_MAX &&
  !text.includes('\0');

const parseDatabaseName: Parser<string> = (scalar) => {
  const parsed = parseText(scalar);
  if (!parsed.ok || isName(parsed.value)) return parsed;
  return { ok: false, allowed: `a name of at most ${NAME_BYTES_MAX} bytes` };
};

/** PostgreSQL keeps some names for itself: nobody can log in with them. */
const parseRoleName: Parser<string> = (scalar) => {
  const parsed = parseDatabaseName(scalar);
  if (!parsed.ok || !parsed.value.startsWith('pg_')) return parsed;
  return { ok: false, allowed: 'a role that can log in', fix: 'no such name begins with pg_' };
};

/** `synchronous_roles` and `synchronous_databases` of the cluster-wide configuration. */
export const readWaiting = (dynamic: Section): WaitingPolicy => {
  const names = (key: string, parser: Parser<string>): readonly string[] => [
    ...new Set(dynamic.values(key, parser)),
  ];
  return {
    roles: names('synchronous_roles', parseRoleName),
    databases: names('synchronous_databases', parseDatabaseName),
  };
};

/** `replication.wait` of cluster.yaml. */
export const readWait = (replication: Section, mode: string): WaitingPolicy => {
  const wait = replication.section('wait');
  const policy = {
    roles: namesOnce(wait, 'roles', parseRoleName),
    databases: namesOnce(wait, 'databases', parseDatabaseName),
  };
  wait.finish();
  if (replication.has('wait') && mode !== 'hybrid')
    replication.mistake('wait', {
      message: `is for mode hybrid, and the mode is ${mode}`,
      fix: 'write mode: hybrid, or take wait away',
    });
  return policy;
};

const namesOnce = (wait: Section, key: string, parser: Parser<string>): readonly string[] => {
  const list = wait.list(key);
  if (list === undefined) return [];
  const names = wait.items(key, list, parser);
  const seen = new Set<string>();
  for (const [index, item] of list.items.entries()) {
    const name = item.kind === 'scalar' ? String(item.value) : '';
    if (seen.has(name) && names.includes(name))
      wait.findings.mistakes.push({
        ...item.place,
        path: `${wait.pathOf(key)}[${index}]`,
        message: `${JSON.stringify(name)} is named twice`,
        fix: 'name each once',
      });
    seen.add(name);
  }
  return [...new Set(names)];
};
