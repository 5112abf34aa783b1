import { readFileSync } from 'node:fs';
import { findNearest } from '@matriarch/protocol';
import { verbs } from '../verbs.ts';

/** Where summaries begin; usages that reach it have a line of their own. */
const SUMMARY_COLUMN = 36;

const version = (): string => {
  const file = new URL('../../../package.json', import.meta.url);
  const content = JSON.parse(readFileSync(file, 'utf8')) as { readonly version: string };
  return content.version;
};

const complainOf = (word: string): void => {
  const nearest = findNearest(word, Object.keys(verbs));
  const hint = nearest === undefined ? '' : `; did you mean "${nearest}"?`;
  process.stderr.write(`matriarch: there is no verb "${word}"${hint}\n\n`);
};

/** `matriarch help [VERB]`, `--help`, `--version`, and whatever is no verb. */
export const runHelp = async ([word = 'help', about]: readonly string[]): Promise<number> => {
  if (word === '--version' || word === 'version') {
    process.stdout.write(`matriarch ${version()}\n`);
    return 0;
  }
  const asks = ['help', '--help', '-h'].includes(word);
  const known = about !== undefined && Object.hasOwn(verbs, about) ? verbs[about] : undefined;
  if (asks && known !== undefined) {
    const { usage, summary } = await known();
    process.stdout.write(`usage: matriarch ${`${about ?? ''} ${usage}`.trim()}\n\n${summary}\n`);
    return 0;
  }
  const unknown = asks ? about : word;
  if (unknown !== undefined) complainOf(unknown);
  const asked = unknown === undefined;
  const lines = await Promise.all(
    Object.entries(verbs).map(async ([name, load]) => {
      const { usage, summary } = await load();
      const words = `  matriarch ${`${name} ${usage}`.trim()}`;
      return words.length < SUMMARY_COLUMN
        ? `${words.padEnd(SUMMARY_COLUMN)}${summary}`
        : `${words}\n${' '.repeat(SUMMARY_COLUMN)}${summary}`;
    }),
  );
  const text = ['usage:', ...lines, ''].join('\n');
  (asked ? process.stdout : process.stderr).write(text);
  return asked ? 0 : 2;
};
