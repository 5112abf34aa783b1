import type { TransactionPurpose } from './model/action.ts';
import { type Instant, earliest } from './model/instant.ts';
import type { Decision } from './rules/rule.ts';
import { rules } from './rules/table.ts';
import type { View } from './view/view.ts';

export interface Asked {
  readonly decision: Decision;
  /** When the rules want to be asked again at the latest. */
  readonly askAgainAt: Instant | undefined;
}

/**
 * Asks the rules in their order. While a rule's action is under way only urgent rules are asked:
 * one changing thing at a time, except for silencing a server, which supersedes everything.
 */
export const decide = (view: View): Asked => {
  const busy = isActing(view);
  let askAgainAt: Instant | undefined;
  for (const rule of rules) {
    if (busy && rule.urgent !== true) continue;
    const answer = rule.decide(view);
    if (answer === undefined) continue;
    if ('askAgainAt' in answer) {
      askAgainAt = earliest(askAgainAt, answer.askAgainAt);
      continue;
    }
    if (rule.urgent === true && isSameUnderWay(view, answer.action?.kind)) break;
    const { because, action, until, remember, event } = answer;
    return {
      decision: { rule: rule.id, because, action, until, remember, event },
      askAgainAt: earliest(askAgainAt, until),
    };
  }
  const because = busy ? 'an action is under way' : 'nothing is to be done';
  return { decision: { rule: 'hold', because }, askAgainAt };
};

/** Whether something a rule began has not been answered yet. Renewals do not count. */
const isActing = ({ state }: View): boolean => {
  const { server, lease, peers, upstream, sql, publish } = state.lanes;
  const rulesLease =
    lease?.action.kind === 'transact' && lease.action.purpose !== 'confirm' ? lease : undefined;
  const rulesPublish =
    publish?.action.kind === 'transact' && !isChore(publish.action.purpose) ? publish : undefined;
  const awaitsCheckpoint = state.vacating !== undefined || state.operating.operation !== undefined;
  const checkpoint = sql?.action.kind === 'checkpoint' && awaitsCheckpoint;
  return (
    server !== undefined ||
    rulesLease !== undefined ||
    rulesPublish !== undefined ||
    peers !== undefined ||
    upstream !== undefined ||
    checkpoint
  );
};

const isChore = (purpose: TransactionPurpose): boolean =>
  purpose === 'publish-member' || purpose === 'publish-journal';

/** A fence that is under way is not begun again with every step. */
const isSameUnderWay = ({ state }: View, kind: string | undefined): boolean =>
  kind !== undefined && state.lanes.server?.action.kind === kind;
