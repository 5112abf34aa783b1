import { readFileSync } from 'node:fs';
import { verbs } from '../verbs.ts';

const version = (): string => {
  const file = new URL('../../../package.json', import.meta.url);
  const content = JSON.parse(readFileSync(file, 'utf8')) as { readonly version: string };
  return content.version;
};

/** `matriarch help`, `--help`, `--version`, and whatever is no verb. */
export const runHelp = async ([word = 'help']: readonly string[]): Promise<number> => {
  if (word === '--version' || word === 'version') {
    process.stdout.write(`matriarch ${version()}\n`);
    return 0;
  }
  const asked = word === 'help' || word === '--help' || word === '-h';
  if (!asked) process.stderr.write(`matriarch: there is no verb "${word}"\n\n`);
  const lines = await Promise.all(
    Object.entries(verbs).map(async ([name, load]) => {
      const { usage, summary } = await load();
      return `  matriarch ${`${name} ${usage}`.padEnd(34)} ${summary}`;
    }),
  );
  const text = ['usage:', ...lines, ''].join('\n');
  (asked ? process.stdout : process.stderr).write(text);
  return asked ? 0 : 2;
};
