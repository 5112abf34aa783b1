/** Where a changed configuration comes from: words, files, standard input, or an editor. */
import { readFileSync } from 'node:fs';
import { text as readStream } from 'node:stream/consumers';
import type { ConfigEdit, ConfigText, Mistake } from '@matriarch/protocol';
import { type EditedText, USUAL_EDITOR, editText, editorIn } from './edit-text.ts';

export interface ConfigWords {
  readonly set: readonly string[];
  readonly parameters: readonly string[];
  readonly apply: string | undefined;
  readonly replace: string | undefined;
}

export type ConfigInput =
  | {
      readonly kind: 'read';
      readonly edit: ConfigEdit;
      /** Files that cannot be read. */
      readonly mistakes: readonly Mistake[];
      readonly typed: EditedText | undefined;
    }
  | { readonly kind: 'nothing'; readonly message: string; readonly exitStatus: 1 | 2 };

export const STANDARD_INPUT = '-';

export const readConfigInput = async (
  words: ConfigWords,
  shown: { readonly text: string; readonly name: string },
): Promise<ConfigInput> => {
  const { set, parameters, apply, replace } = words;
  if (set.length + parameters.length > 0 || apply !== undefined || replace !== undefined) {
    const mistakes: Mistake[] = [];
    const read = (file: string | undefined) => readConfigFile(file, mistakes);
    const texts = { replace: await read(replace), apply: await read(apply) };
    return { kind: 'read', edit: { set, parameters, ...texts }, mistakes, typed: undefined };
  }
  // npm sets EDITOR to vi where it is not set, and vi without a terminal waits for ever.
  if (!process.stdin.isTTY && editorIn(process.env) === USUAL_EDITOR)
    return {
      kind: 'nothing',
      message:
        'what is to be changed? Without a terminal, name it with --set, --apply or --replace',
      exitStatus: 2,
    };
  const typed = await editText(shown.text, shown.name);
  if (typed.kind === 'failed') return { kind: 'nothing', message: typed.message, exitStatus: 1 };
  const edit = { set, parameters, replace: { text: typed.text, file: typed.file } };
  return { kind: 'read', edit, mistakes: [], typed };
};

const readConfigFile = async (
  file: string | undefined,
  mistakes: Mistake[],
): Promise<ConfigText | undefined> => {
  if (file === undefined) return undefined;
  if (file === STANDARD_INPUT)
    return { text: await readStream(process.stdin), file: 'standard input' };
  try {
    return { text: readFileSync(file, 'utf8'), file };
  } catch (error) {
    const message = `cannot be read (${error instanceof Error ? error.message : String(error)})`;
    mistakes.push({ file, path: '', message });
    return undefined;
  }
};
