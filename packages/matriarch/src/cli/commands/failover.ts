import type { Command } from '../verbs.ts';
import { handOverUsage, runHandOver } from './hand-over.ts';

export const failoverCommand: Command = {
  summary: 'makes a named member the primary, also when there is none',
  usage: handOverUsage.failover,
  run: (args) => runHandOver('failover', args),
};
