/** Drills on a cluster of several hosts that is made for them, and is gone after them. */
import { fileURLToPath } from 'node:url';
import {
  enterPrivateHost,
  findObstacles,
  isInMemoryInside,
  startPrivateCluster,
} from '../drills/private/main.ts';
import { isOnPrivateHost } from '../drills/private/private-host.ts';
import type { WantedDrills } from './drill-arguments.ts';
import { whyNotWritable } from './drill-report.ts';
import { complain, say } from './output/say.ts';
import { listenForStop, playDrills } from './play-drills.ts';
import { proxyJournalFile, proxyPlace } from './proxy-place.ts';

const entry = fileURLToPath(new URL('../cli.js', import.meta.url));
const MEMBERS = 3;

/** `args` are those of this very command: they are run once more where the cluster can be made. */
export const drillPrivately = async (
  wanted: WantedDrills,
  args: readonly string[],
): Promise<number> => {
  if (isOnPrivateHost()) return playInside(wanted);
  const obstacles = findObstacles();
  for (const obstacle of obstacles) complain(obstacle);
  if (obstacles.length > 0) return 3;
  const problem = whyNotKept(wanted.report) ?? whyNotWritable(wanted.report);
  if (problem !== undefined) {
    complain(problem);
    return 2;
  }
  return enterPrivateHost([entry, 'drill', ...args]);
};

const whyNotKept = (file: string | undefined): string | undefined =>
  file === undefined || !isInMemoryInside(file)
    ? undefined
    : `${file}: is in memory where drills are played, and would be gone: name another directory`;

const playInside = async (wanted: WantedDrills): Promise<number> => {
  const mode = wanted.mode ?? 'quorum';
  const isStopping = listenForStop();
  const started = await startPrivateCluster({ mode, members: MEMBERS, print: say });
  if (started.kind === 'refused') {
    for (const message of started.messages) complain(message);
    return 1;
  }
  const { cluster } = started;
  const { config, paths } = cluster;
  say(
    `a cluster of ${MEMBERS} hosts, each with addresses and a disk of its own, ${mode} ` +
      `replication; drills: ${wanted.scenarios.length}`,
  );
  try {
    const proxyJournal = proxyJournalFile(proxyPlace(config, paths));
    return await playDrills({ cluster, proxyJournal, isStopping }, { ...wanted, mode });
  } finally {
    await cluster.stop();
  }
};
