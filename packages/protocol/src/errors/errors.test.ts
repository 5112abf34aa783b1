// Shows that the table of error codes is complete and that mistakes read as one line with their
// place, their path and what to do. Everything here is pure.
import { describe, expect, it } from 'vitest';
import { errorCodes, errorEntry } from './codes.ts';
import { formatMistakes } from './mistake.ts';
import { formatProblem, problem, problemBody } from './problem.ts';
import { renderErrorReference } from './render-errors.ts';

describe('the table of errors', () => {
  it.each(errorCodes)('%s says what it means and what to do in sentences', (code) => {
    const entry = errorEntry(code);
    expect(code).toMatch(/^[a-z]+(-[a-z]+)+$/);
    expect(entry.meaning).toMatch(/^[A-Za-z].*\.$/s);
    expect(entry.whatToDo).toMatch(/^[A-Z].*\.$/s);
    expect(entry.httpStatus).toBeGreaterThanOrEqual(400);
    expect([1, 2, 3]).toContain(entry.exitStatus);
  });

  it('renders every code into the reference page', () => {
    const page = renderErrorReference();
    for (const code of errorCodes) expect(page).toContain(`\n## ${code}\n`);
    expect(page).toContain('3 refused by a rule');
  });
});

describe('a problem', () => {
  const full = problem('port-taken', '127.0.0.1:5432 is taken', {
    details: { port: 5432 },
    cause: new Error('EADDRINUSE'),
  });

  it('keeps its cause but does not send it', () => {
    expect(full.cause).toBeInstanceOf(Error);
    expect(problemBody(full)).toEqual({
      code: 'port-taken',
      message: '127.0.0.1:5432 is taken',
      what_to_do: errorEntry('port-taken').whatToDo,
      retriable: true,
      details: { port: 5432 },
    });
  });

  it('says what happened and then what to do', () => {
    expect(formatProblem(full).split('\n')).toEqual([
      '127.0.0.1:5432 is taken',
      errorEntry('port-taken').whatToDo,
    ]);
  });
});

describe('formatMistakes', () => {
  it('writes place, path, what is wrong and the way out on one line, in file order', () => {
    const text = formatMistakes([
      { variable: 'PATRONI_NAME', path: 'name', message: 'is empty' },
      {
        file: 'patroni.yml',
        line: 12,
        column: 3,
        path: 'postgresql.listen',
        message: '"abc" is not host:port',
        fix: 'write for example 0.0.0.0:5432',
      },
      { file: 'patroni.yml', line: 2, column: 1, path: '', message: 'a tab' },
      { path: 'ttl', message: 'no place is known' },
    ]);
    expect(text.split('\n')).toEqual([
      'ttl: no place is known',
      'patroni.yml:2:1: a tab',
      'patroni.yml:12:3: postgresql.listen: "abc" is not host:port; write for example 0.0.0.0:5432',
      'PATRONI_NAME: name: is empty',
    ]);
  });
});
