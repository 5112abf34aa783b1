import type { Reply } from './reply.ts';

export type BodyAnswer =
  | { readonly kind: 'body'; readonly text: string }
  /** It was not sent, is too long, or never ended. */
  | { readonly kind: 'refused'; readonly reply: Reply };

/** One request, as the handlers see it. */
export interface Call {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** The client's address, for the log. */
  readonly client: string;
  readonly authorization: string | undefined;
  /** The client has shown a certificate that our authority has signed. */
  readonly hasCertificate: boolean;
  /** Aborted when the client goes away or the API stops. */
  readonly signal: AbortSignal;
  /** To be called at most once. One that is optional and not sent is an empty text. */
  readBody(more?: { readonly isOptional: boolean }): Promise<BodyAnswer>;
}

export type Handler = (call: Call) => Reply | Promise<Reply>;
