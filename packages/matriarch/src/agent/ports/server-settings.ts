/** What the dynamic configuration and the local file say together. */
export interface ServerSettings {
  /** Every parameter of postgresql.conf; local ones laid over the cluster's. */
  readonly parameters: Readonly<Record<string, string>>;
  /** Undefined: pg_hba.conf is not ours to write. */
  readonly pgHba: readonly string[] | undefined;
  readonly pgIdent: readonly string[] | undefined;
  /** Whether members keep WAL for each other in replication slots. */
  readonly useSlots: boolean;
}
