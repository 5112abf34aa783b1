import type { ListenAddress } from '@matriarch/core';
import type { PortOutcome } from './outcome.ts';

/**
 * A program that serves beside us, goes on when we are dead, and is found again when we are back.
 */
export interface DaemonSpec {
  readonly name: string;
  /** Absolute path. */
  readonly program: string;
  /** Make it stay in the foreground and write `pidFile`. */
  readonly args: readonly string[];
  readonly pidFile: string;
  /** Takes its standard output and error. */
  readonly logFile: string;
  /** One of `args`: by it a running process is known as this daemon and no other. */
  readonly marker: string;
  /** What it binds. Checked before a start, because PgBouncer starts also without its port. */
  listens(): readonly ListenAddress[];
  /** Whether it answers on its control socket; within a limit of its own. */
  isReady(): Promise<boolean>;
}

/** How the check of a configuration file ended. */
export type FileVerdict =
  | { readonly kind: 'accepted' }
  /** `complaint`: the program's own words. */
  | { readonly kind: 'refused'; readonly complaint: string };

/** What one of the two programs can be asked to do. No call rejects, each has its time limit. */
export interface DaemonTools {
  readonly spec: DaemonSpec;
  check(candidate: string): Promise<FileVerdict>;
  /** Makes the running process read its files again, without ending a session. */
  reload(pid: number): Promise<PortOutcome>;
  /** Whether this change of its configuration takes more than a reload. */
  takesRestart(before: string, after: string): boolean;
}
