import type { ErrorCode, ErrorEntry } from './codes.ts';
import { errorEntry } from './codes.ts';

export type Details = Readonly<Record<string, string | number | boolean>>;

/** Something that went wrong once: its code, what happened to whom, and the figures. */
export interface Problem {
  readonly code: ErrorCode;
  /** One sentence: what happened, to what, with which values, and what happens next. */
  readonly message: string;
  readonly details: Details;
  /** What it came from, as it was caught. Kept for the log; never sent to a client. */
  readonly cause?: unknown;
}

export const problem = (
  code: ErrorCode,
  message: string,
  more: { readonly details?: Details; readonly cause?: unknown } = {},
): Problem => ({
  code,
  message,
  details: more.details ?? {},
  ...(more.cause === undefined ? {} : { cause: more.cause }),
});

/** The JSON body of a failed request to our own API; the status is `httpStatus` of its code. */
export interface ProblemBody {
  readonly code: ErrorCode;
  readonly message: string;
  readonly what_to_do: string;
  readonly retriable: boolean;
  readonly details: Details;
}

export const problemBody = ({ code, message, details }: Problem): ProblemBody => {
  const { whatToDo, retriable }: ErrorEntry = errorEntry(code);
  return { code, message, what_to_do: whatToDo, retriable, details };
};

/** A problem for people: the message, and on a second line what to do about it. */
export const formatProblem = ({ code, message }: Problem): string =>
  `${message}\n${errorEntry(code).whatToDo}`;
