/** A text in an editor: programs in the place of the editor, which do to the file what people do. */
import { existsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { type EditedText, editText } from './edit-text.ts';

let kept: EditedText | undefined;

const edit = async (editor: string) => {
  const answer = await editText('ttl: 30\n', 'demo-config.yaml', {
    ...process.env,
    EDITOR: editor,
  });
  kept = answer.kind === 'edited' ? answer : undefined;
  return answer;
};

afterEach(() => {
  kept?.remove();
});

describe('editText', () => {
  it('brings what was written, by an editor with words behind its name', async () => {
    expect(await edit("sed -i 's/30/20/'")).toMatchObject({ kind: 'edited', text: 'ttl: 20\n' });
  });

  it('keeps the file, for its owner alone, until it is taken away', async () => {
    await edit('true');
    const file = kept?.file ?? '';
    expect(file).toMatch(/\/demo-config\.yaml$/);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    kept?.remove();
    expect(existsSync(dirname(file))).toBe(false);
  });

  it.each([
    ['exit 3;', 'status 3'],
    ['kill -9 $$;', 'SIGKILL'],
    ['no-such-editor', 'status 127'],
  ])('says how %s ended', async (editor, how) => {
    const message = `the editor (${editor}) ended with ${how}`;
    expect(await edit(editor)).toEqual({ kind: 'failed', message });
  });
});
