/** The story of each incident as people read it: 100 columns, colours only in a terminal. */
import { type Explanation, type Incident, type Loss, formatMs } from '@matriarch/core';
import type { Source } from '../../explain/collect-testimonies.ts';
import { type Paint, paintFor, wrap } from './paint.ts';
import { formatSteps } from './explain-steps.ts';

export interface ExplainOptions {
  readonly cluster: string;
  readonly sources: readonly Source[];
  /** Incidents that are known and not shown. */
  readonly earlier: number;
  readonly colours: boolean;
}

export const WIDTH = 100;
/** Width of the words at the left of what is concluded. */
const LABEL = 9;

export const formatExplanation = (
  { incidents, shiftsMs }: Explanation,
  { cluster, sources, earlier, colours }: ExplainOptions,
): string => {
  const paint = paintFor(colours);
  const stories = incidents.map((incident) => formatIncident(incident, paint));
  if (stories.length === 0) {
    const when = earlier === 0 ? 'that anybody knows of' : 'in that time';
    stories.push([`nothing has happened to cluster ${cluster} ${when}`]);
  }
  const foot = [
    ...line(paint, 'Told by', sources.map(formatSource).join('; ')),
    ...Object.entries(shiftsMs)
      .filter(([, ms]) => Math.abs(ms) >= 1)
      .flatMap(([teller, ms]) =>
        line(
          paint,
          'Clocks',
          `${teller}’s is ${formatMs(Math.abs(ms))} ${ms < 0 ? 'ahead' : 'behind'}: corrected`,
        ),
      ),
    ...(earlier > 0
      ? line(
          paint,
          'Earlier',
          `${earlier} more: matriarch explain --last ${incidents.length + earlier}`,
        )
      : []),
  ];
  return [...stories.flatMap((story) => [...story, '']), ...foot].join('\n');
};

const line = (paint: Paint, label: string, text: string): string[] =>
  wrap(text, WIDTH - LABEL).map(
    (part, index) => `${paint.dim((index === 0 ? label : '').padEnd(LABEL))}${part}`,
  );

const formatSource = ({ teller, from, cause, completeSinceMs }: Source): string => {
  const since = completeSinceMs === undefined ? '' : ` since ${formatTime(completeSinceMs)}`;
  const why = cause === undefined ? '' : ` (${cause})`;
  if (from === 'nowhere') return `not by ${teller}${why}`;
  return from === 'journal'
    ? `${teller}${since}`
    : `${teller}, from what the store kept${since}${why}`;
};

/** `2026-11-27 22:41:07.312 UTC` */
export const formatTime = (ms: number): string =>
  `${new Date(ms).toISOString().replace('T', ' ').replace('Z', '')} UTC`;

const formatIncident = (incident: Incident, paint: Paint): string[] => {
  const { number, title, cause, refusals, silences, loss } = incident;
  return [
    paint.bold(`${number}. ${title}`),
    ...(cause === '' ? [] : wrap(cause, WIDTH)),
    paint.dim(summaryOf(incident)),
    '',
    ...formatSteps(incident, paint, WIDTH),
    ...apart([
      ...formatWay(incident, paint),
      ...silences.flatMap(({ member, text }, index) =>
        line(paint, index === 0 ? 'Silent' : '', `${member}: ${text}`),
      ),
      ...formatRefusals(refusals, 'refused', paint),
      ...formatRefusals(refusals, 'waited', paint),
      ...(loss === undefined ? [] : formatLoss(loss, paint)),
      ...formatOpen(incident, paint),
    ]),
  ];
};

/** With an empty line before it, if there is anything. */
const apart = (lines: readonly string[]): readonly string[] =>
  lines.length === 0 ? [] : ['', ...lines];

const summaryOf = (incident: Incident): string => {
  const { beganAtMs, endedAtMs, withoutPrimaryMs, isInferred, missing, settled } = incident;
  const without =
    withoutPrimaryMs === undefined
      ? []
      : [`no primary for ${isInferred ? 'at least ' : ''}${formatMs(withoutPrimaryMs)}`];
  const over =
    missing.length === 0 && settled
      ? [`everything well after ${formatMs(endedAtMs - beganAtMs)}`]
      : ['not over yet'];
  return [formatTime(beganAtMs), ...without, ...over].join(' · ');
};

const formatWay = ({ stages }: Incident, paint: Paint): string[] =>
  stages.length === 0
    ? []
    : line(
        paint,
        'Took',
        stages.map(({ name, tookMs }) => `${name} ${formatMs(tookMs)}`).join(' → '),
      );

const formatRefusals = (
  refusals: Incident['refusals'],
  wanted: 'refused' | 'waited',
  paint: Paint,
): string[] =>
  refusals
    .filter(({ kind }) => kind === wanted)
    .flatMap(({ by, because }, index) => {
      const label = wanted === 'refused' ? 'Refused' : 'Waited';
      const text = wanted === 'refused' ? `by ${by}: ${because}` : `${by}: ${because}`;
      return line(paint, index === 0 ? label : '', text);
    });

const formatLoss = (loss: Loss, paint: Paint): string[] => {
  switch (loss.kind) {
    case 'nothing':
      return colour(line(paint, 'Lost', `nothing: ${loss.because}`), 'nothing', paint.green);
    case 'lost': {
      const { member, timeline, from, to, bytes, mayBeAcknowledged, keptAt } = loss;
      const kept =
        keptAt === undefined
          ? `it is still in the data directory of ${member}`
          : `kept on ${member} in ${keptAt}`;
      const what = mayBeAcknowledged ? `${bytes} bytes of WAL` : 'nothing that was acknowledged';
      const more = mayBeAcknowledged ? '' : `: ${bytes} bytes of WAL`;
      const where = `${from} to ${to} of timeline ${timeline}`;
      const text = `${what}${more}, ${where}, that no other member had; ${kept}`;
      return colour(line(paint, 'Lost', text), what, mayBeAcknowledged ? paint.red : paint.green);
    }
    case 'unknown': {
      const { because, from, atLeastBytes = 0 } = loss;
      const least = atLeastBytes > 0 ? `at least ${atLeastBytes} bytes of WAL; ` : '';
      const after =
        from === undefined ? '' : ` (what it wrote after ${from} is in no other member)`;
      return colour(
        line(paint, 'Lost', `${least}not known yet: ${because}${after}`),
        'not known yet',
        paint.yellow,
      );
    }
  }
};

const colour = (lines: string[], word: string, paint: (text: string) => string): string[] =>
  lines.map((text, index) => (index === 0 ? text.replace(word, paint(word)) : text));

const formatOpen = ({ missing, settled }: Incident, paint: Paint): string[] => [
  ...(settled ? [] : line(paint, 'Open', 'there is no primary')),
  ...(missing.length === 0
    ? []
    : line(
        paint,
        settled ? 'Open' : '',
        `${missing.join(', ')} ${missing.length === 1 ? 'has' : 'have'} not come back yet`,
      )),
];
