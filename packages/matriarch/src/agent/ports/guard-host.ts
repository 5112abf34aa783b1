import type { GuardMessage, Instant, LaunchSpec, StartMode } from '@matriarch/core';

/** What the guard needs of its host. Everything but the fence happens, or is refused, at once. */
export interface GuardHost {
  /** Now, on the boot clock. */
  readonly readClock: () => Instant;
  readonly servers: ServerProcesses;
  readonly loops: LoopProcesses;
}

export interface ServerOrder {
  readonly launch: LaunchSpec;
  readonly as: Exclude<StartMode, 'adopted'>;
}

export type Spawned =
  | { readonly kind: 'spawned'; readonly pid: number }
  | { readonly kind: 'refused'; readonly cause: string };

/** `code` and `signal` are both null when the end of a process that is not our child is unclear. */
export interface ServerEnd {
  readonly pid: number;
  readonly code: number | null;
  readonly signal: string | null;
}

/** PostgreSQL's processes, at most one server at a time. */
export interface ServerProcesses {
  /** Starts a postmaster as a direct child. Refused while anything of its data directory lives. */
  spawn(order: ServerOrder, onEnd: (end: ServerEnd) => void): Spawned;
  /** Watches a postmaster that is not our child. One that is none, or gone, ends at once. */
  watch(pid: number, dataDirectory: string, onEnd: (end: ServerEnd) => void): void;
  /** Never to a process that merely has the same pid. */
  signal(pid: number, signal: 'SIGINT' | 'SIGQUIT' | 'SIGHUP'): void;
  /** Undefined when the signal was given, else why not. */
  promote(pid: number, dataDirectory: string): Promise<string | undefined>;
  /** Ends within `limitMs`, or a little later. Never rejects. */
  fence(order: {
    readonly dataDirectory: string;
    readonly pid: number | undefined;
    readonly limitMs: number;
  }): Promise<{ readonly silent: boolean; readonly killed: number }>;
  /** Kills at once and does not look: for a guard that is about to fail. */
  strike(order: { readonly dataDirectory: string; readonly pid: number | undefined }): void;
}

export interface LoopProcess {
  readonly pid: number;
  send(message: GuardMessage): void;
  kill(): void;
}

export type LoopStart =
  | { readonly kind: 'started'; readonly loop: LoopProcess }
  | { readonly kind: 'refused'; readonly cause: string };

export interface LoopProcesses {
  start(order: {
    readonly incarnation: number;
    readonly onMessage: (message: unknown) => void;
    /** Null: ended by a signal, or not started after all. */
    readonly onExit: (status: number | null) => void;
  }): LoopStart;
}
