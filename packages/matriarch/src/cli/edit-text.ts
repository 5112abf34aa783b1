/** A text in the editor of whoever sits at the terminal. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const USUAL_EDITOR = 'vi';

export const editorIn = (environment: NodeJS.ProcessEnv): string =>
  environment['EDITOR'] || USUAL_EDITOR;

export interface EditedText {
  readonly kind: 'edited';
  readonly text: string;
  readonly file: string;
  /** Takes the file away; until then nobody's typing is lost. */
  readonly remove: () => void;
}

/** `name` ends the file's name, so that the editor knows what kind of text it is. */
export const editText = async (
  text: string,
  name: string,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<EditedText | { readonly kind: 'failed'; readonly message: string }> => {
  const editor = editorIn(environment);
  const directory = mkdtempSync(join(tmpdir(), 'matriarch-edit-'));
  const file = join(directory, name);
  const remove = (): void => rmSync(directory, { recursive: true, force: true });
  try {
    writeFileSync(file, text, { mode: 0o600 });
    const end = await runEditor(editor, file);
    if (end === 0) return { kind: 'edited', text: readFileSync(file, 'utf8'), file, remove };
    remove();
    return { kind: 'failed', message: `the editor (${editor}) ended with ${end}` };
  } catch (error) {
    remove();
    throw error;
  }
};

/** Answers 0, or what it ended with. `EDITOR` may have words behind the program. */
const runEditor = (editor: string, file: string): Promise<number | string> => {
  // Ctrl-C is the editor's while it runs: ended by it, we would leave the file behind.
  const ignore = (): void => undefined;
  process.on('SIGINT', ignore);
  return new Promise<number | string>((resolve, reject) => {
    const child = spawn('sh', ['-c', `${editor} "$1"`, 'sh', file], { stdio: 'inherit' });
    child.once('error', reject);
    child.once('close', (status, signal) =>
      resolve(status === 0 ? 0 : (signal ?? `status ${status}`)),
    );
  }).finally(() => process.off('SIGINT', ignore));
};
