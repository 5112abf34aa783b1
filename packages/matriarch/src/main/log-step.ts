/** What of a step is worth a line in the log. */
import type { Input, JobProgress, StepEvent, StepResult } from '@matriarch/core';
import type { Logger } from '../agent/log.ts';

/** The same failure again is said again only after this time. */
const REPEAT_MS = 10_000;
/** How far long work has come is said this often. */
const PROGRESS_MS = 5_000;

export const createStepLog = (log: Logger): ((result: StepResult, input: Input) => void) => {
  const said = new Map<string, number>();
  const logFailure = (input: Input): void => {
    if (input.kind !== 'outcome' || input.outcome.result.kind === 'done') return;
    const { kind, result } = input.outcome;
    const now = performance.now();
    const key = `${kind} ${result.cause}`;
    const last = said.get(key);
    if (last !== undefined && now - last < REPEAT_MS) return;
    // Causes may hold figures: what was said long ago is forgotten.
    for (const [other, at] of said) if (now - at >= REPEAT_MS) said.delete(other);
    said.set(key, now);
    log.warn({ action: kind, outcome: result.kind, cause: result.cause }, 'action failed');
  };
  const logProgress = createProgressLog(log);
  return ({ events, decisions, dispatches }, input) => {
    logFailure(input);
    if (input.kind === 'job-progress') logProgress(input.progress);
    for (const event of events) logEvent(log, event);
    const sent = new Set(dispatches.map(({ rule }) => rule));
    for (const { rule, because, action } of decisions)
      if (action !== undefined && sent.has(rule))
        log.debug({ rule, because, action: action.kind }, 'decided');
  };
};

const createProgressLog = (log: Logger): ((progress: JobProgress) => void) => {
  let saidAt = Number.NEGATIVE_INFINITY;
  let saidOf: JobProgress['kind'] | undefined;
  return ({ kind, doneBytes, totalBytes }) => {
    const now = performance.now();
    if (doneBytes === undefined || (kind === saidOf && now - saidAt < PROGRESS_MS)) return;
    saidAt = now;
    saidOf = kind;
    const percent =
      totalBytes === undefined || totalBytes === 0
        ? {}
        : { totalBytes, percent: Math.min(100, Math.floor((doneBytes / totalBytes) * 100)) };
    log.info({ job: kind, doneBytes, ...percent }, 'job progress');
  };
};

const logEvent = (log: Logger, { name, level, details }: StepEvent): void =>
  log[level]({ event: name, ...details }, name.replace('.', ' '));
