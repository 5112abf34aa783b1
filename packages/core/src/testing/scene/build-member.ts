/**
 * Builds a member from the lines of a scene. What a scene does not mention is as it should be: the
 * loop runs for a minute, the lease of the member key is alive, files fit the server that runs, and
 * our own key in the store says what we would write there.
 */
import { LOG_LOOK_AGAIN_MS } from '../../absorb/absorb-unpromised.ts';
import { WAITING_LOOK_MS } from '../../absorb/absorb-waiting.ts';
import { after } from '../../model/instant.ts';
import { defaultTags } from '../../model/member.ts';
import { defaultPolicy } from '../../model/policy.ts';
import { noSchedules } from '../../model/schedules.ts';
import type { LeaseId, Revision } from '../../model/store.ts';
import { freshRejoin } from '../../model/rejoin.ts';
import { type Draft, type MemberState, type Self, createMember } from '../../state.ts';
import { prepareAs } from '../../rules/prepared.ts';
import { assembleMemberDocument } from '../../view/documents.ts';
import { assembleView } from '../../view/view.ts';
import { factsOfCommits } from './facts-of-commits.ts';
import { factsOfFailsafe } from './facts-of-failsafe.ts';
import { factsOfMember } from './facts-of-member.ts';
import { factsOfSchedules } from './facts-of-schedules.ts';
import { factsOfServer } from './facts-of-server.ts';
import { factsOfStore } from './facts-of-store.ts';
import { LineReader, NOW, type SceneLine, type SceneMistake, wallTimeAt } from './line.ts';
import { nearest } from './nearest.ts';
import type { Fact, Facts, SceneDraft } from './scene-draft.ts';

/** All facts, in the order in which they are put together, whatever the order of the lines. */
export const facts: Facts = {
  ...factsOfMember,
  ...factsOfFailsafe,
  ...factsOfStore,
  ...factsOfCommits,
  ...factsOfServer,
  ...factsOfSchedules,
};

const nobody: Self = {
  name: '' as Self['name'],
  address: '',
  connUrl: '',
  apiUrl: '',
  tags: defaultTags,
  life: { host: '', run: '' },
  bootstrapConfig: undefined,
  mayTakeOverData: false,
};

const openScene = (): SceneDraft => {
  const aMinuteAgo = after(NOW, -60_000);
  const state: Draft = {
    ...createMember(nobody, defaultPolicy),
    now: NOW,
    startedAt: aMinuteAgo,
    processSince: aMinuteAgo,
    snapshotStale: false,
    asideKept: false,
    slotsAt: NOW,
    publishedAt: NOW,
    rejoin: freshRejoin(aMinuteAgo),
    schedules: { ...noSchedules, clock: { value: wallTimeAt(NOW), at: NOW } },
  };
  return { state, documents: {}, members: {}, answers: {}, ownKeyTold: false };
};

/** What no line has to say, because it follows from those that are there. */
const completeScene = (scene: SceneDraft, told: ReadonlySet<string>): void => {
  const { state } = scene;
  if (!told.has('lease'))
    state.lease = {
      id: '7' as LeaseId,
      ttlMs: state.policy.ttlMs,
      renewedAt: after(NOW, -1_000),
    };
  const speaksOfStore = [...told].some((subject) => subject.startsWith('store '));
  if (!told.has('store') && speaksOfStore)
    state.snapshot = { value: { revision: 50 as Revision, members: {} }, at: NOW };
  const answers = Object.keys(scene.answers);
  if (!told.has('peers') && answers.length > 0) state.peers = { value: scene.answers, at: NOW };
  if (state.snapshot !== undefined) {
    const { revision } = state.snapshot.value;
    const value = { ...scene.documents, revision, members: scene.members };
    state.snapshot = { ...state.snapshot, value };
  }
  prepareFiles(scene, told);
  if (!told.has('waiting')) state.waiting = seenWaiting(state);
  state.unpromised = seenLog(state);
  if (state.snapshot === undefined) return;
  if (!scene.ownKeyTold && state.lease !== undefined) writeOwnKey(scene);
};

const prepareFiles = ({ state }: SceneDraft, told: ReadonlySet<string>): void => {
  const { process, probe, policy } = state;
  if (told.has('prepared') || process.kind !== 'running') return;
  const primary = process.startedAs === 'primary' || process.promoted;
  const as = process.startedAs === 'private' ? 'private' : primary ? 'primary' : 'standby';
  const upstream = probe?.value.kind === 'answers' ? probe.value.upstream : undefined;
  const version = policy.serverConfigVersion;
  const syncNames = as === 'private' ? '' : prepareAs(assembleView(state), as, undefined).syncNames;
  state.prepared = { as, upstream, version, syncNames };
  state.appliedVersion = version;
  if (!told.has('commits')) state.sync = { ...state.sync, told: syncNames };
};

/** The server was looked at for the names of the policy, and had none of them. */
const seenWaiting = ({ policy, waiting }: Draft): Draft['waiting'] => ({
  ...waiting,
  asked: policy.waiting,
  lookAt: after(NOW, WAITING_LOOK_MS),
});

/** The log of the server that runs has been looked at. */
const seenLog = ({ process, unpromised }: Draft): Draft['unpromised'] => ({
  ...unpromised,
  lookedIn: process.kind === 'running' ? process.pid : undefined,
  lookAt: after(NOW, LOG_LOOK_AGAIN_MS),
});

const writeOwnKey = ({ state, members }: SceneDraft): void => {
  const value = assembleMemberDocument(assembleView(state));
  const revision = 49 as Revision;
  const leaseId = state.lease?.id;
  members[state.self.name] = { value, createRevision: revision, modRevision: revision, leaseId };
};

export interface Built {
  readonly member: MemberState;
  readonly mistakes: readonly SceneMistake[];
}

export const buildMember = (lines: readonly SceneLine[]): Built => {
  const mistakes: SceneMistake[] = [];
  const scene = openScene();
  for (const line of lines) checkSubject(line, mistakes);
  for (const [subject, fact] of Object.entries(facts)) {
    for (const line of lines.filter((candidate) => candidate.subject === subject)) {
      const reader = new LineReader(line, mistakes);
      fact.read(reader, scene);
      reader.close();
    }
  }
  const told = new Set(lines.map(({ subject }) => subject));
  for (const subject of ['me', 'process'])
    if (!told.has(subject)) mistakes.push({ line: 1, what: `the scene has no line "${subject}"` });
  completeScene(scene, told);
  return { member: scene.state, mistakes };
};

const checkSubject = ({ subject, name, number }: SceneLine, mistakes: SceneMistake[]): void => {
  const fact: Fact | undefined = facts[subject];
  if (fact === undefined) {
    const hint = nearest(subject, Object.keys(facts));
    const did = hint === undefined ? '' : `; did you mean "${hint}"?`;
    mistakes.push({ line: number, what: `there is no fact "${subject}"${did}` });
  } else if (fact.of !== undefined && name === '')
    mistakes.push({ line: number, what: `"${subject}" needs the name of a ${fact.of}` });
  else if (fact.of === undefined && name !== '')
    mistakes.push({ line: number, what: `"${subject}" takes no name, but has "${name}"` });
};
