import type { GuardNotice } from '@matriarch/core';
import type { GuardEvents } from '../ports/guard.ts';

export interface NoticeHandlers {
  readonly notice: (notice: GuardNotice) => void;
  readonly lost: () => void;
}

export interface NoticeQueue {
  readonly events: GuardEvents;
  /** Hands over what has been said, and from now on everything at once. */
  connect(handlers: NoticeHandlers): void;
}

/** Keeps what the guard says until the agent is ready to hear it. */
export const createNoticeQueue = (): NoticeQueue => {
  const waiting: ((handlers: NoticeHandlers) => void)[] = [];
  let handlers: NoticeHandlers | undefined;
  const tell = (call: (handlers: NoticeHandlers) => void): void => {
    if (handlers === undefined) waiting.push(call);
    else call(handlers);
  };
  return {
    events: {
      onNotice: (notice: GuardNotice) => tell(({ notice: hear }) => hear(notice)),
      onLost: () => tell(({ lost }) => lost()),
    },
    connect: (found: NoticeHandlers): void => {
      handlers = found;
      for (const call of waiting.splice(0)) call(found);
    },
  };
};
