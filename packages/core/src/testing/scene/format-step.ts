/** What a step answers, as people read it in a transcript. */
import type { Action, Dispatch } from '../../model/action.ts';
import { type Instant, elapsedMs } from '../../model/instant.ts';
import { type Lsn, formatLsn } from '../../model/lsn.ts';
import type { StoreCompare, StoreWrite } from '../../model/store.ts';
import { type KnownPosition, formatPosition } from '../../model/wal-position.ts';
import type { Decision } from '../../rules/rule.ts';
import type { MemberState, StepEvent } from '../../state.ts';
import type { StepResult } from '../../step.ts';

const isLsn = (value: unknown): value is Lsn => typeof value === 'bigint';

/** `{a: 1, b: [x]}`, with LSNs as PostgreSQL writes them and without what is undefined. */
const formatValue = (value: unknown): string => {
  if (isLsn(value)) return formatLsn(value);
  if (Array.isArray(value)) return `[${value.map(formatValue).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return String(value);
  if ('known' in value) return formatKnown(value as KnownPosition);
  if ('timeline' in value && 'lsn' in value) return formatPosition(value as never);
  const entries = Object.entries(value).filter(([, part]) => part !== undefined);
  return `{${entries.map(([key, part]) => `${key}: ${formatValue(part)}`).join(', ')}}`;
};

const formatKnown = (position: KnownPosition): string =>
  position.known ? formatPosition(position.position) : 'not known';

const formatCompare = ({ key, modRevision }: StoreCompare): string =>
  modRevision === 0 ? `${key} absent` : `${key}@${modRevision}`;

const formatWrite = (write: StoreWrite): string => {
  if ('member' in write)
    return `members/${write.member}: ${write.put.state} ${write.put.role} on lease ${write.leaseId}`;
  if ('remove' in write) return `${write.key} removed`;
  const lease = write.leaseId === undefined ? '' : ` on lease ${write.leaseId}`;
  return `${write.key}: ${write.put === '' ? '""' : formatValue(write.put)}${lease}`;
};

const inMs = (now: Instant, at: Instant): string => {
  const ms = elapsedMs(now, at);
  return ms > 0 ? `in ${ms} ms` : ms === 0 ? 'now' : `${-ms} ms ago`;
};

/** An action in one line; a transaction with a line for its conditions and one for each write. */
const formatAction = (action: Action, now: Instant): string => {
  if (action.kind === 'transact') {
    const { compares, writes } = action.transaction;
    const conditions =
      compares.length === 0 ? [] : [`if ${compares.map(formatCompare).join(', ')}`];
    return [action.purpose, ...conditions, ...writes.map(formatWrite)].join('\n      ');
  }
  if (action.kind === 'extend-deadline')
    return `extend-deadline ${inMs(now, action.deadline)}, lease ${action.leaseId}`;
  const { kind, ...rest } = action;
  // Said where commits wait only: elsewhere it is the same in every transcript.
  const said = Object.entries(rest).filter(
    ([key, value]) => key !== 'syncNames' || value !== undefined,
  );
  const parts = said.map(
    ([key, value]) => `${key} ${value === undefined ? 'none' : formatValue(value)}`,
  );
  return [kind, parts.join(', ')].join(' ').trimEnd();
};

const isInstant = (key: string): boolean =>
  ['since', 'notBefore', 'at'].includes(key) || /(?:At|Since|Until)$/u.test(key);

/** The leaves in which a remembered part differs from before. */
const changes = (path: string, [was, is]: readonly [unknown, unknown], now: Instant): string[] => {
  if (Object.is(was, is)) return [];
  const deep = typeof is === 'object' && is !== null && !Array.isArray(is);
  if (!deep || 'lsn' in is) {
    if ((was === undefined && is === false) || formatValue(was) === formatValue(is)) return [];
    const key = path.slice(path.lastIndexOf('.') + 1);
    const isTime = isInstant(key) && typeof is === 'number';
    return [`${path} = ${isTime ? inMs(now, is as Instant) : formatValue(is)}`];
  }
  const before = (was ?? {}) as Record<string, unknown>;
  return Object.entries(is).flatMap(([key, part]) =>
    changes(`${path}.${key}`, [before[key], part], now),
  );
};

const formatDecision = (decision: Decision, before: MemberState, sent: Set<Dispatch>): string[] => {
  const lines = [`${decision.rule}: ${decision.because}`];
  const { action, remember } = decision;
  if (action !== undefined) {
    const match = [...sent].find((dispatch) => dispatch.action === action);
    if (match !== undefined) sent.delete(match);
    const lane = match === undefined ? 'not sent, the lane is busy or rests' : match.lane;
    lines.push(`    ${lane}: ${formatAction(action, before.now)}`);
  }
  for (const [key, value] of Object.entries(remember ?? {}))
    for (const change of changes(key, [before[key as keyof MemberState], value], before.now))
      lines.push(`    remember: ${change}`);
  return lines;
};

const formatEvent = ({ name, level, details }: StepEvent): string => {
  const parts = Object.entries(details).map(([key, value]) => `${key}=${String(value)}`);
  return `event ${level} ${[name, ...parts].join(' ')}`;
};

/** Decisions with what they send and remember, then what the chores send, events, the next look. */
export const formatStep = (before: MemberState, result: StepResult): string => {
  const sent = new Set(result.dispatches);
  const lines = result.decisions.flatMap((decision) => formatDecision(decision, before, sent));
  for (const { lane, action } of sent)
    lines.push(`chore ${lane}: ${formatAction(action, before.now)}`);
  for (const event of result.events) lines.push(formatEvent(event));
  const { wakeAt } = result;
  lines.push(wakeAt === undefined ? 'no time to wake' : `wake ${inMs(before.now, wakeAt)}`);
  return `${lines.join('\n')}\n`;
};
