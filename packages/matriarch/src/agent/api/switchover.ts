import type { Revision } from '@matriarch/core';
import { failoverRequest, parseRequest, switchoverRequest } from '@matriarch/protocol';
import { SWITCHOVER_WAIT_MS } from './api-limits.ts';
import type { ApiLog, ApiSource, FilingAnswer } from './api-source.ts';
import type { Call } from './call.ts';
import {
  type Filing,
  type SwitchoverWord,
  judgeProgress,
  judgeSwitchover,
} from './judge-switchover.ts';
import { type Reply, pageReply, problemReply, refuse, textReply } from './reply.ts';

export interface SwitchoverParts {
  readonly source: ApiSource;
  readonly log: ApiLog;
  /** How many requests may wait at the same time. */
  readonly waitingMax: number;
}

export interface Switchovers {
  /** `POST /switchover`, `POST /failover`: answers when the lease has moved, or will not. */
  request(asked: SwitchoverWord, call: Call): Promise<Reply>;
  /** `DELETE /switchover`: takes back one that waits for its time. */
  cancel(): Promise<Reply>;
}

export const createSwitchovers = (parts: SwitchoverParts): Switchovers => {
  const { source, log, waitingMax } = parts;
  let waiting = 0;

  const request = async (asked: SwitchoverWord, call: Call): Promise<Reply> => {
    const body = await call.readBody();
    if (body.kind === 'refused') return body.reply;
    const schema = asked === 'switchover' ? switchoverRequest : failoverRequest;
    const parsed = parseRequest(schema, body.text);
    if (!parsed.ok) return problemReply(parsed.problem);
    const { leader, candidate } = parsed.value;
    log.info({ asked, leader, candidate, client: call.client }, 'switchover requested');
    const read = await source.readDocuments();
    if (read.kind !== 'done') return storeIsOut(read.cause);
    const judged = judgeSwitchover({
      asked,
      request: parsed.value,
      snapshot: read.snapshot,
      wallClockMs: source.wallClockMs(),
    });
    if ('status' in judged) return judged;
    if (judged.document.scheduledAt !== undefined) return fileForLater(source, judged);
    if (waiting >= waitingMax)
      return refuse('change-in-progress', `${waiting} requests are waiting for a switchover`);
    waiting += 1;
    try {
      const reply = await fileAndWait(source, judged, call);
      const { status, body: said } = reply;
      log.info({ status, said, clientLeft: call.signal.aborted }, 'switchover request ended');
      return reply;
    } finally {
      waiting -= 1;
    }
  };

  const cancel = async (): Promise<Reply> => {
    const read = await source.readDocuments();
    if (read.kind !== 'done') return storeIsOut(read.cause);
    const { failover } = read.snapshot;
    if (failover?.value.scheduledAt === undefined)
      return textReply(404, 'no switchover is scheduled');
    const filed = await source.fileFailover({}, failover.modRevision);
    if (filed.kind === 'filed') return textReply(200, 'scheduled switchover deleted');
    if (filed.kind === 'changed') return pageReply(409, 'The switchover was changed meanwhile');
    return storeIsOut(filed.cause);
  };

  return { request, cancel };
};

const storeIsOut = (cause: string): Reply =>
  refuse('store-unreachable', `the store did not answer: ${cause}`);

const titled = (word: SwitchoverWord): string => word.charAt(0).toUpperCase() + word.slice(1);

const fileAndWait = async (source: ApiSource, filing: Filing, call: Call): Promise<Reply> => {
  const filed = await source.fileFailover(filing.document, filing.comparedRevision);
  return filed.kind === 'filed'
    ? waitForLease(source, filing, { revision: filed.revision, signal: call.signal })
    : notFiled(filing, filed);
};

/** The lease holder begins it when it is time. */
const fileForLater = async (source: ApiSource, filing: Filing): Promise<Reply> => {
  const filed = await source.fileFailover(filing.document, filing.comparedRevision);
  return filed.kind === 'filed'
    ? textReply(202, `${titled(filing.word)} scheduled`)
    : notFiled(filing, filed);
};

const notFiled = (
  filing: Filing,
  filed: Exclude<FilingAnswer, { readonly kind: 'filed' }>,
): Reply => {
  switch (filed.kind) {
    case 'changed':
      return textReply(
        409,
        'the failover key was changed by somebody else meanwhile, so nothing was requested; ' +
          'look at the cluster and repeat the request if it is still wanted',
      );
    case 'failed':
      return textReply(503, 'failed to write failover key into DCS');
    case 'unknown':
      return textReply(503, unknownText(filing.word, 'the store did not confirm the request'));
  }
};

const unknownText = (word: SwitchoverWord, because: string): string =>
  `${titled(word)} status unknown ${because}; operation may still be in progress`;

interface Waiting {
  readonly revision: Revision;
  readonly signal: AbortSignal;
}

/** How long a request waits for the lease to move. */
export const switchoverWaitMs = (loopWaitMs: number): number =>
  2 * Math.max(SWITCHOVER_WAIT_MS, loopWaitMs);

const waitForLease = async (
  source: ApiSource,
  filing: Filing,
  { revision, signal }: Waiting,
): Promise<Reply> => {
  const limitMs = switchoverWaitMs(source.state().policy.loopWaitMs);
  const state = await source.watchState(
    ({ snapshot }) => judgeProgress(snapshot?.value, filing, revision).kind !== 'pending',
    { limitMs, signal },
  );
  const progress = judgeProgress(state?.snapshot?.value, filing, revision);
  switch (progress.kind) {
    case 'moved':
      return textReply(200, movedText(filing, progress.to));
    case 'refused':
      return textReply(503, `${titled(filing.word)} failed`);
    case 'pending':
      return textReply(503, unknownText(filing.word, `after ${limitMs / 1_000} seconds`));
  }
};

const movedText = ({ word, document }: Filing, to: string): string => {
  const verb = `${word.replace(/over$/, '')}ed over`;
  const { member } = document;
  if (member === undefined || member === to) return `Successfully ${verb} to "${to}"`;
  return `${verb.charAt(0).toUpperCase()}${verb.slice(1)} to "${to}" instead of "${member}"`;
};
