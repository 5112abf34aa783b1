import type { Command } from '../verbs.ts';
import { runSetPause, setPauseUsage } from './set-pause.ts';

export const resumeCommand: Command = {
  summary: 'ends a pause',
  usage: setPauseUsage,
  run: (args) => runSetPause('resume', args),
};
