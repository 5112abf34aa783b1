/** A restart that waits for its time: asked for and taken back at this member, shown in its key. */
import { randomUUID } from 'node:crypto';
import type { MemberState, Schedule } from '@matriarch/core';
import type { ApiSource } from './api-source.ts';
import { type AskLoop, unknownReply } from './ask-loop.ts';
import type { Call } from './call.ts';
import type { RestartOrder } from './judge-operation.ts';
import { type Reply, refuse, textReply } from './reply.ts';

/** Whoever looks at the cluster after the answer finds it there, unless etcd takes longer. */
const PUBLISH_LIMIT_MS = 2_000;

/** A loop that has not read the store yet does not know what the one before it was asked for. */
const whyUnread = ({ snapshot }: MemberState): Reply | undefined =>
  snapshot === undefined
    ? refuse('store-unreachable', 'this member has not read the store yet; try again')
    : undefined;

/** Waits until the store shows the restart at this time; undefined: that there is none. */
const awaitPublished = async (
  source: ApiSource,
  text: string | undefined,
  { signal }: Call,
): Promise<void> => {
  const isPublished = ({ snapshot, self }: MemberState): boolean =>
    snapshot?.value.members[self.name]?.value.scheduledRestart?.schedule.text === text;
  await source.watchState(isPublished, { limitMs: PUBLISH_LIMIT_MS, signal });
};

export interface ScheduledRestarts {
  schedule(order: RestartOrder & { readonly schedule: Schedule }, call: Call): Promise<Reply>;
  cancel(call: Call): Promise<Reply>;
}

export const createScheduledRestarts = (source: ApiSource, ask: AskLoop): ScheduledRestarts => ({
  schedule: async ({ schedule, conditions, limitMs }, call) => {
    const unread = whyUnread(source.state());
    if (unread !== undefined) return unread;
    const restart = { schedule, conditions, limitMs };
    const answer = await ask({ kind: 'schedule-restart', id: randomUUID(), restart }, call);
    if (answer === undefined) return unknownReply('Restart');
    if (answer.kind !== 'done') return textReply(409, answer.because);
    await awaitPublished(source, schedule.text, call);
    return textReply(202, answer.because);
  },

  cancel: async (call) => {
    const state = source.state();
    const unread = whyUnread(state);
    if (unread !== undefined) return unread;
    if (state.schedules.restart === undefined) return textReply(404, 'no restarts are scheduled');
    const answer = await ask({ kind: 'cancel-restart', id: randomUUID() }, call);
    if (answer === undefined) return unknownReply('Restart');
    if (answer.kind !== 'done') return textReply(404, answer.because);
    await awaitPublished(source, undefined, call);
    return textReply(200, answer.because);
  },
});
