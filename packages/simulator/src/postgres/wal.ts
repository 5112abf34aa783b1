/** Bytes of one WAL segment; small, so that a schedule of minutes fills some. */
export const SEGMENT_BYTES = 65_536;
/** Where the WAL of a new data directory begins. */
export const FIRST_LSN = 16 * SEGMENT_BYTES;

export interface WalRecord {
  /** Unique in the world: two records with one place and two ids are a divergence. */
  readonly id: number;
  readonly timeline: number;
  readonly start: number;
  readonly end: number;
  /** The client's write it carries; undefined for PostgreSQL's own records. */
  readonly write: number | undefined;
}

export const segmentStart = (lsn: number): number => lsn - (lsn % SEGMENT_BYTES);

/** The records of one copy of the data, oldest first, each with the time it reached this disk. */
export class Wal {
  readonly records: WalRecord[];
  readonly arrivedAt: number[];

  constructor(records: WalRecord[] = [], arrivedAt: number[] = []) {
    this.records = records;
    this.arrivedAt = arrivedAt;
  }

  get count(): number {
    return this.records.length;
  }

  get end(): number {
    return this.records.at(-1)?.end ?? FIRST_LSN;
  }

  append(record: WalRecord, now: number): void {
    this.records.push(record);
    this.arrivedAt.push(now);
  }

  /** How many records end at or before `lsn`. */
  countUpTo(lsn: number): number {
    let low = 0;
    let high = this.records.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const record = this.records[middle];
      if (record !== undefined && record.end <= lsn) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The first `count` records as a copy that arrives now. */
  copy(count: number, now: number): Wal {
    return arrivedNow(this.records.slice(0, count), now);
  }

  /** The records from `lsn` on. */
  tail(lsn: number, now: number): Wal {
    return arrivedNow(this.records.slice(this.countUpTo(lsn)), now);
  }

  /** How many records both begin with. */
  sharedWith(other: Wal): number {
    const most = Math.min(this.count, other.count);
    let low = 0;
    let high = most;
    // Copies of one past are equal up to some place and different after it.
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.records[middle]?.id === other.records[middle]?.id) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

const arrivedNow = (records: WalRecord[], now: number): Wal =>
  new Wal(
    records,
    records.map(() => now),
  );
