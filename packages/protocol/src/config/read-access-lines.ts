import { parseText } from '../located/parsers.ts';
import type { Parser } from '../located/parsers.ts';
import type { Section } from '../located/section.ts';

const HBA_WORDS = [
  'local',
  'host',
  'hostssl',
  'hostnossl',
  'hostgssenc',
  'hostnogssenc',
  'include',
  'include_if_exists',
  'include_dir',
];

/** A line PostgreSQL would refuse to start with is a mistake here, before anything is started. */
const parseHbaLine: Parser<string> = (scalar) => {
  const parsed = parseText(scalar);
  if (!parsed.ok) return parsed;
  const [word = ''] = parsed.value.trim().split(/\s+/);
  if (word === '' || word.startsWith('#') || HBA_WORDS.includes(word)) return parsed;
  const allowed = 'a line of pg_hba.conf, which begins with local, host or hostssl';
  return { ok: false, allowed };
};

export const readHba = (section: Section, key: string): readonly string[] | undefined =>
  section.values(key, parseHbaLine);

export const readIdent = (section: Section, key: string): readonly string[] | undefined =>
  section.values(key, parseText);
