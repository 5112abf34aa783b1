import type { Command } from '../verbs.ts';
import { runSetPause, setPauseUsage } from './set-pause.ts';

export const pauseCommand: Command = {
  summary: 'has the members do nothing by themselves until resume',
  usage: setPauseUsage,
  run: (args) => runSetPause('pause', args),
};
