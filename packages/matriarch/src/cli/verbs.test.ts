/** Every verb is there, says what it is for, and refuses what it does not understand. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { runHelp } from './commands/help.ts';
import { verbs } from './verbs.ts';

const capture = (): { out: () => string; err: () => string } => {
  let out = '';
  let err = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    out += String(text);
    return true;
  });
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    err += String(text);
    return true;
  });
  return { out: () => out, err: () => err };
};

afterEach(() => {
  vi.restoreAllMocks();
});

const names = Object.keys(verbs);

describe('help', () => {
  it.each(['help', '--help', '-h'])('%s lists every verb with its words', async (word) => {
    const said = capture();
    expect(await runHelp([word])).toBe(0);
    for (const name of names) {
      const command = await verbs[name]?.();
      expect(said.out()).toContain(`matriarch ${name} ${command?.usage ?? '?'}`);
      expect(said.out()).toContain(command?.summary ?? '?');
    }
    expect(said.err()).toBe('');
  });

  it.each(['--version', 'version'])('%s says the version', async (word) => {
    const said = capture();
    expect(await runHelp([word])).toBe(0);
    expect(said.out()).toMatch(/^matriarch \d+\.\d+\.\d+/);
  });

  it('refuses what is no verb', async () => {
    const said = capture();
    expect(await runHelp(['lsit'])).toBe(2);
    expect(said.err()).toContain('there is no verb "lsit"; did you mean "list"?');
    expect(said.err()).toContain('matriarch list');
    expect(said.out()).toBe('');
  });

  it.each(names)('tells of %s alone', async (name) => {
    const said = capture();
    expect(await runHelp(['help', name])).toBe(0);
    const command = await verbs[name]?.();
    expect(said.out()).toContain(`usage: matriarch ${`${name} ${command?.usage ?? '?'}`.trim()}\n`);
    expect(said.out().split('\n').length).toBeLessThan(5);
  });

  it.each(['toString', 'constructor'])('knows no verb %s', async (word) => {
    const said = capture();
    expect(await runHelp(['help', word])).toBe(2);
    expect(said.err()).toContain(`there is no verb "${word}"`);
  });
});

describe('a verb', () => {
  it.each(names)('%s refuses words it does not know, and shows its usage', async (name) => {
    const said = capture();
    const command = await verbs[name]?.();
    expect(await command?.run(['--no-such-option', 'a', 'b', 'c'])).toBe(2);
    expect(said.err()).toContain(`usage: matriarch ${name} `);
  });

  it.each([
    ['list', 'pretty, tsv, json or yaml'],
    ['history', 'pretty, tsv, json or yaml'],
    ['show-config', 'yaml or json'],
    ['explain', 'pretty or json'],
  ])('%s knows its formats: %s', async (name, formats) => {
    const said = capture();
    const command = await verbs[name]?.();
    expect(await command?.run(['--format', 'xml'])).toBe(2);
    expect(said.err()).toContain(`--format is ${formats}, not "xml"`);
  });

  it.each([
    'list',
    'history',
    'explain',
    'switchover',
    'pause',
    'resume',
    'restart',
    'show-config',
    'edit-config',
    'down',
    'destroy',
  ])('%s refuses a file that is not there', async (name) => {
    const said = capture();
    const command = await verbs[name]?.();
    expect(await command?.run(['-c', 'no-such-file.yaml'])).toBe(2);
    expect(said.err()).toContain('no-such-file.yaml: cannot be read');
  });

  it('refuses what edit-config cannot mean', async () => {
    const said = capture();
    const edit = await verbs['edit-config']?.();
    expect(await edit?.run(['--apply', '-', '--replace', '-'])).toBe(2);
    expect(said.err()).toContain('standard input can be read only once');
  });

  it('refuses what reinit and restart cannot mean', async () => {
    const said = capture();
    const restart = await verbs['restart']?.();
    const reinit = await verbs['reinit']?.();
    expect(await reinit?.run([])).toBe(2);
    const wrong = ['--role', 'boss', '--timeout', 'soon', '--pg-version', 'old'];
    expect(await restart?.run([...wrong, '--scheduled', '2020-01-01T00:00Z'])).toBe(2);
    expect(said.err()).toContain('name the members whose data is to be replaced');
    expect(said.err()).toContain('not "boss"');
    expect(said.err()).toContain('not "soon"');
    expect(said.err()).toContain('not "old"');
    expect(said.err()).toContain('2020-01-01T00:00:00+00:00 is in the past');
  });

  it.each([
    [[], 'the last word is restart or switchover, not ""'],
    [['restart', 'pg1'], 'the last word is restart or switchover, not "pg1"'],
    [['restart', '--role', 'boss'], 'not "boss"'],
    [['pg1', 'switchover'], 'name neither members nor a role'],
    [['switchover', '-r', 'replica'], 'name neither members nor a role'],
  ])('flush refuses %j', async (words, message) => {
    const said = capture();
    const flush = await verbs['flush']?.();
    expect(await flush?.run(words)).toBe(2);
    expect(said.err()).toContain(message);
  });

  it('schedules a switchover, and no failover', async () => {
    const said = capture();
    const switchover = await verbs['switchover']?.();
    const failover = await verbs['failover']?.();
    expect(await switchover?.run(['--scheduled', 'soon'])).toBe(2);
    expect(await failover?.run(['--scheduled', '2030-01-01T00:00Z'])).toBe(2);
    expect(said.err()).toContain('--scheduled is a time such as');
    expect(said.err()).toContain('there is no option "--scheduled"');
  });

  it.each(['up', 'proxy'])('%s refuses a file that is not there', async (name) => {
    const said = capture();
    const command = await verbs[name]?.();
    expect(await command?.run(['no-such-file.yaml'])).toBe(2);
    expect(said.err()).toContain('no-such-file.yaml: cannot be read');
  });
});
