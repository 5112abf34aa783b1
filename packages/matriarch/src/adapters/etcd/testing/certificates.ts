import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Certificate {
  readonly certFile: string;
  readonly keyFile: string;
}

const COMMAND_LIMIT_MS = 20_000;

const openssl = (...args: readonly string[]): void => {
  execFileSync('openssl', args, { timeout: COMMAND_LIMIT_MS, stdio: 'pipe' });
};

const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'] as const;

/** A certificate authority of its own, good for an hour or so. */
export const createAuthority = (directory: string, name: string): Certificate => {
  const certFile = join(directory, `${name}.crt`);
  const keyFile = join(directory, `${name}.key`);
  const output = ['-keyout', keyFile, '-out', certFile, '-days', '1', '-subj', `/CN=${name}`];
  openssl('req', '-x509', ...NEW_KEY, ...output);
  return { certFile, keyFile };
};

/** A certificate for a server on 127.0.0.1, and for a client, too. */
export const createCertificate = (authority: Certificate, directory: string): Certificate => {
  const name = join(directory, 'loopback');
  const [certFile, keyFile, request, extensions] = [
    `${name}.crt`,
    `${name}.key`,
    `${name}.csr`,
    `${name}.ext`,
  ];
  writeFileSync(
    extensions,
    'subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth\n',
  );
  openssl('req', ...NEW_KEY, '-keyout', keyFile, '-out', request, '-subj', '/CN=loopback');
  const signer = ['-CA', authority.certFile, '-CAkey', authority.keyFile, '-CAcreateserial'];
  const output = ['-extfile', extensions, '-days', '1', '-out', certFile];
  openssl('x509', '-req', '-in', request, ...signer, ...output);
  return { certFile, keyFile };
};
