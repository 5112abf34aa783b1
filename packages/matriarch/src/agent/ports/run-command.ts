/**
 * One run of a program to its end, as the user PostgreSQL runs as. The program dies with the agent.
 *
 * Of each output stream only the last `OUTPUT_KEPT_BYTES` are kept: errors stand at the end, and a
 * talkative program must not fill the agent's memory.
 */
export interface CommandCall {
  /** Absolute path, or a name that is looked for on the PATH of `env`. */
  readonly command: string;
  readonly args: readonly string[];
  /** The program's whole environment: nothing of the agent's own is inherited. */
  readonly env: Readonly<Record<string, string>>;
  /** The program is killed after this time. Undefined: it may take hours and reports progress. */
  readonly limitMs: number | undefined;
  /** Aborting it kills the program. */
  readonly signal?: AbortSignal | undefined;
  /** Called with each line of standard output: whatever there is of it, all is handed on. */
  readonly onStdoutLine?: ((line: string) => void) | undefined;
  /** Called with each line of standard error as it is written, ended by LF or CR. */
  readonly onStderrLine?: ((line: string) => void) | undefined;
}

export type CommandResult =
  | {
      readonly kind: 'exited';
      readonly code: number;
      readonly stdout: string;
      readonly stderr: string;
    }
  | { readonly kind: 'timed-out'; readonly stdout: string; readonly stderr: string }
  | { readonly kind: 'killed'; readonly signal: string; readonly stderr: string }
  /** Nothing was started: there is no such program, or the user may not execute it. */
  | { readonly kind: 'not-found'; readonly command: string };

/** Never throws and never rejects. */
export type RunCommand = (call: CommandCall) => Promise<CommandResult>;

export const OUTPUT_KEPT_BYTES = 262_144;
