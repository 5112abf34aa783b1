import type { MemberState } from '../../state.ts';
import { parseTranscript } from './transcript.ts';

/**
 * The member of one scene given as text, for tests that go on from there; throws on a mistake. A
 * later line takes the place of an earlier one on the same.
 */
export const mustBuildMember = (text: string): MemberState => {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const facts = new Map(lines.map((line) => [line.replace(/:.*$/u, ''), line]));
  const { scenes, mistakes } = parseTranscript([...facts.values(), 'answers hold', ''].join('\n'));
  const told = mistakes.map(({ line, what }) => `line ${line}: ${what}`);
  if (told.length > 0 || scenes[0] === undefined) throw new Error(told.join('\n'));
  return scenes[0].member;
};
