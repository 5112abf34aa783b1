/** From a patroni.yml to everything the agent needs, or to all that is wrong with it at once. */
import { readFileSync } from 'node:fs';
import { type AgentConfig, formatMistakes, parseAgentConfig } from '@matriarch/protocol';

export type LoadedConfig =
  | {
      readonly kind: 'loaded';
      readonly config: AgentConfig;
      /** For the log; each a sentence with its place. */
      readonly warnings: readonly string[];
    }
  | { readonly kind: 'wrong'; readonly message: string };

export const loadAgentConfig = (
  file: string,
  environment: Readonly<Record<string, string | undefined>>,
): LoadedConfig => {
  let text: string | undefined;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    // Patroni's way of running on variables alone: no file, but they are set.
    const hasVariables = Object.keys(environment).some((name) => name.startsWith('PATRONI_'));
    if (!hasVariables) {
      const cause = error instanceof Error ? error.message : String(error);
      const message = `${file}: cannot be read (${cause}); name the agent's patroni.yml`;
      return { kind: 'wrong', message };
    }
  }
  const parsed = parseAgentConfig({ text, file, environment });
  if (parsed.config === undefined)
    return { kind: 'wrong', message: formatMistakes(parsed.mistakes) };
  const warnings = parsed.warnings.map((warning) => formatMistakes([warning]));
  return { kind: 'loaded', config: parsed.config, warnings };
};
