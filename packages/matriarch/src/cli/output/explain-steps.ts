/** The steps of an incident, one below the other: when, who, seen or decided or done, what, why. */
import { type Incident, type Step, formatMs } from '@matriarch/core';
import { type Paint, wrap } from './paint.ts';

/** `decided` is the longest of the three. */
const PHASE = 'decided'.length;

export const formatSteps = (
  { steps }: Pick<Incident, 'steps'>,
  paint: Paint,
  width: number,
): string[] => {
  const offsets = steps.map(({ offsetMs }) => `+${formatMs(offsetMs)}`);
  const when = Math.max(0, ...offsets.map((text) => text.length));
  const who = Math.max(0, ...steps.map(({ teller }) => teller.length));
  const left = when + 2 + who + 2 + PHASE + 2;
  return steps.flatMap((step, index) => {
    const isSame = offsets[index] === offsets[index - 1];
    const head = [
      paint.dim((isSame ? '' : (offsets[index] ?? '')).padStart(when)),
      step.teller.padEnd(who),
      colourOf(step, paint)(step.phase.padEnd(PHASE)),
    ].join('  ');
    const [first = '', ...rest] = wrap(sentence(step), width - left);
    const indent = ' '.repeat(left);
    return [
      `${head}  ${first}`,
      ...rest.map((text) => indent + text),
      ...why(step, width - left - 2).map((text) => `${indent}  ${paint.dim(text)}`),
    ];
  });
};

const colourOf = ({ phase }: Step, paint: Paint): ((text: string) => string) =>
  ({ seen: paint.cyan, decided: paint.yellow, done: paint.green })[phase];

const sentence = ({ text, alsoBy }: Step): string => {
  if (alsoBy === undefined) return text;
  const others = alsoBy.map(({ teller, laterMs }) => `${teller} ${formatMs(laterMs)} later`);
  return `${text} (also ${others.join(', ')})`;
};

const why = ({ because, rule }: Step, width: number): string[] => {
  if (because === undefined) return [];
  return wrap(`because ${because}${rule === undefined ? '' : ` [${rule}]`}`, width);
};
