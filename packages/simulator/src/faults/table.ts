import type { FaultKind } from './fault.ts';
import { networkFaults } from './network-faults.ts';
import { operatorFaults } from './operator-faults.ts';
import { processFaults } from './process-faults.ts';
import { scheduleFaults } from './schedule-faults.ts';
import { storeFaults } from './store-faults.ts';

const all = {
  ...processFaults,
  ...networkFaults,
  ...storeFaults,
  ...operatorFaults,
  ...scheduleFaults,
};

export type FaultName = keyof typeof all;

export const faults: Readonly<Record<FaultName, FaultKind>> = all;
