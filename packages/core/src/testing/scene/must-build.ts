import type { MemberState } from '../../state.ts';
import { parseTranscript } from './transcript.ts';

/** The member of one scene given as text, for tests that go on from there; throws on a mistake. */
export const mustBuildMember = (text: string): MemberState => {
  const { scenes, mistakes } = parseTranscript(`${text.trim()}\nanswers hold\n`);
  const told = mistakes.map(({ line, what }) => `line ${line}: ${what}`);
  if (told.length > 0 || scenes[0] === undefined) throw new Error(told.join('\n'));
  return scenes[0].member;
};
