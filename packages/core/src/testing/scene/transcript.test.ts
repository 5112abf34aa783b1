/*
 * Shows that scenes say what they mean: a typing error is told with its line and the word that was
 * meant, all of them at once, and no line is ever left out in silence.
 */
import { describe, expect, it } from 'vitest';
import { after } from '../../model/instant.ts';
import { NOW } from './line.ts';
import { parseTranscript, renderTranscript } from './transcript.ts';

const SCENE = `# A primary.
me alpha: priority 2
process: running, primary
store leader bravo: revision 41
answers hold
`;

const mistakesIn = (text: string): readonly string[] =>
  parseTranscript(text).mistakes.map(({ line, what }) => `${line}: ${what}`);

const withLine = (line: string): string => SCENE.replace('answers', `${line}\nanswers`);

describe('a mistake', () => {
  it.each([
    [
      'a fact nobody knows',
      'proces: running',
      'there is no fact "proces"; did you mean "process"?',
    ],
    [
      'a fact of the store nobody knows',
      'store member: running',
      '"store member" needs the name of a member',
    ],
    [
      'a name where none belongs',
      'store status bravo: written 0/1',
      '"store status" takes no name, but has "bravo"',
    ],
    ['a fact that is said twice', 'me alpha:', '"me alpha" is said twice'],
    [
      'a fact left out that is not there',
      'no store leader charlie',
      'there is no line "store leader charlie" to leave out',
    ],
  ])('with %s is told with its line', (_name, line, what) => {
    expect(mistakesIn(withLine(line))).toContain(`5: ${what}`);
  });

  it.each([
    ['vacating: crsh', '"vacating" has no clause "crsh"; did you mean "crash"?'],
    [
      'lease held: dedline in 3s',
      '"lease held" has no clause "dedline in 3s"; did you mean "deadline"?',
    ],
    ['lease held: deadline 3s', '"deadline 3s": expected "now", "20ms ago" or "in 20s"'],
    ['lease held: deadline in 3 weeks', '"deadline in 3 weeks": expected'],
    ['policy: ttl 5', '"ttl 5": expected a duration'],
    ['policy: ttl 5s, ttl 6s', '"ttl" is said twice'],
    ['vacating: crash, end 0/1', '"end 0/1": expected a position such as "0/5000000 on 1"'],
    ['probe: standby, at 5000000', '"at 5000000": expected an LSN'],
    ['probe: at 0/1', '"probe" needs primary, standby, starting'],
    ['probe: primary, standby', '"primary" and "standby" cannot both be true'],
    ['probe: primary, at 0/1, 3 ms before', '"probe" has no clause "3 ms before"'],
    [
      'store timelines: promotion 2 after 1',
      '"promotion 2 after 1": write "promotion 2 from 1 at 0/5000000 by bravo"',
    ],
    ['store status: slot bravo', '"slot bravo": write "slot bravo at 0/4000000"'],
  ])('in "%s" is told', (line, what) => {
    expect(mistakesIn(withLine(line)).join('\n')).toContain(`5: ${what}`);
  });

  it('is told with all others', () => {
    const text = 'me alpha: nofailovr\nproces: running\nanswers hold\n';
    expect(mistakesIn(text).map((mistake) => mistake.slice(0, 2))).toEqual(['2:', '1:', '1:']);
  });

  it('is a scene that expects nothing, that has no member, or a file without a scene', () => {
    expect(mistakesIn('me alpha:\nprocess: dead\n')[0]).toMatch(/^1: the scene expects nothing/u);
    expect(mistakesIn('me alpha:\nanswers hold\n')).toContain('1: the scene has no line "process"');
    expect(mistakesIn('')).toEqual(['1: there is no scene']);
  });
});

describe('a scene', () => {
  it('becomes the member it tells of', () => {
    const [scene] = parseTranscript(SCENE).scenes;
    expect(scene?.member).toMatchObject({
      now: NOW,
      self: { name: 'alpha', address: 'alpha:5432', tags: { failoverPriority: 2 } },
      process: { kind: 'running', startedAs: 'primary' },
      snapshot: { value: { leader: { value: 'bravo', modRevision: 41, leaseId: '8' } } },
      lease: { id: '7', renewedAt: after(NOW, -1_000) },
    });
    expect(scene?.answers).toEqual(['hold']);
  });

  it('below another one is that one with the lines that are different', () => {
    const text = `${SCENE}----\nhold: nothing\n\nme alpha: nofailover\nno store leader bravo\ndoes not answer hold\nsends no fence, exit\n`;
    const { scenes, mistakes } = parseTranscript(text);
    expect(mistakes).toEqual([]);
    const [, second] = scenes;
    expect(second?.member.self.tags).toMatchObject({ nofailover: true, failoverPriority: 1 });
    expect(second?.member.process).toMatchObject({ startedAs: 'primary' });
    expect(second?.member.snapshot).toBeUndefined();
    expect(second).toMatchObject({
      answers: [],
      answersNot: ['hold'],
      sendsNot: ['fence', 'exit'],
    });
  });

  it('is the same whatever the order of its lines', () => {
    const lines = ['me alpha:', 'process: running, standby', 'policy: ttl 20s', 'lease: ttl 20s'];
    const text = [...lines, 'answers hold'].join('\n');
    const turned = [...lines.toReversed(), 'answers hold'].join('\n');
    expect(parseTranscript(text).scenes[0]?.member).toEqual(
      parseTranscript(turned).scenes[0]?.member,
    );
  });
});

describe('renderTranscript', () => {
  it('keeps what people wrote and writes the answers below, once and again', () => {
    const text = `${SCENE}\n# Another one.\nprocess: dead\nanswers kill-leftovers\n`;
    const answered = renderTranscript(parseTranscript(text), () => 'done\n');
    expect(answered).toBe(
      `${SCENE}----\ndone\n\n# Another one.\nprocess: dead\nanswers kill-leftovers\n----\ndone\n`,
    );
    expect(renderTranscript(parseTranscript(answered), () => 'done\n')).toBe(answered);
  });
});
