import { type WriteStream, createWriteStream, renameSync, statSync } from 'node:fs';
import type { Decision, Input, StepEvent, StepResult } from '@matriarch/core';

/** One file and one older one are kept. */
const FILE_LIMIT_BYTES = 16 * 1024 * 1024;
/** What a disk that hangs may hold back; lines beyond it are lost. */
const BUFFER_LIMIT_BYTES = 4 * 1024 * 1024;

export interface Journal {
  readonly file: string;
  write(result: StepResult, input: Input): void;
  close(): void;
}

/** LSNs are bigints; in the journal they are decimal text. */
const toText = (_key: string, value: unknown): unknown =>
  typeof value === 'bigint' ? value.toString() : value;

/**
 * Every decision that did or changed something, with its evidence, as JSON lines. What is only
 * repeated is left out: a loop that holds for hours writes nothing.
 *
 * It never throws, and it goes on as soon as it can: a full disk must not end the loop, the journal
 * is the first thing to do without.
 */
export const openJournal = (file: string, limitBytes = FILE_LIMIT_BYTES): Journal => {
  const pages = createPages(file, limitBytes);
  let last = '';
  const line = ({ state }: StepResult, entry: object): void => {
    const at = new Date().toISOString();
    // When and on what: on the host's own clock, and on which state of the store.
    const stamp = { at, clock: state.now, revision: state.snapshot?.value.revision };
    pages.append(`${JSON.stringify({ ...stamp, ...entry }, toText)}\n`);
  };
  return {
    file,
    write: (result, input) => {
      for (const event of result.events) line(result, eventEntry(event));
      for (const decision of result.decisions) {
        const key = `${decision.rule}\n${decision.because}`;
        if (decision.rule === 'hold' || (key === last && decision.action === undefined)) continue;
        last = key;
        line(result, decisionEntry(decision, input));
      }
    },
    close: () => pages.close(),
  };
};

export interface Pages {
  append(text: string): void;
  close(): void;
}

/** The file that is written to, and when it is full its predecessor. */
export const createPages = (file: string, limitBytes = FILE_LIMIT_BYTES): Pages => {
  let written = sizeOf(file);
  let isBroken = false;
  let stream: WriteStream | undefined;
  /** A file that is renamed before it is opened is not the one that the stream will write to. */
  let isOpen = false;
  const open = (): WriteStream => {
    const opened = createWriteStream(file, { flags: 'a', mode: 0o600 });
    isOpen = false;
    opened.on('open', () => {
      if (stream === opened) isOpen = true;
    });
    opened.on('error', () => {
      if (stream === opened) stream = undefined;
      isBroken = true;
    });
    return opened;
  };
  const turn = (): void => {
    stream?.end();
    stream = undefined;
    try {
      renameSync(file, `${file}.1`);
    } catch {
      // It goes on in the old file, or there is none.
    }
    written = 0;
  };
  return {
    append: (text) => {
      if (written >= limitBytes && (stream === undefined || isOpen)) turn();
      stream ??= open();
      if (stream.writableLength > BUFFER_LIMIT_BYTES) return;
      // A line that was cut off must not take the next one with it.
      const whole = isBroken ? `\n${text}` : text;
      isBroken = false;
      written += Buffer.byteLength(whole);
      stream.write(whole);
    },
    close: () => stream?.end(),
  };
};

const sizeOf = (file: string): number => {
  try {
    return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  } catch {
    return 0;
  }
};

const eventEntry = ({ name, level, details, rule, because }: StepEvent): object => ({
  event: name,
  level,
  rule,
  because,
  ...details,
});

const decisionEntry = ({ rule, because, action }: Decision, input: Input): object => ({
  rule,
  because,
  on: input.kind,
  ...(action === undefined ? {} : { action: action.kind }),
});
