import type { JsonObject, MemberName, MemberTags } from '@matriarch/core';

export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** A PostgreSQL role and how to connect as it. Values as libpq takes them. */
export interface Credentials {
  readonly username: string;
  readonly password: string | undefined;
  /** libpq's TLS words: sslmode, sslcert, sslkey, sslrootcert, sslcrl, channel_binding, … */
  readonly options: Readonly<Record<string, string>>;
}

export interface TlsFiles {
  readonly certFile: string;
  readonly keyFile: string | undefined;
  readonly keyPassword: string | undefined;
  readonly caFile: string | undefined;
  readonly verifyClient: 'none' | 'optional' | 'required';
}

/** What one agent is told by its patroni.yml and PATRONI_* variables, every default filled in. */
export interface AgentConfig {
  readonly scope: string;
  /** Without slashes at its ends, `service` by default. */
  readonly namespace: string;
  readonly name: MemberName;
  readonly restapi: {
    readonly listen: Endpoint;
    readonly connectAddress: Endpoint;
    readonly authentication: { readonly username: string; readonly password: string } | undefined;
    readonly tls: TlsFiles | undefined;
  };
  readonly etcd: {
    /** Which section it was read from. Both are spoken as API v3. */
    readonly section: 'etcd' | 'etcd3';
    /** `http://host:port` or `https://host:port` */
    readonly endpoints: readonly string[];
    readonly username: string | undefined;
    readonly password: string | undefined;
    readonly caFile: string | undefined;
    readonly certFile: string | undefined;
    readonly keyFile: string | undefined;
  };
  readonly postgresql: {
    readonly listen: { readonly addresses: readonly string[]; readonly port: number };
    readonly connectAddress: Endpoint;
    readonly dataDirectory: string;
    /** Undefined: looked for on PATH and in the usual places of the distributions. */
    readonly binDirectory: string | undefined;
    readonly passFile: string | undefined;
    readonly database: string;
    readonly superuser: Credentials;
    readonly replication: Credentials;
    readonly rewind: Credentials;
    /** Local parameters; the cluster-wide ones are in the dynamic configuration. */
    readonly parameters: Readonly<Record<string, string>>;
    readonly pgHba: readonly string[] | undefined;
    readonly pgIdent: readonly string[] | undefined;
    readonly useUnixSocket: boolean;
    /** Wins over the cluster-wide setting when given. */
    readonly usePgRewind?: boolean | undefined;
    readonly basebackupOptions: readonly string[];
  };
  readonly bootstrap:
    | {
        /** Becomes the `config` document of a new cluster. */
        readonly dcs: JsonObject;
        /** initdb's options as arguments: `--encoding=UTF8`, `--data-checksums`. */
        readonly initdbOptions: readonly string[];
        readonly pgHba: readonly string[];
      }
    | undefined;
  readonly tags: MemberTags;
  readonly matriarch: {
    /** Where the agent keeps its own files: beside the data directory by default. */
    readonly stateDirectory: string;
    /** The user PostgreSQL runs as when the agent is root. */
    readonly user: string | undefined;
  };
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error';
}
