/** What `list` says below its table of whose commits wait for a standby. */
import { type StoreSnapshot, type WaiterReport, waitersOf } from '@matriarch/core';
import { readClusterSettings } from '@matriarch/protocol';

const notes: Readonly<Record<WaiterReport['state'], (report: WaiterReport) => string>> = {
  waits: () => '',
  'not-yet': () => ' (not yet)',
  missing: () => ' (not there)',
  'set-otherwise': ({ value }) => ` (set to ${value ?? 'something else'} by somebody else)`,
  'no-sessions': ({ kind }) =>
    kind === 'role' ? ' (cannot log in; its members do not inherit it)' : ' (takes no connections)',
};

const listOf = (kind: WaiterReport['kind'], named: readonly Named[]): string | undefined => {
  const these = named.filter((one) => one.kind === kind);
  if (these.length === 0) return undefined;
  const word = these.length === 1 ? kind : `${kind}s`;
  return `${word} ${these.map(({ name, note }) => `${name}${note}`).join(', ')}`;
};

interface Named {
  readonly kind: WaiterReport['kind'];
  readonly name: string;
  readonly note: string;
}

/** The names are those of the configuration; what has come of them, only the leader can tell. */
export const formatWaitingLine = ({
  config,
  leader,
  members,
}: StoreSnapshot): string | undefined => {
  const told = leader === undefined ? undefined : members[leader.value]?.value.waiting;
  const named = waitersOf(readClusterSettings(config?.value).waiting).map((waiter): Named => {
    const report = told?.find(({ kind, name }) => kind === waiter.kind && name === waiter.name);
    return { ...waiter, note: report === undefined ? ' (not known)' : notes[report.state](report) };
  });
  const lists = [listOf('role', named), listOf('database', named)].filter(
    (list) => list !== undefined,
  );
  return lists.length === 0 ? undefined : ` Commits wait for a standby: ${lists.join('; ')}`;
};
