/**
 * Shows what a member decides, scene by scene: facts in, decisions out. Each file of transcripts/
 * holds a scene and what one changed fact makes of it. The answers are written with `-u` and read as
 * a diff; which rule must answer, and which must not, stands among the facts and is held always.
 * Every rule answers in some scene, and has another one, a fact away, in which it does not.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { step } from '../step.ts';
import type { MemberState } from '../state.ts';
import { deepFreeze } from '../testing/deep-freeze.ts';
import { formatStep } from '../testing/scene/format-step.ts';
import { type Transcript, parseTranscript, renderTranscript } from '../testing/scene/transcript.ts';
import { rules } from './table.ts';

const FOLDER = new URL('./transcripts/', import.meta.url);

const files = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.txt'))
  .toSorted();

const readTranscript = (file: string): Transcript =>
  parseTranscript(readFileSync(new URL(file, FOLDER), 'utf8'));

const play = (member: MemberState) => step(deepFreeze(member), { kind: 'tick', now: member.now });

const rulesAnswering = (member: MemberState): readonly string[] =>
  play(member).decisions.map(({ rule }) => rule);

const namesSent = (member: MemberState): readonly string[] =>
  play(member).dispatches.map(({ action }) =>
    action.kind === 'transact' ? action.purpose : action.kind,
  );

const ids = new Set(rules.map(({ id }) => id));

describe.each(files)('%s', (file) => {
  const transcript = readTranscript(file);

  const mistakes = transcript.mistakes.map(({ line, what }) => `${file}:${line}: ${what}`);

  it('is written as scenes are written', () => {
    expect(mistakes.join('\n')).toBe('');
  });

  it('expects what the rules answer', () => {
    for (const { member, firstLine, answers, answersNot, sends, sendsNot } of transcript.scenes) {
      const answering = rulesAnswering(member);
      const where = `${file}:${firstLine}: answered by ${answering.join(', ')}`;
      for (const rule of [...answers, ...answersNot])
        expect(ids.has(rule), `${file}: there is no rule "${rule}"`).toBe(true);
      for (const rule of answers) expect(answering, where).toContain(rule);
      for (const rule of answersNot) expect(answering, where).not.toContain(rule);
      const sent = namesSent(member);
      for (const name of sends) expect(sent, where).toContain(name);
      for (const name of sendsNot) expect(sent, where).not.toContain(name);
    }
  });

  it('shows what the member does', async () => {
    // A file that cannot be read whole must not be written.
    expect(mistakes).toEqual([]);
    const text = renderTranscript(transcript, (member) => formatStep(member, play(member)));
    await expect(text).toMatchFileSnapshot(`./transcripts/${file}`);
  });
});

describe('the transcripts together', () => {
  const scenes = files.flatMap((file) => readTranscript(file).scenes);

  it('have a scene in which each rule answers', () => {
    const told = new Set(scenes.flatMap(({ answers }) => answers));
    expect([...ids].filter((id) => !told.has(id))).toEqual([]);
  });

  it('have a scene in which each rule does not quite answer', () => {
    const told = new Set(['hold', ...scenes.flatMap(({ answersNot }) => answersNot)]);
    expect([...ids].filter((id) => !told.has(id))).toEqual([]);
  });

  it('expect only actions that some scene sends', () => {
    const known = new Set(scenes.flatMap(({ member }) => namesSent(member)));
    const told = scenes.flatMap(({ sends, sendsNot }) => [...sends, ...sendsNot]);
    expect(told.filter((name) => !known.has(name))).toEqual([]);
  });
});
