/** Lines of a scene that say whom commits wait for, what is known of that, and whose wait. */
import { WAITING_LOOK_MS } from '../../absorb/absorb-waiting.ts';
import { type Instant, after } from '../../model/instant.ts';
import { type WaitingSetting, nobodyWaits } from '../../model/waiting.ts';
import { type SyncNames, renderSyncNames } from '../../replication/sync-names.ts';
import { type LineReader, NOW } from './line.ts';
import { type Facts, type SceneDraft, asMember } from './scene-draft.ts';

/** `commits: wait for bravo, wait for charlie, any 1, told, shown, armed, proven` */
const readCommits = (line: LineReader, { state }: SceneDraft): void => {
  const names = line.texts('wait for').map(asMember);
  const any = line.number('any');
  const wanted: SyncNames = {
    method: any === undefined ? 'first' : 'any',
    count: any ?? names.length,
    names,
  };
  const text = renderSyncNames(wanted);
  const unheard = line.number('unheard') ?? 0;
  const senders = [...Array(unheard).keys()].map((index) => ({
    pid: 200 + index,
    replyTime: undefined,
    replies: 0,
  }));
  state.sync = {
    wanted: line.has('not decided') ? undefined : wanted,
    told: line.has('told') ? text : undefined,
    shown: line.has('shown') ? { names: text, at: NOW, senders } : undefined,
    armed: line.has('armed'),
    holdsFrom: line.lsn('hold from'),
    proven: line.has('proven'),
    seenAt: Object.fromEntries(readSeen(line)),
    primarySince: line.time('primary since'),
  };
};

/**
 * `waiting: looked 2s ago, role billing marked on, role reports marked, database ledger local`, what
 * the server said when it was asked for the names of the policy.
 */
const readWaiting = (line: LineReader, { state }: SceneDraft): void => {
  const lookedAt = line.time('looked');
  const read = (kind: WaitingSetting['kind']): readonly WaitingSetting[] =>
    line.texts(kind).map((text) => {
      const canConnect = !text.endsWith(' closed');
      const [name = '', ...words] = text.replace(/ closed$/, '').split(' ');
      const marked = words[0] === 'marked';
      return { kind, name, value: words[marked ? 1 : 0], marked, canConnect };
    });
  state.waiting = {
    asked: line.has('for nobody') ? nobodyWaits : state.policy.waiting,
    settings: [...read('role'), ...read('database')],
    lookAt: after(lookedAt ?? NOW, WAITING_LOOK_MS),
    changedAt: line.time('changed'),
  };
};

/** `seen bravo 3s` is three seconds ago. */
const readSeen = (line: LineReader): readonly (readonly [string, Instant])[] =>
  line.texts('seen').flatMap((text) => {
    const match = /^(\S+) (\d+)s$/.exec(text);
    if (match === null) line.mistake(`"seen ${text}": write "seen bravo 3s"`);
    return match === null ? [] : [[match[1] ?? '', after(NOW, -1_000 * Number(match[2]))]];
  });

export const factsOfCommits: Facts = {
  commits: { read: readCommits },
  waiting: { read: readWaiting },
};
