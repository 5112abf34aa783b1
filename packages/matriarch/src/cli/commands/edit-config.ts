/**
 * `edit-config` writes to the store, as patronictl does: the change is made to exactly the
 * configuration that was shown, or not at all, and no member has to be there for it.
 */
import type { JsonObject } from '@matriarch/core';
import { editConfig, formatYaml, formatMistakes, judgeConfigChange } from '@matriarch/protocol';
import { parseArguments, textOf, textsOf } from '../arguments.ts';
import { type ConfigWords, STANDARD_INPUT, readConfigInput } from '../config-input.ts';
import { formatConfigDiff } from '../output/config-diff.ts';
import { confirm } from '../output/confirm.ts';
import { paintFor, wantsColours } from '../output/paint.ts';
import { complain, refuseUsage, say } from '../output/say.ts';
import type { Command } from '../verbs.ts';
import { type ClusterAccess, withCluster } from '../with-cluster.ts';
import { complainOfNone } from './show-config.ts';

const usage =
  '[-c FILE] [-s KEY=VALUE]… [-p PARAMETER=VALUE]… [--apply FILE] [--replace FILE] [-q] [--force]';

const options = {
  cluster: { type: 'string', short: 'c' },
  set: { type: 'string', short: 's', multiple: true },
  pg: { type: 'string', short: 'p', multiple: true },
  apply: { type: 'string' },
  replace: { type: 'string' },
  quiet: { type: 'boolean', short: 'q' },
  force: { type: 'boolean' },
} as const;

interface Wanted extends ConfigWords {
  readonly quiet: boolean;
  readonly force: boolean;
}

export const editConfigCommand: Command = {
  summary: 'changes the cluster-wide configuration: by words, from a file, or in $EDITOR',
  usage,
  run: async (args) => {
    const parsed = parseArguments(args, { options });
    if (parsed.kind === 'wrong') return refuseUsage(parsed.message, `edit-config ${usage}`);
    const { values } = parsed;
    const wanted: Wanted = {
      set: textsOf(values['set']),
      parameters: textsOf(values['pg']),
      apply: textOf(values['apply']),
      replace: textOf(values['replace']),
      quiet: values['quiet'] === true,
      force: values['force'] === true,
    };
    if (wanted.apply === STANDARD_INPUT && wanted.replace === STANDARD_INPUT)
      return refuseUsage('standard input can be read only once', `edit-config ${usage}`);
    return withCluster(textOf(values['cluster']), (access) => edit(access, wanted));
  },
};

type Stored = NonNullable<ClusterAccess['snapshot']['config']>;

const edit = async (access: ClusterAccess, wanted: Wanted): Promise<number> => {
  const stored = access.snapshot.config;
  if (stored === undefined) return complainOfNone(access);
  const before = stored.value;
  const shown = { text: formatYaml(before), name: `${access.config.cluster}-config.yaml` };
  const input = await readConfigInput(wanted, shown);
  if (input.kind === 'nothing') {
    complain(input.message);
    return input.exitStatus;
  }
  const edited = editConfig(before, input.edit);
  const judged = judgeConfigChange(before, edited.config);
  // A key that has no effect is taken, as patronictl takes it; a slip of the hand is not.
  const slips = judged.warnings.filter(({ nearest }) => nearest !== undefined);
  const mistakes = [...input.mistakes, ...edited.mistakes, ...judged.mistakes, ...slips];
  if (mistakes.length > 0) {
    complain(`${formatMistakes(mistakes)}\nnothing was changed`);
    if (input.typed !== undefined) complain(`what you wrote is kept in ${input.typed.file}`);
    return 2;
  }
  input.typed?.remove();
  if (judged.warnings.length > 0) complain(formatMistakes(judged.warnings));
  if (edited.config === before) {
    if (!wanted.quiet) say('Not changed');
    return 0;
  }
  if (!(await isWanted(before, edited.config, wanted))) {
    complain('nothing was changed');
    return 1;
  }
  return write(access, stored, edited.config);
};

/** Shows the change, and asks for it. */
const isWanted = async (
  before: JsonObject,
  after: JsonObject,
  { quiet, force, apply, replace }: Wanted,
): Promise<boolean> => {
  const [old, next] = [formatYaml(before), formatYaml(after)];
  if (!quiet) say(formatConfigDiff(old, next, paintFor(wantsColours())));
  if (force) return true;
  if (apply !== STANDARD_INPUT && replace !== STANDARD_INPUT)
    return confirm('Apply these changes?');
  complain('Use --force option to apply changes: standard input has no answer to a question');
  return false;
};

const write = async (
  { writeConfig }: ClusterAccess,
  { modRevision }: Stored,
  document: JsonObject,
): Promise<number> => {
  const written = await writeConfig({ document, seen: modRevision });
  switch (written.kind) {
    case 'done':
      if (written.applied) {
        say('Configuration changed');
        return 0;
      }
      complain(
        'Config modification aborted due to concurrent changes: ' +
          'see `matriarch show-config`, then try again',
      );
      return 1;
    case 'failed':
      complain(`the store did not answer: ${written.cause}; nothing was changed`);
      return 1;
    case 'unknown':
      complain(
        `the store did not confirm the change (${written.cause}): ` +
          'see `matriarch show-config` before you try again',
      );
      return 1;
  }
};
