/** What is told of an incident, and by whom. */
import type { JournalDetails } from '../model/journal.ts';

/** One line of a journal: something seen or done (`event`), or a decision without one. */
export interface JournalEntry {
  /** The member, or `proxy`. */
  readonly teller: string;
  /** Milliseconds since 1970 on the teller's own wall clock. */
  readonly wallMs: number;
  /** On the boot clock of the teller's host; undefined: it has not said so. */
  readonly clock: number | undefined;
  /** The store as the teller knew it then; undefined: not known. */
  readonly revision: number | undefined;
  readonly event: string | undefined;
  readonly level: string;
  readonly rule: string | undefined;
  /** The evidence; never among the details. */
  readonly because: string | undefined;
  /** The kind of action a decision asked for. */
  readonly action: string | undefined;
  readonly details: JournalDetails;
}

/** All that one teller has to say, oldest first. */
export interface Testimony {
  readonly teller: string;
  readonly entries: readonly JournalEntry[];
}

/** An entry in its place among those of all tellers. */
export interface PlacedEntry extends JournalEntry {
  /** When it was, for people: wall clocks that cannot be right are corrected. Never decreases. */
  readonly atMs: number;
}

export const textIn = (entry: JournalEntry | undefined, key: string): string | undefined => {
  const value = entry?.details[key];
  return value === undefined ? undefined : String(value);
};

export const numberIn = ({ details }: JournalEntry, key: string): number | undefined => {
  const value = details[key];
  return typeof value === 'number' ? value : undefined;
};

/** Of the end of a server: it was the primary, whatever it was started as. */
export const endedAsPrimary = ({ details }: JournalEntry): boolean =>
  details['as'] === 'primary' || details['promoted'] === true;
