/** What the configuration of HAProxy is made from. */
import type { ListenAddress } from './haproxy-words.ts';

export interface HaproxyMember {
  readonly name: string;
  readonly host: string;
  readonly postgresqlPort: number;
  readonly restPort: number;
}

/** How the members' REST API is asked. */
export interface HaproxyChecks {
  readonly intervalMs: number;
  /** Between the checks that bring a server up or down, once the first one has differed. */
  readonly fastIntervalMs: number;
  /** An answer may take this long. Short means that a busy host loses its sessions. */
  readonly limitMs: number;
  readonly rise: number;
  readonly fall: number;
}

export interface HaproxyInput {
  readonly members: readonly HaproxyMember[];
  readonly write: ListenAddress;
  readonly read: ListenAddress;
  readonly statistics: ListenAddress;
  /** Absolute paths of what the configuration refers to. */
  readonly paths: {
    readonly runtimeSocket: string;
    readonly waitingSocket: string;
    /** The same path that `renderWaitingScript` was given. */
    readonly gateSocket: string;
    /** Holds the text of `renderHaproxyState`. */
    readonly stateFile: string;
    /** Holds the text of `renderWaitingScript`. */
    readonly waitingScript: string;
  };
  /** HAProxy changes to this user after it has bound its ports; for a start as root. */
  readonly runAs?: { readonly user: string; readonly group: string } | undefined;
  /** The REST API speaks TLS. Without `caFile` its certificate is not verified. */
  readonly restTls?: { readonly caFile?: string | undefined } | undefined;
  /** Connections of each of the two front doors. */
  readonly maxConnections: number;
  /** A session without a byte in either direction for this long is ended. */
  readonly idleTimeoutMs: number;
  /** How long a new connection waits for a primary while there is none. 0: refused at once. */
  readonly waitLimitMs: number;
  /** Reads go to the primary while no replica can take them. */
  readonly readsFallBack: boolean;
  readonly checks: HaproxyChecks;
}

export const defaultHaproxyChecks: HaproxyChecks = {
  intervalMs: 1_000,
  fastIntervalMs: 250,
  limitMs: 3_000,
  rise: 2,
  // Traffic moves by events; checks are the net below. Between 1.3 and 2.3 s in all: the loop of a
  // primary that is killed answers again after less than that, and no session is lost for it.
  fall: 6,
};

export const haproxyDefaults = {
  maxConnections: 1_000,
  idleTimeoutMs: 30 * 60_000,
  waitLimitMs: 5_000,
  readsFallBack: true,
  checks: defaultHaproxyChecks,
} as const;
