/** From a patroni.yml on disk, or from variables alone, to a configuration or all its mistakes. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { loadAgentConfig } from './load-config.ts';
import { writeAgentFile } from './testing/build-config.ts';

const write = (text: string): string => {
  const directory = mkdtempSync(join(tmpdir(), 'matriarch-config-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const file = join(directory, 'patroni.yml');
  writeFileSync(file, text);
  return file;
};

describe('a file', () => {
  it('is loaded', () => {
    expect(loadAgentConfig(write(writeAgentFile()), {})).toMatchObject({
      kind: 'loaded',
      config: { scope: 'demo', name: 'pg1' },
      warnings: [],
    });
  });

  it('is overridden by variables', () => {
    const loaded = loadAgentConfig(write(writeAgentFile()), { PATRONI_NAME: 'pg7' });
    expect(loaded).toMatchObject({ config: { name: 'pg7' } });
  });

  it('comes with a warning for each thing that is corrected, with its place', () => {
    const file = write(writeAgentFile({ colour: { red: true } }));
    const loaded = loadAgentConfig(file, {});
    const warnings = loaded.kind === 'loaded' ? loaded.warnings : [];
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatch(new RegExp(`^${file}:\\d+:\\d+: colour`));
  });

  it('with mistakes is told of all of them at once', () => {
    const file = write('scope: demo\nname: pg1\npostgresql: {lissten: 1}\n');
    const loaded = loadAgentConfig(file, {});
    const message = loaded.kind === 'wrong' ? loaded.message : '';
    expect(message.split('\n').length).toBeGreaterThan(1);
    expect(message).toContain('postgresql');
    expect(message).toContain('restapi');
    expect(message).toContain('lissten: is not a known key; did you mean "listen"?');
  });
});

describe('a directory', () => {
  const fill = (files: Readonly<Record<string, string>>): string => {
    const directory = mkdtempSync(join(tmpdir(), 'matriarch-config-'));
    onTestFinished(() => rmSync(directory, { recursive: true }));
    for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
    return directory;
  };

  it('is the files in it, each laid over those whose names come before', () => {
    const directory = fill({
      'a.yml': writeAgentFile({ tags: { nofailover: true, clonefrom: true } }),
      'c.yaml': 'tags: {clonefrom: null}\npostgresql: {parameters: {work_mem: 9MB}}\n',
      'b.yml': 'name: pg9\npostgresql: {parameters: {work_mem: 1MB}}\n',
      'notes.txt': '- {',
      'z.yml.bak': 'name: wrong',
    });
    expect(loadAgentConfig(directory, {})).toMatchObject({
      kind: 'loaded',
      config: {
        scope: 'demo',
        name: 'pg9',
        tags: { nofailover: true, clonefrom: false },
        postgresql: { parameters: { work_mem: '9MB' } },
      },
      warnings: [],
    });
  });

  it('has its mistakes told with the file they are in', () => {
    const directory = fill({
      'a.yml': writeAgentFile(),
      'b.yml': '\nrestapi: {listen: nowhere}\n',
      'c.yml': 'colour: red\ntags:\n\t- x\n',
    });
    const loaded = loadAgentConfig(directory, {});
    expect(loaded).toEqual({
      kind: 'wrong',
      message: expect.stringMatching(new RegExp(`^${directory}/c.yml:3:1: a tab`)) as string,
    });
    writeFileSync(join(directory, 'c.yml'), 'colour: red\n');
    const next = loadAgentConfig(directory, {});
    const message = next.kind === 'wrong' ? next.message : '';
    expect(message).toContain(`${directory}/b.yml:2:11: restapi.listen`);
  });

  it('without such files is told to be one', () => {
    const directory = fill({ 'patroni.conf': '' });
    expect(loadAgentConfig(directory, { PATRONI_NAME: 'pg7' })).toEqual({
      kind: 'wrong',
      message: `${directory}: is a directory without *.yml and *.yaml files`,
    });
  });
});

describe('without a file', () => {
  const missing = '/no/such/patroni.yml';

  it('there is nothing to run on', () => {
    const loaded = loadAgentConfig(missing, { PATH: '/usr/bin' });
    const message = loaded.kind === 'wrong' ? loaded.message : '';
    expect(message).toContain(`${missing}: cannot be read`);
    expect(message).toContain('name the agent');
  });

  it('variables may say it all', () => {
    const loaded = loadAgentConfig(missing, { PATRONI_CONFIGURATION: writeAgentFile() });
    expect(loaded).toMatchObject({ kind: 'loaded', config: { name: 'pg1' } });
  });

  it('variables that do not are told what is missing', () => {
    const loaded = loadAgentConfig(missing, { PATRONI_NAME: 'pg7' });
    const message = loaded.kind === 'wrong' ? loaded.message : '';
    expect(message).toContain('scope');
    expect(message).not.toContain('cannot be read');
  });
});
