import { type WriteStream, createWriteStream, renameSync, statSync } from 'node:fs';
import type { Decision, Input, StepEvent, StepResult } from '@matriarch/core';

/** One file and one older one are kept. */
const FILE_LIMIT_BYTES = 16 * 1024 * 1024;

export interface Journal {
  write(result: StepResult, input: Input): void;
  close(): void;
}

/** LSNs are bigints; in the journal they are decimal text. */
const toText = (_key: string, value: unknown): unknown =>
  typeof value === 'bigint' ? value.toString() : value;

/**
 * Every decision that did or changed something, with its evidence, as JSON lines. What is only
 * repeated is left out: a loop that holds for hours writes nothing.
 */
export const openJournal = (file: string): Journal => {
  let written = sizeOf(file);
  let stream = append(file);
  let last = '';
  const line = (entry: object): void => {
    const text = `${JSON.stringify({ at: new Date().toISOString(), ...entry }, toText)}\n`;
    written += text.length;
    stream.write(text);
    if (written < FILE_LIMIT_BYTES) return;
    stream.end();
    renameSync(file, `${file}.1`);
    stream = append(file);
    written = 0;
  };
  return {
    write: (result, input) => {
      for (const event of result.events) line(eventEntry(event));
      for (const decision of result.decisions) {
        const key = `${decision.rule}\n${decision.because}`;
        if (decision.rule === 'hold' || (key === last && decision.action === undefined)) continue;
        last = key;
        line(decisionEntry(decision, input));
      }
    },
    close: () => stream.end(),
  };
};

const append = (file: string): WriteStream => {
  const stream = createWriteStream(file, { flags: 'a', mode: 0o600 });
  // A full disk must not end the loop: the journal is the first thing to do without.
  stream.on('error', () => undefined);
  return stream;
};

const sizeOf = (file: string): number => statSync(file, { throwIfNoEntry: false })?.size ?? 0;

const eventEntry = ({ name, level, details }: StepEvent): object => ({
  event: name,
  level,
  ...details,
});

const decisionEntry = ({ rule, because, action }: Decision, input: Input): object => ({
  rule,
  because,
  on: input.kind,
  ...(action === undefined ? {} : { action: action.kind }),
});
