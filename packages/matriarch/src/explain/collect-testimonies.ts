/**
 * Asks everybody what happened: each member over REST, the store for those that do not answer, and
 * the proxy's journal where it lies on this machine.
 */
import type { JournalEntry, StoreSnapshot, Testimony } from '@matriarch/core';
import { readJournal } from '../agent/journal/read-journal.ts';
import { entryOfRow, parseJournalLine } from './parse-lines.ts';

/** How an HTTP GET ends. */
export type Fetched =
  | { readonly kind: 'answered'; readonly status: number; readonly text: string }
  | { readonly kind: 'no-answer'; readonly cause: string };

export interface Witness {
  readonly name: string;
  /** Address of its REST API; undefined: nobody knows it. */
  readonly apiUrl: string | undefined;
}

/** Where what a teller says came from. */
export interface Source {
  readonly teller: string;
  readonly from: 'journal' | 'store' | 'nowhere';
  /** Why it is not its journal. */
  readonly cause?: string | undefined;
  /** The time from which on all that it told is there; undefined: from the beginning. */
  readonly completeSinceMs?: number | undefined;
}

export interface Collected {
  readonly testimonies: readonly Testimony[];
  readonly sources: readonly Source[];
}

export interface CollectParts {
  readonly witnesses: readonly Witness[];
  readonly snapshot: StoreSnapshot | undefined;
  readonly get: (url: string) => Promise<Fetched>;
  /** The proxy's journal, if it may lie on this machine. */
  readonly proxyJournal: string | undefined;
}

interface Heard {
  readonly source: Source;
  readonly entries: readonly JournalEntry[];
}

export const PROXY = 'proxy';

export const collectTestimonies = async (parts: CollectParts): Promise<Collected> => {
  const { witnesses, proxyJournal } = parts;
  const heard = await Promise.all([
    ...witnesses.map(async (witness) => hear(witness, parts)),
    ...(proxyJournal === undefined ? [] : [hearProxy(proxyJournal)]),
  ]);
  return {
    sources: heard.map(({ source }) => source),
    testimonies: heard
      .filter(({ entries }) => entries.length > 0)
      .map(({ source, entries }) => ({ teller: source.teller, entries })),
  };
};

const hear = async (witness: Witness, { snapshot, get }: CollectParts): Promise<Heard> => {
  const { name } = witness;
  const told = (snapshot?.journal?.value.rows ?? [])
    .filter(({ member }) => member === name)
    .flatMap((row) => entryOfRow(row) ?? []);
  const answer = await ask(witness, get);
  if ('cause' in answer) {
    const from = told.length > 0 ? 'store' : 'nowhere';
    const source: Source = { teller: name, from, cause: answer.cause };
    return { source: { ...source, completeSinceMs: told[0]?.wallMs }, entries: told };
  }
  const [first] = answer.entries;
  // A member that lost its disk has only in the store what it told before.
  const earlier = told.filter((row) => isBefore(row, answer.entries));
  const completeSinceMs = answer.complete ? undefined : first?.wallMs;
  return {
    source: { teller: name, from: 'journal', completeSinceMs },
    entries: [...earlier, ...answer.entries],
  };
};

/** The store's rows have their time from another clock than the lines of the journal. */
const isBefore = (row: JournalEntry, entries: readonly JournalEntry[]): boolean => {
  const [first] = entries;
  if (first === undefined) return true;
  const isThere = entries.some(
    ({ clock, event, rule }) => clock === row.clock && event === row.event && rule === row.rule,
  );
  return row.wallMs < first.wallMs && !isThere;
};

type Answer =
  | { readonly entries: readonly JournalEntry[]; readonly complete: boolean }
  | { readonly cause: string };

const ask = async ({ name, apiUrl }: Witness, get: CollectParts['get']): Promise<Answer> => {
  if (apiUrl === undefined || !URL.canParse(apiUrl)) return { cause: 'its address is not known' };
  const answer = await get(new URL('/matriarch/journal', apiUrl).href);
  if (answer.kind === 'no-answer') return { cause: answer.cause };
  if (answer.status !== 200) return { cause: `it answers with status ${answer.status}` };
  const [head = '', ...lines] = answer.text.split('\n');
  const about = parseHead(head);
  if (about === undefined) return { cause: 'it keeps no journal: it is of Patroni, or older' };
  if (about.member !== name) return { cause: `${about.member} answers at its address` };
  return {
    entries: lines.flatMap((line) => parseJournalLine(name, line) ?? []),
    complete: about.complete,
  };
};

const parseHead = (
  text: string,
): { readonly member: string; readonly complete: boolean } | undefined => {
  try {
    const { member, complete } = JSON.parse(text) as { member?: unknown; complete?: unknown };
    return typeof member === 'string' ? { member, complete: complete === true } : undefined;
  } catch {
    return undefined;
  }
};

const hearProxy = async (file: string): Promise<Heard> => {
  const { lines, complete } = await readJournal(file);
  const entries = lines.flatMap((line) => parseJournalLine(PROXY, line) ?? []);
  if (entries.length === 0)
    return {
      source: { teller: PROXY, from: 'nowhere', cause: 'no journal of it on this machine' },
      entries,
    };
  return {
    source: {
      teller: PROXY,
      from: 'journal',
      completeSinceMs: complete ? undefined : entries[0]?.wallMs,
    },
    entries,
  };
};
