import { type Lsn, lsn, type Timeline } from '@matriarch/core';

const SEGMENT = /^([0-9A-F]{8})([0-9A-F]{8})([0-9A-F]{8})$/;
const HISTORY = /^([0-9A-F]{8})\.history$/;
const SEGMENTS_SPAN = 0x1_0000_0000n;

export interface WalSegment {
  readonly timeline: Timeline;
  readonly start: Lsn;
}

const hex = (value: bigint | number): string => value.toString(16).toUpperCase().padStart(8, '0');

/** The name of the file that holds `position`, as PostgreSQL names it. */
export const segmentName = (timeline: Timeline, position: Lsn, segmentBytes: number): string => {
  const size = BigInt(segmentBytes);
  const perHigh = SEGMENTS_SPAN / size;
  const number = position / size;
  return `${hex(timeline)}${hex(number / perHigh)}${hex(number % perHigh)}`;
};

/** Reads a segment's name; undefined for every other file (histories, partial and backup files). */
export const parseSegmentName = (name: string, segmentBytes: number): WalSegment | undefined => {
  const match = SEGMENT.exec(name);
  if (match === null) return undefined;
  const [, timelineHex = '', high = '', low = ''] = match;
  const size = BigInt(segmentBytes);
  const number = BigInt(`0x${high}`) * (SEGMENTS_SPAN / size) + BigInt(`0x${low}`);
  return { timeline: Number.parseInt(timelineHex, 16) as Timeline, start: lsn(number * size) };
};

export const segmentStart = (position: Lsn, segmentBytes: number): Lsn =>
  lsn(position - (position % BigInt(segmentBytes)));

/** The timeline a `.history` file is of; undefined for every other file. */
export const parseHistoryName = (name: string): Timeline | undefined => {
  const match = HISTORY.exec(name);
  return match === null ? undefined : (Number.parseInt(match[1] ?? '', 16) as Timeline);
};

const LONG_HEADER_BYTES = 40n;
const SHORT_HEADER_BYTES = 24n;
const ALIGNMENT = 8n;

export interface WalGeometry {
  readonly walBlockBytes: number;
  readonly walSegmentBytes: number;
}

const headerBytes = (page: bigint, { walSegmentBytes }: WalGeometry): bigint =>
  page % BigInt(walSegmentBytes) === 0n ? LONG_HEADER_BYTES : SHORT_HEADER_BYTES;

/**
 * Where a record ends that begins at `start`: a record goes on behind the header of each page it
 * crosses, and the next one begins aligned. An end at a page's border is the border itself, as
 * PostgreSQL reports it when it says how far it has flushed.
 */
export const recordEnd = (start: Lsn, recordBytes: number, geometry: WalGeometry): Lsn => {
  const block = BigInt(geometry.walBlockBytes);
  let position: bigint = start;
  let left = BigInt(recordBytes);
  for (;;) {
    const room = block - (position % block);
    if (left <= room) break;
    left -= room;
    position += room;
    position += headerBytes(position, geometry);
  }
  const end = position + left;
  return lsn(((end + ALIGNMENT - 1n) / ALIGNMENT) * ALIGNMENT);
};
