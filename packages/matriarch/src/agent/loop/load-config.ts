/** From a patroni.yml to everything the agent needs, or to all that is wrong with it at once. */
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import {
  type AgentConfig,
  type ConfigPart,
  formatMistakes,
  parseAgentConfig,
} from '@matriarch/protocol';

export type LoadedConfig =
  | {
      readonly kind: 'loaded';
      readonly config: AgentConfig;
      /** For the log; each a sentence with its place. */
      readonly warnings: readonly string[];
    }
  | { readonly kind: 'wrong'; readonly message: string };

type Text = string | readonly ConfigPart[];

export const loadAgentConfig = (
  file: string,
  environment: Readonly<Record<string, string | undefined>>,
): LoadedConfig => {
  let text: Text | undefined;
  try {
    text = readText(file);
  } catch (error) {
    // Patroni's way of running on variables alone: no file, but they are set.
    const hasVariables = Object.keys(environment).some((name) => name.startsWith('PATRONI_'));
    if (!isAbsent(error) || !hasVariables) {
      const cause = error instanceof Error ? error.message : String(error);
      const message = `${file}: cannot be read (${cause}); name the agent's patroni.yml`;
      return { kind: 'wrong', message };
    }
  }
  if (typeof text === 'object' && text.length === 0)
    return { kind: 'wrong', message: `${file}: is a directory without *.yml and *.yaml files` };
  const parsed = parseAgentConfig({ text, file, environment });
  if (parsed.config === undefined)
    return { kind: 'wrong', message: formatMistakes([...parsed.mistakes, ...parsed.warnings]) };
  const warnings = parsed.warnings.map((warning) => formatMistakes([warning]));
  return { kind: 'loaded', config: parsed.config, warnings };
};

const isAbsent = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'ENOENT';

/** Of a directory Patroni reads all YAML files, in the order of their names. */
const readText = (path: string): Text => {
  if (!statSync(path).isDirectory()) return readFileSync(path, 'utf8');
  return readdirSync(path)
    .filter((name) => /\.ya?ml$/.test(name))
    .sort()
    .map((name) => ({ text: readFileSync(join(path, name), 'utf8'), file: join(path, name) }));
};
