import { readFileSync } from 'node:fs';
import { type SecureContextOptions, createSecureContext } from 'node:tls';
import type { TlsFiles } from '@matriarch/protocol';

export type TlsAnswer =
  | { readonly kind: 'done'; readonly context: SecureContextOptions }
  | { readonly kind: 'failed'; readonly cause: string };

/** Reads the certificate and what belongs to it, and tries whether they fit together. */
export const readTls = (files: TlsFiles): TlsAnswer => {
  try {
    const context: SecureContextOptions = {
      cert: readFileSync(files.certFile),
      key: readFileSync(files.keyFile ?? files.certFile),
      ...(files.keyPassword === undefined ? {} : { passphrase: files.keyPassword }),
      ...(files.caFile === undefined ? {} : { ca: readFileSync(files.caFile) }),
    };
    createSecureContext(context);
    return { kind: 'done', context };
  } catch (error) {
    const cause = error instanceof Error ? error.message : String(error);
    const names = [files.certFile, files.keyFile, files.caFile].filter(Boolean).join(', ');
    return { kind: 'failed', cause: `the certificate files of restapi (${names}): ${cause}` };
  }
};
