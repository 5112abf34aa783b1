/** Programs that a private cluster is built with, beside those of every cluster. */
import { spawnSync } from 'node:child_process';

/** Each with the Debian package it comes in. */
export const TOOLS = {
  ip: 'iproute2',
  mount: 'mount',
  nsenter: 'util-linux',
  setpriv: 'util-linux',
  unshare: 'util-linux',
} as const;

/** Where each is. */
export type Tools = Readonly<Record<keyof typeof TOOLS, string>>;

/** Far beyond what any of them takes: they only speak to the kernel. */
const TOOL_LIMIT_MS = 10_000;

/** Runs one to its end. Throws with its own words when it fails. */
export const runTool = (commandLine: readonly string[], input = ''): void => {
  const [command = '', ...args] = commandLine;
  const { status, error, stderr } = spawnSync(command, args, {
    input,
    encoding: 'utf8',
    timeout: TOOL_LIMIT_MS,
  });
  if (status !== 0) throw new Error(`${commandLine.join(' ')}: ${error?.message ?? stderr.trim()}`);
};
