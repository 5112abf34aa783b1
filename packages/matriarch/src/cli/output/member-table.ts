import { type Json, type StoreSnapshot, isPauseOn } from '@matriarch/core';
import type { Row } from './formats.ts';
import { type MemberRow, assembleMemberRows, lagCell, positionCell } from './member-rows.ts';
import { type Column, formatTable } from './table.ts';
import { formatWaitingLine } from './waiting-line.ts';

interface MemberColumn extends Column {
  /** The key in other formats, where two columns cannot share a name. */
  readonly key: string;
  readonly cell: (row: MemberRow) => string | number | undefined;
  /** In JSON, where it differs. */
  readonly value?: (row: MemberRow) => Json | undefined;
  /** Left out of the table when no row has anything to say in it. */
  readonly optional?: boolean;
}

const tagsText = ({ tags }: MemberRow): string | undefined =>
  Object.keys(tags).length === 0 ? undefined : JSON.stringify(tags);

const columns: readonly MemberColumn[] = [
  { header: 'Member', key: 'Member', align: 'left', cell: (row) => row.member },
  { header: 'Host', key: 'Host', align: 'left', cell: (row) => row.host },
  { header: 'Role', key: 'Role', align: 'left', cell: (row) => row.role },
  { header: 'State', key: 'State', align: 'left', cell: (row) => row.state },
  { header: 'TL', key: 'TL', align: 'right', cell: (row) => row.timeline },
  {
    header: 'Receive LSN',
    key: 'Receive LSN',
    align: 'right',
    cell: (row) => positionCell(row, row.receiveLsn),
  },
  {
    header: 'Lag',
    key: 'Receive Lag',
    align: 'right',
    cell: (row) => lagCell(row, row.receiveLagBytes),
  },
  {
    header: 'Replay LSN',
    key: 'Replay LSN',
    align: 'right',
    cell: (row) => positionCell(row, row.replayLsn),
  },
  {
    header: 'Lag',
    key: 'Replay Lag',
    align: 'right',
    cell: (row) => lagCell(row, row.replayLagBytes),
  },
  {
    header: 'Pending restart',
    key: 'Pending restart',
    align: 'left',
    cell: (row) => (row.pendingRestart ? '*' : undefined),
    optional: true,
  },
  {
    header: 'Scheduled restart',
    key: 'Scheduled restart',
    align: 'left',
    cell: (row) => row.scheduledRestart,
    optional: true,
  },
  {
    header: 'Progress',
    key: 'Progress',
    align: 'left',
    cell: (row) => row.progress,
    optional: true,
  },
  {
    header: 'Tags',
    key: 'Tags',
    align: 'left',
    cell: tagsText,
    value: (row) => (tagsText(row) === undefined ? undefined : row.tags),
    optional: true,
  },
];

const isShown = (column: MemberColumn, rows: readonly MemberRow[]): boolean =>
  column.optional !== true || rows.some((row) => (column.cell(row) ?? '') !== '');

export const formatMemberTable = (scope: string, snapshot: StoreSnapshot): string => {
  const rows = assembleMemberRows(snapshot);
  const shown = columns.filter((column) => isShown(column, rows));
  const system = snapshot.initialize?.value;
  const identity = system === undefined ? 'uninitialized' : system === '' ? 'initializing' : system;
  const table = formatTable({
    title: `Cluster: ${scope} (${identity})`,
    columns: shown,
    rows: rows.map((row) => shown.map(({ cell }) => String(cell(row) ?? ''))),
  });
  const pause = isPauseOn(snapshot.config?.value) ? ' Maintenance mode: on' : undefined;
  const lines = [table, formatWaitingLine(snapshot), pause, formatSwitchover(snapshot)];
  return lines.filter((line) => line !== undefined).join('\n');
};

/** A switchover that waits for its time, as patronictl says it. */
const formatSwitchover = ({ failover }: StoreSnapshot): string | undefined => {
  const { scheduledAt, leader, member } = failover?.value ?? {};
  if (scheduledAt === undefined) return undefined;
  const lines = [` Switchover scheduled at: ${scheduledAt.text}`];
  if (leader !== undefined) lines.push(`${'from'.padStart(24)}: ${leader}`);
  if (member !== undefined) lines.push(`${'to'.padStart(24)}: ${member}`);
  return lines.join('\n');
};

/** For other formats: the same columns by their keys, cells without content left out. */
export const assembleMemberJson = (scope: string, snapshot: StoreSnapshot): readonly Row[] =>
  assembleMemberRows(snapshot).map((row) => {
    const object: Record<string, Json> = { Cluster: scope };
    for (const { key, cell, value = cell } of columns) {
      const content = value(row);
      if (content !== undefined && content !== '') object[key] = content;
    }
    return object;
  });

/** The keys of rows, in the order of the table. */
export const listMemberKeys = (rows: readonly Row[]): readonly string[] => [
  'Cluster',
  ...columns
    .filter(({ key, optional }) => optional !== true || rows.some((row) => key in row))
    .map(({ key }) => key),
];
