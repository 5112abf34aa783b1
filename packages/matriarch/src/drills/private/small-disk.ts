/**
 * A file system of limited size, in memory. It is filled by taking its free room away, which needs
 * neither the time nor the memory that a large file would.
 */
import { statfsSync } from 'node:fs';
import { type Tools, runTool } from './tools.ts';
import type { Account } from '../../local/secrets.ts';

export interface DiskPlace {
  /** A directory that is there. */
  readonly path: string;
  readonly owner: Account | undefined;
}

export const mountDisk = (
  { mount }: Tools,
  { path, owner }: DiskPlace,
  sizeBytes: number,
): void => {
  const ownership = owner === undefined ? '' : `,uid=${owner.uid},gid=${owner.gid}`;
  const options = `size=${sizeBytes},mode=700${ownership}`;
  runTool([mount, '-t', 'tmpfs', '-o', options, 'tmpfs', path]);
};

const resize = ({ mount }: Tools, path: string, sizeBytes: number): void =>
  runTool([mount, '-t', 'tmpfs', '-o', `remount,size=${sizeBytes}`, 'tmpfs', path]);

/** A file system does not become smaller than what is in it, and that may have grown meanwhile. */
const FILL_TRIES = 20;

/** Throws when there is free room all the same. */
export const fillDisk = (tools: Tools, path: string): void => {
  for (let left = FILL_TRIES - 1; ; left -= 1) {
    const { bsize, blocks, bfree } = statfsSync(path);
    try {
      return resize(tools, path, bsize * (blocks - bfree));
    } catch (error) {
      if (left === 0) throw error;
    }
  }
};

export const freeDisk = resize;
