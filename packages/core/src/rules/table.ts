/** All rules in their order. The first one that applies answers; the last one always does. */
import { bootstrappingRules } from './bootstrapping.ts';
import { electingRules } from './electing.ts';
import { exchangeLeaseForChangedTtl } from './exchanging.ts';
import { fencingRules } from './fencing.ts';
import { followingRules } from './following.ts';
import { handOverWhenLeaving, leavingRules } from './leaving.ts';
import { operatingRules } from './operating.ts';
import { namingRules } from './naming.ts';
import { pausingRules } from './pausing.ts';
import { checkpointBeforeHandingOver, stopPrimaryForHandingOver } from './planned-stop.ts';
import { promotingRules } from './promoting.ts';
import { reclaimLeaseOfEarlierLife, renewDoubtfulTerm } from './reclaiming.ts';
import { repairingRules } from './repairing.ts';
import { rescuingRules } from './rescuing.ts';
import { restartInPlace, restartingRules } from './restarting.ts';
import type { Rule } from './rule.ts';
import { scheduledRestartRules, scheduledSwitchoverRules } from './scheduling.ts';
import { beginSwitchover } from './switching.ts';
import { keepSynchronousNames } from './synchronising.ts';
import { vacatingRules } from './vacating.ts';

export const hold: Rule = {
  id: 'hold',
  when: 'no other rule applies',
  does: 'nothing',
  why: 'most of the time everything is as it should be',
  without: 'the table would not be complete',
  decide: () => ({ because: 'nothing is to be done' }),
};

export const rules: readonly Rule[] = [
  ...fencingRules,
  ...leavingRules,
  ...bootstrappingRules,
  renewDoubtfulTerm,
  reclaimLeaseOfEarlierLife,
  ...scheduledRestartRules,
  ...operatingRules,
  ...pausingRules,
  ...restartingRules,
  ...vacatingRules,
  restartInPlace,
  ...promotingRules,
  keepSynchronousNames,
  ...namingRules,
  handOverWhenLeaving,
  checkpointBeforeHandingOver,
  stopPrimaryForHandingOver,
  ...scheduledSwitchoverRules,
  beginSwitchover,
  exchangeLeaseForChangedTtl,
  ...rescuingRules,
  ...electingRules,
  ...repairingRules,
  ...followingRules,
  hold,
];
