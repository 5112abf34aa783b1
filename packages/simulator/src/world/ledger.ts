import type { WalRecord } from '../postgres/wal.ts';

export interface AcknowledgedWrite {
  readonly record: WalRecord;
  readonly host: string;
  readonly at: number;
  /** Accepted by a server that had no right to, for a reason no software can see. */
  readonly excused: boolean;
}

/** Every write that a client was told is committed. */
export class Ledger {
  readonly acknowledged: AcknowledgedWrite[] = [];
  readonly #register = new Set<number>();
  #nextWrite = 1;

  issueWrite(): number {
    const write = this.#nextWrite;
    this.#nextWrite += 1;
    return write;
  }

  /** The next value of the one register that readers ask for. */
  issueToRegister(): number {
    const write = this.issueWrite();
    this.#register.add(write);
    return write;
  }

  isInRegister(write: number | undefined): boolean {
    return write !== undefined && this.#register.has(write);
  }
}
