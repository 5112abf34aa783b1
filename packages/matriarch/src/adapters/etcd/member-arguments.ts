/** One member of an etcd that we start ourselves. URLs as `http://127.0.0.1:2379`. */
export interface EtcdMemberOptions {
  readonly name: string;
  readonly dataDirectory: string;
  readonly clientUrl: string;
  readonly peerUrl: string;
  /** Where `/health` and `/metrics` are served, always without TLS. */
  readonly metricsUrl?: string | undefined;
  /** Every member of the cluster, this one included. */
  readonly cluster: readonly { readonly name: string; readonly peerUrl: string }[];
  /** Keeps members of different clusters apart, should one reuse the other's ports. */
  readonly clusterToken: string;
  /** Clients have to show a certificate of this authority. */
  readonly tls?:
    | { readonly caFile: string; readonly certFile: string; readonly keyFile: string }
    | undefined;
}

/**
 * For members on one machine or in one data centre: a lost leader is noticed within a second. Also
 * decides the shortest ttl that etcd grants: 1.5 × the election timeout, rounded up to seconds.
 */
export const HEARTBEAT_INTERVAL_MS = 100;
export const ELECTION_TIMEOUT_MS = 1_000;
export const SHORTEST_TTL_SECONDS = Math.ceil((1.5 * ELECTION_TIMEOUT_MS) / 1_000);

/** The command line of `etcd` for a member of a cluster that is started together. */
export const renderEtcdArguments = (member: EtcdMemberOptions): readonly string[] => {
  const { tls } = member;
  const cluster = member.cluster.map(({ name, peerUrl }) => `${name}=${peerUrl}`);
  return [
    `--name=${member.name}`,
    `--data-dir=${member.dataDirectory}`,
    `--listen-client-urls=${member.clientUrl}`,
    `--advertise-client-urls=${member.clientUrl}`,
    `--listen-peer-urls=${member.peerUrl}`,
    `--initial-advertise-peer-urls=${member.peerUrl}`,
    `--initial-cluster=${cluster.join(',')}`,
    `--initial-cluster-token=${member.clusterToken}`,
    `--heartbeat-interval=${HEARTBEAT_INTERVAL_MS}`,
    `--election-timeout=${ELECTION_TIMEOUT_MS}`,
    // Without it (the default up to etcd 3.4) a member that was cut off forces an election as soon
    // as it is back: a primary was seen to lose its lease to that.
    '--pre-vote',
    '--logger=zap',
    '--log-level=warn',
    ...(member.metricsUrl === undefined ? [] : [`--listen-metrics-urls=${member.metricsUrl}`]),
    ...(tls === undefined
      ? []
      : [
          `--trusted-ca-file=${tls.caFile}`,
          `--cert-file=${tls.certFile}`,
          `--key-file=${tls.keyFile}`,
          '--client-cert-auth',
        ]),
  ];
};

/** etcd 3.4 refuses to run on anything but amd64 unless it is told the architecture. */
export const etcdEnvironment = (architecture: string): Readonly<Record<string, string>> =>
  architecture === 'x64' ? {} : { ETCD_UNSUPPORTED_ARCH: architecture };
