import type { EtcdTls } from './grpc-messages.ts';

/** The limits of every call; they may change while the client runs. */
export interface EtcdLimits {
  /** Time one member is given for one call. */
  readonly attemptLimitMs: number;
  /** Time for a call with all its attempts. */
  readonly budgetMs: number;
}

/** Messages are constant; what varies is in the attributes. Passwords and tokens are in neither. */
export type EtcdLog = (
  level: 'info' | 'warn',
  message: string,
  attributes: Readonly<Record<string, string | number>>,
) => void;

export interface EtcdStoreOptions extends EtcdLimits {
  /** `http://host:port` or `https://host:port`, in the order in which they are tried. */
  readonly endpoints: readonly string[];
  readonly tls?: EtcdTls | undefined;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly log?: EtcdLog | undefined;
}
