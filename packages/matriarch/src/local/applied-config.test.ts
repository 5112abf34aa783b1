/**
 * A cluster.yaml that has changed since the cluster was made: what is written into the cluster-wide
 * configuration, what is left alone, and what is said. The store is a document that others change,
 * too, and that does not always answer.
 */
import { writeFileSync } from 'node:fs';
import type { JsonObject, Revision } from '@matriarch/core';
import { describe, expect, it } from 'vitest';
import {
  type AppliedConfig,
  type ConfigDocument,
  type ConfigStore,
  carryChanges,
  changeConfig,
  readApplied,
  writeApplied,
} from './applied-config.ts';
import { localPaths } from './directories.ts';
import { openTemporaryDirectory } from './testing/temporary-directory.ts';

const BEFORE = { ttl: 5, postgresql: { parameters: { work_mem: '5MB', jit: 'off' } } };
const AFTER = { ttl: 10, postgresql: { parameters: { work_mem: '5MB' } } };
const STORED = { ttl: 5, pause: true, postgresql: { parameters: { work_mem: '9MB', jit: 'off' } } };

type Fate = 'done' | 'silent' | 'conflict' | 'unheard';

/** A store in which the calls to come meet these fates, and then succeed. */
class FakeStore implements ConfigStore {
  document: JsonObject | undefined;
  revision = 7;
  readonly fates: Fate[];

  constructor(document: JsonObject | undefined, fates: readonly Fate[] = []) {
    this.document = document;
    this.fates = [...fates];
  }

  read = async (): Promise<{ readonly config: ConfigDocument | undefined } | undefined> => {
    if (this.fates[0] === 'silent') {
      this.fates.shift();
      return undefined;
    }
    const revision = this.revision as Revision;
    const { document } = this;
    return Promise.resolve({
      config:
        document === undefined
          ? undefined
          : { value: document, createRevision: revision, modRevision: revision },
    });
  };

  replace = async ({ modRevision }: ConfigDocument, next: JsonObject): Promise<boolean> => {
    const fate = this.fates.shift() ?? 'done';
    if (fate === 'conflict') {
      this.revision += 1;
      this.document = { ...this.document, loop_wait: 3 };
    }
    if ((modRevision as number) !== this.revision) return false;
    this.document = next;
    this.revision += 1;
    return Promise.resolve(fate !== 'unheard');
  };
}

const change = async (store: FakeStore, limitMs = 5_000) =>
  changeConfig(store, { before: BEFORE, after: AFTER }, limitMs);

const EXPECTED = { ttl: 10, pause: true, postgresql: { parameters: { work_mem: '9MB' } } };
const SAID = ['ttl 5 → 10', 'postgresql.parameters.jit off → not set'];

describe('changeConfig', () => {
  it('writes what has changed in the file, and leaves what others have changed', async () => {
    const store = new FakeStore(STORED);
    expect(await change(store)).toEqual({ kind: 'written', changes: SAID });
    expect(store.document).toEqual(EXPECTED);
  });

  it('begins again when somebody else was faster', async () => {
    const store = new FakeStore(STORED, ['conflict']);
    expect(await change(store)).toEqual({ kind: 'written', changes: SAID });
    expect(store.document).toEqual({ ...EXPECTED, loop_wait: 3 });
  });

  it('waits for a store that does not answer', async () => {
    const store = new FakeStore(STORED, ['silent', 'silent']);
    expect(await change(store)).toMatchObject({ kind: 'written' });
  });

  it('sees that a write without an answer was carried out', async () => {
    const store = new FakeStore(STORED, ['unheard']);
    expect(await change(store)).toEqual({ kind: 'written', changes: SAID });
    expect(store.revision).toBe(8);
  });

  it.each([
    ['the cluster has it already', EXPECTED],
    ['there is no cluster yet', undefined],
  ])('writes nothing when %s', async (_name, document) => {
    const store = new FakeStore(document);
    expect(await change(store)).toEqual({ kind: 'not-needed' });
    expect(store.revision).toBe(7);
  });

  it('does not ask the store when nothing has changed', async () => {
    const store = new FakeStore(STORED, ['silent']);
    expect(await changeConfig(store, { before: AFTER, after: AFTER }, 5_000)).toEqual({
      kind: 'not-needed',
    });
    expect(store.fates).toHaveLength(1);
  });

  it('gives up in the end', async () => {
    expect(await change(new FakeStore(STORED, ['silent', 'silent']), 1)).toEqual({
      kind: 'no-answer',
    });
  });
});

const applied = (dynamic: JsonObject): AppliedConfig => ({
  file: '/c.yaml',
  namespace: 'service',
  etcd: 'local',
  dynamic,
});

const carry = async (store: FakeStore, before: AppliedConfig | undefined) => {
  const paths = localPaths(openTemporaryDirectory());
  const said: string[] = [];
  const complaints: string[] = [];
  if (before !== undefined) writeApplied(paths, before);
  await carryChanges(
    {
      paths,
      now: applied(AFTER),
      applied: before,
      print: (line) => said.push(line),
      printError: (line) => complaints.push(line),
    },
    store,
    1,
  );
  return { said, complaints, kept: readApplied(paths.applied)?.dynamic };
};

describe('carryChanges', () => {
  it('says in one line what has changed, and remembers it', async () => {
    expect(await carry(new FakeStore(STORED), applied(BEFORE))).toEqual({
      said: [`/c.yaml has changed: ${SAID.join(', ')}`],
      complaints: [],
      kept: AFTER,
    });
  });

  it('says nothing when nothing has, or when it is the first time', async () => {
    const silence = { said: [], complaints: [], kept: AFTER };
    expect(await carry(new FakeStore(STORED), applied(AFTER))).toEqual(silence);
    expect(await carry(new FakeStore(STORED), undefined)).toEqual(silence);
  });

  it('goes on when it cannot remember it', async () => {
    const complaints: string[] = [];
    await carryChanges(
      {
        paths: localPaths('/no/such/place'),
        now: applied(AFTER),
        applied: undefined,
        print: () => undefined,
        printError: (line) => complaints.push(line),
      },
      new FakeStore(STORED),
    );
    expect(complaints).toEqual([expect.stringContaining('/no/such/place/applied.json: cannot')]);
  });

  it('leaves it to the next time when the store does not answer', async () => {
    const carried = await carry(new FakeStore(STORED, ['silent']), applied(BEFORE));
    expect(carried.kept).toEqual(BEFORE);
    expect(carried.complaints).toEqual([expect.stringContaining('etcd does not answer')]);
  });
});

describe('what was applied', () => {
  it.each(['{', '[]', '{"file":"/c.yaml"}'])('counts as unknown when it is %s', (text) => {
    const { applied: file } = localPaths(openTemporaryDirectory());
    writeFileSync(file, text);
    expect(readApplied(file)).toBeUndefined();
  });
});
