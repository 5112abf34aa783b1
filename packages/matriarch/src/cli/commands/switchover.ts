import type { Command } from '../verbs.ts';
import { handOverUsage, runHandOver } from './hand-over.ts';

export const switchoverCommand: Command = {
  summary: 'moves the primary to another member, now or at a time; nothing is lost',
  usage: handOverUsage.switchover,
  run: (args) => runHandOver('switchover', args),
};
