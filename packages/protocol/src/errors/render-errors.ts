import { errorCodes, errorEntry } from './codes.ts';

const exitMeanings = ['done', 'failed', 'wrong usage or input', 'refused by a rule'] as const;

/** The reference page of error codes, in Markdown. */
export const renderErrorReference = (): string => {
  const lines = [
    '# Error codes',
    '',
    'Generated from `packages/protocol/src/errors/codes.ts`. Each failure names its code in the',
    'log, in the JSON body of the API and on the command line.',
    '',
    `Exit status: ${exitMeanings.map((meaning, status) => `${status} ${meaning}`).join(', ')}.`,
    '',
  ];
  for (const code of errorCodes) {
    const { severity, retriable, httpStatus, exitStatus, meaning, whatToDo } = errorEntry(code);
    lines.push(
      `## ${code}`,
      '',
      `${severity} · HTTP ${httpStatus} · exit ${exitStatus} · ` +
        (retriable ? 'may succeed when repeated' : 'repeating it does not help'),
      '',
      meaning,
      '',
      `**What to do:** ${whatToDo}`,
      '',
    );
  }
  return lines.join('\n');
};
