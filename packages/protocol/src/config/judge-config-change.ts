/**
 * Whether members could act on a changed cluster-wide configuration. Whoever writes one asks this
 * first: the members would keep the last good one, and say so only in their logs.
 */
import type { JsonObject } from '@matriarch/core';
import type { Mistake, Warning } from '../errors/mistake.ts';
import { formatMistake } from '../errors/mistake.ts';
import { derivePolicy, noLocalSettings } from './policy.ts';
import { deriveServerParameters, findAccessMistakes } from './server-parameters.ts';

export interface ConfigFindings {
  readonly mistakes: readonly Mistake[];
  readonly warnings: readonly Warning[];
}

const findAll = (config: JsonObject): ConfigFindings => {
  const policy = derivePolicy(config);
  const parameters = deriveServerParameters(config, noLocalSettings);
  return {
    mistakes: [...policy.mistakes, ...parameters.mistakes, ...findAccessMistakes(config)],
    warnings: [...policy.warnings, ...parameters.warnings],
  };
};

/** Each once: several readers come past the same section. */
const without = <T extends Mistake>(found: readonly T[], old: readonly T[]): readonly T[] => {
  const said = new Set(old.map(formatMistake));
  return found.filter((one) => {
    const isNew = !said.has(formatMistake(one));
    said.add(formatMistake(one));
    return isNew;
  });
};

/** Only what the change itself brings: mistakes that were there before are not its own. */
export const judgeConfigChange = (before: JsonObject, after: JsonObject): ConfigFindings => {
  const [old, now] = [findAll(before), findAll(after)];
  return {
    mistakes: without(now.mistakes, old.mistakes),
    warnings: without(now.warnings, old.warnings),
  };
};
