import { Metadata, credentials, logVerbosity, setLogVerbosity } from '@grpc/grpc-js';
import { type DescMessage, type MessageShape, fromBinary, toBinary } from '@bufbuild/protobuf';

/** A method of a generated service. */
export interface Method<I extends DescMessage, O extends DescMessage> {
  readonly name: string;
  readonly parent: { readonly typeName: string };
  readonly input: I;
  readonly output: O;
}

/** PEM texts. Without `ca` the system's certificate authorities are trusted. */
export interface EtcdTls {
  readonly ca?: string | undefined;
  readonly certificate?: string | undefined;
  readonly key?: string | undefined;
}

// gRPC would write lines of its own between ours. Who asks for them by its variable gets them.
if (process.env['GRPC_VERBOSITY'] === undefined) setLogVerbosity(logVerbosity.NONE);

const ANSWER_BYTES_MAX = 16 * 1024 * 1024;

/**
 * No gRPC keepalive: etcd takes pings more often than every 5 s for an attack and closes the
 * connection, with a quiet watch after 8 s. Calls have limits, watches ask for progress.
 */
export const CHANNEL_OPTIONS = {
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 1_000,
  'grpc.max_receive_message_length': ANSWER_BYTES_MAX,
  // We alone decide what is sent twice.
  'grpc.enable_retries': 0,
  // A new channel to a silent member must not be given the silent connection again.
  'grpc.use_local_subchannel_pool': 1,
  'grpc.service_config_disable_resolution': 1,
  'grpc.enable_http_proxy': 0,
  'grpc.enable_channelz': 0,
} as const;

/** `host:port` of `http://host:port` or `https://host:port`. */
export const addressOf = (endpoint: string): string => {
  const url = new URL(endpoint);
  return `${url.hostname}:${url.port || (url.protocol === 'https:' ? '443' : '80')}`;
};

const bufferOf = (pem: string | undefined): Buffer | null =>
  pem === undefined ? null : Buffer.from(pem);

export const credentialsFor = (endpoint: string, tls: EtcdTls | undefined) =>
  endpoint.startsWith('https:')
    ? credentials.createSsl(bufferOf(tls?.ca), bufferOf(tls?.key), bufferOf(tls?.certificate))
    : credentials.createInsecure();

export const pathOf = (method: Method<DescMessage, DescMessage>): string =>
  `/${method.parent.typeName}/${method.name}`;

export const serialize =
  <D extends DescMessage>(descriptor: D) =>
  (message: MessageShape<D>): Buffer =>
    Buffer.from(toBinary(descriptor, message));

export const deserialize =
  <D extends DescMessage>(descriptor: D) =>
  (bytes: Buffer): MessageShape<D> =>
    fromBinary(descriptor, bytes, { readUnknownFields: false });

export interface RequestHeaders {
  readonly token?: string | undefined;
  /** Ask also a member that knows of no leader; others refuse at once instead of waiting. */
  readonly leaderless?: boolean | undefined;
}

export const metadataOf = ({ token, leaderless }: RequestHeaders): Metadata => {
  const metadata = new Metadata();
  if (token !== undefined) metadata.set('token', token);
  if (leaderless !== true) metadata.set('hasleader', 'true');
  return metadata;
};
