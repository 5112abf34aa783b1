/** What the members' journals say happened after a fault, as steps on one time axis. */
import { readFileSync } from 'node:fs';
import type { FaultStep } from './report.ts';

/** The events that tell the story of a failover; the rest of the journal is detail. */
export const toldEvents: readonly string[] = [
  'server.exited',
  'server.silent',
  'lease.handed-over',
  'lease.acquired',
  'server.promoting',
  'primary.promoted',
  'switchover.begun',
  'server.stopping',
  'server.restarting',
  'fork.keeping',
  'member.rewinding',
  'member.cloning',
];

interface JournalLine {
  readonly at?: string;
  readonly event?: string;
}

const parseLine = (line: string): JournalLine => {
  try {
    return (JSON.parse(line) as JournalLine | null) ?? {};
  } catch {
    // The last line of a killed agent may be cut.
    return {};
  }
};

const readLines = (file: string): string[] => {
  try {
    return readFileSync(file, 'utf8').split('\n');
  } catch {
    return [];
  }
};

/** All members run on this machine, so their wall clocks are one. */
export const collectSteps = (
  journals: ReadonlyMap<string, string>,
  fromWallMs: number,
): FaultStep[] => {
  const steps: FaultStep[] = [];
  for (const [member, file] of journals) {
    for (const line of readLines(file)) {
      const { at, event } = parseLine(line);
      if (at === undefined || event === undefined || !toldEvents.includes(event)) continue;
      const atMs = Date.parse(at) - fromWallMs;
      if (atMs >= 0) steps.push({ name: `${event} ${member}`, atMs });
    }
  }
  return steps.sort((a, b) => a.atMs - b.atMs);
};
