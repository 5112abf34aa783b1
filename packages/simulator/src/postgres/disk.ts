import type { FailsafePromise } from '@matriarch/core';
import type { DataDirectory } from './data-directory.ts';
import type { Wal } from './wal.ts';

/** A directory beside the data directory in which a new one is being made. */
export interface NextDirectory {
  readonly kind: 'initialise' | 'clone';
  /** Undefined until it is complete: then it is garbage. */
  data: DataDirectory | undefined;
}

/** What lies where the data directory should be. */
export type DiskOccupant =
  | { readonly kind: 'empty' }
  | { readonly kind: 'not-ours' }
  | { readonly kind: 'unreadable' }
  | { readonly kind: 'data'; readonly data: DataDirectory };

export interface KeptFork {
  readonly fromLsn: number;
  readonly wal: Wal;
}

/** What an agent has promised last, by the clock of the boot it ran in. */
export interface KeptPromise extends FailsafePromise {
  readonly boot: number;
}

/** The disk of one host. It outlives every process and the host's crashes. */
export class Disk {
  occupant: DiskOccupant = { kind: 'empty' };
  next: NextDirectory | undefined;
  aside: DataDirectory | undefined;
  /** Marker of a bootstrap of ours that was begun here and has not ended. */
  bootstrapping = false;
  readonly keptForks: KeptFork[] = [];
  /** In the state directory, beside the data. */
  promise: KeptPromise | undefined;

  get data(): DataDirectory | undefined {
    return this.occupant.kind === 'data' ? this.occupant.data : undefined;
  }

  /** Every copy of WAL that lies on this disk. */
  copies(): Wal[] {
    const copies: Wal[] = [];
    if (this.data?.overwritten === false) copies.push(this.data.wal);
    if (this.next?.data !== undefined) copies.push(this.next.data.wal);
    if (this.aside !== undefined) copies.push(this.aside.wal);
    for (const { wal } of this.keptForks) copies.push(wal);
    return copies;
  }
}
