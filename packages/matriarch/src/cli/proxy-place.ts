import { join } from 'node:path';
import type { ClusterConfig } from '@matriarch/protocol';
import { type LocalPaths, proxySockets } from '../local/directories.ts';

export interface Place {
  readonly directory: string;
  readonly socketDirectory: string;
}

/** On a machine of its own the proxy keeps its files where services do. */
export const proxyPlace = (config: ClusterConfig, paths: LocalPaths | undefined): Place =>
  paths === undefined
    ? {
        directory: join('/var/lib/matriarch', config.cluster, 'proxy'),
        socketDirectory: join('/run/matriarch', `proxy-${config.cluster}`),
      }
    : { directory: paths.proxy, socketDirectory: proxySockets(paths) };

/** Where the proxy tells what it did. */
export const proxyJournalFile = ({ directory }: Place): string => join(directory, 'journal.jsonl');
