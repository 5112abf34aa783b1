/** Which of what a step brought is kept to be told in the store as well. */
import {
  JOURNAL_ROWS_PER_MEMBER,
  JOURNAL_TEXT_MAX,
  type JournalDetails,
  type JournalRow,
  TOLD_WAITS,
} from '../model/journal.ts';
import type { Revision } from '../model/store.ts';
import type { MemberState, StepEvent } from '../state.ts';

/** A decision as the journal has it. */
interface Decided {
  readonly rule: string;
  readonly because: string;
  readonly action?: object | undefined;
  readonly remember?: object | undefined;
}

const WAITS: ReadonlySet<string> = new Set(TOLD_WAITS);

const cut = (text: string): string =>
  text.length <= JOURNAL_TEXT_MAX ? text : `${text.slice(0, JOURNAL_TEXT_MAX - 1)}…`;

const cutDetails = (details: JournalDetails): JournalDetails =>
  Object.fromEntries(
    Object.entries(details).map(([key, value]) => [
      key,
      typeof value === 'string' ? cut(value) : value,
    ]),
  );

/** The rows that wait to be written, with what this step adds; the oldest give way. */
export const keepForStore = (
  { self, now, snapshot, journal }: MemberState,
  told: { readonly events: readonly StepEvent[]; readonly decisions: readonly Decided[] },
): readonly JournalRow[] => {
  const row = { member: self.name, clock: now, revision: snapshot?.value.revision ?? NEVER_READ };
  const rows: JournalRow[] = told.events.map(({ name, level, details, rule, because }) => ({
    ...row,
    event: name,
    level,
    rule,
    because: because === undefined ? undefined : cut(because),
    details: cutDetails(details),
  }));
  for (const { rule, because, action, remember } of told.decisions) {
    if (!WAITS.has(rule) || action !== undefined || remember !== undefined) continue;
    const before = [...journal, ...rows].findLast((one) => one.rule === rule);
    if (before?.because === cut(because)) continue;
    rows.push({ ...row, level: 'info', rule, because: cut(because), details: {} });
  }
  return rows.length === 0 ? journal : [...journal, ...rows].slice(-JOURNAL_ROWS_PER_MEMBER);
};

const NEVER_READ = 0 as Revision;
