/** Where the log is, by what PostgreSQL writes down of it, and which settings keep it silent. */
import { describe, expect, it } from 'vitest';
import { parseLogPlace } from './log-place.ts';
import { parseCollected, whyBlind } from './server-log.ts';

describe('the files a server collects its log in', () => {
  it('are in its data directory, unless they say otherwise', () => {
    const collected = parseCollected('stderr log/postgresql-Sat.log\n', '/srv/data');
    expect(collected).toEqual({
      opened: '/srv/data/log/postgresql-Sat.log',
      path: '/srv/data/log/postgresql-Sat.log',
      format: 'stderr',
    });
    expect(parseCollected('jsonlog /var/log/a b.json\n', '/srv/data')?.path).toBe(
      '/var/log/a b.json',
    );
  });

  it('are one, when the same is written in several formats', () => {
    const text = 'csvlog log/a.csv\njsonlog log/a.json\nstderr log/a.log\n';
    expect(parseCollected(text, '/d')?.path).toBe('/d/log/a.log');
    expect(parseCollected('jsonlog log/a.json\ncsvlog log/a.csv\n', '/d')?.format).toBe('csvlog');
  });

  it.each(['', '\n', 'syslog x\n', 'stderr\n'])('are none in %j', (text) => {
    expect(parseCollected(text, '/d')).toBeUndefined();
  });
});

describe('a log that tells of warnings', () => {
  const plain = { destination: 'stderr', leastSeverity: 'warning', language: 'C' };

  it.each([
    {},
    { leastSeverity: 'debug5' },
    { leastSeverity: 'notice' },
    { destination: 'syslog, csvlog' },
    { language: 'en_US.UTF-8' },
    { language: 'C.UTF-8' },
    { language: 'POSIX' },
  ])('is believed with %j', (changes) => {
    expect(whyBlind({ ...plain, ...changes })).toBeUndefined();
  });

  it.each([
    [{ destination: 'syslog' }, 'log_destination = syslog'],
    [{ destination: '' }, 'log_destination ='],
    [{ leastSeverity: 'error' }, 'log_min_messages = error'],
    [{ leastSeverity: 'log' }, 'log_min_messages = log'],
    [{ leastSeverity: 'panic' }, 'log_min_messages = panic'],
    [{ language: 'de_DE.UTF-8' }, 'lc_messages = de_DE.UTF-8'],
    [{ language: '' }, 'lc_messages ='],
    [{ language: 'eng' }, 'lc_messages = eng'],
  ])('is not believed with %j', (changes, why) => {
    expect(whyBlind({ ...plain, ...changes })).toContain(why);
  });
});

describe('a place in a log', () => {
  const place = { file: '1:2', path: '/a', format: 'csvlog', offset: 7, isStopping: true } as const;

  it('comes back as it was written', () => {
    expect(parseLogPlace(JSON.stringify(place))).toEqual(place);
  });

  it.each([
    '',
    'null',
    '{',
    '[]',
    JSON.stringify({ ...place, offset: -1 }),
    JSON.stringify({ ...place, offset: '7' }),
    JSON.stringify({ ...place, format: 'syslog' }),
    JSON.stringify({ ...place, file: 7 }),
  ])('is none in %j', (text) => {
    expect(parseLogPlace(text)).toBeUndefined();
  });
});
