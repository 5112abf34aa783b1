/** What the files of a data directory were written for. */
export interface Prepared {
  readonly as: 'primary' | 'standby' | 'private';
  /** Address of the upstream; undefined: none. */
  readonly upstream: string | undefined;
  /** `serverConfigVersion` of the policy they were written from. */
  readonly version: string;
  /** Value of `synchronous_standby_names`; undefined: what the configuration says. */
  readonly syncNames: string | undefined;
}
