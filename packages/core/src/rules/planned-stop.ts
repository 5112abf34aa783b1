/** Rules that stop a primary in good order, for a switchover or a shutdown. */
import { type Rule, event } from './rule.ts';

/** Longest stop of a primary that hands over. */
const HANDOVER_STOP_LIMIT_MS = 10_000;
/** A checkpoint before an orderly stop that takes longer is left to the stop itself. */
export const CHECKPOINT_LIMIT_MS = 60_000;

export const checkpointBeforeHandingOver: Rule = {
  id: 'checkpoint-before-handing-over',
  when: 'our primary is to be stopped for a switchover or a shutdown',
  does: 'makes a checkpoint first',
  why: 'the checkpoint of the stop itself is then short, and so is the outage',
  without: 'applications wait while gigabytes are written',
  decide: (view) => {
    const { vacating } = view.state;
    if (vacating === undefined || vacating.cause === 'crash' || vacating.checkpointed)
      return undefined;
    if (vacating.givenUp || view.server === undefined || !view.holding) return undefined;
    return {
      because: `before ${vacating.cause}`,
      action: { kind: 'checkpoint', limitMs: CHECKPOINT_LIMIT_MS },
    };
  },
};

export const stopPrimaryForHandingOver: Rule = {
  id: 'stop-primary-for-handing-over',
  when: 'our primary has made its checkpoint for a switchover or a shutdown',
  does: 'stops it, which sends the last byte to every standby that keeps up',
  why: 'S4: the old one is silent before the new one speaks',
  without: 'commits are acknowledged that the successor does not have',
  decide: (view) => {
    const { vacating, process } = view.state;
    if (vacating === undefined || vacating.cause === 'crash' || !vacating.checkpointed)
      return undefined;
    if (vacating.givenUp || process.kind !== 'running' || !view.writable) return undefined;
    return {
      because: `for ${vacating.cause}`,
      action: { kind: 'stop-server', mode: 'fast', limitMs: HANDOVER_STOP_LIMIT_MS },
      event: event('server.stopping', 'info', { because: vacating.cause }),
    };
  },
};
