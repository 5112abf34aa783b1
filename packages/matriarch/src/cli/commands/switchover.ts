import type { Command } from '../verbs.ts';
import { handOverUsage, runHandOver } from './hand-over.ts';

export const switchoverCommand: Command = {
  summary: 'moves the primary to another member, nothing is lost',
  usage: handOverUsage,
  run: (args) => runHandOver('switchover', args),
};
