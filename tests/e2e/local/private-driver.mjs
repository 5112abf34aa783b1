/**
 * A private cluster that does as it is told: starts itself where it has to be, keeps writing, takes
 * a command from each line of its standard input and answers it with a line. Ends with its input.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Ledger } from '../../../packages/matriarch/dist/drills/ledger.js';
import {
  enterPrivateHost,
  findObstacles,
  startPrivateCluster,
} from '../../../packages/matriarch/dist/drills/private/main.js';
import { isOnPrivateHost } from '../../../packages/matriarch/dist/drills/private/private-host.js';
import { serverPids } from '../../../packages/matriarch/dist/drills/processes.js';
import { countLost } from '../../../packages/matriarch/dist/drills/run-scenario.js';
import { startTraffic } from '../../../packages/matriarch/dist/drills/traffic.js';
import {
  createTable,
  trafficOf,
} from '../../../packages/matriarch/dist/drills/traffic-of-cluster.js';
import { awaitReady } from '../../../packages/matriarch/dist/local/await-ready.js';

/** @typedef {import('../../../packages/matriarch/dist/drills/drill-cluster.js').Link} Link */
/** @typedef {Extract<Awaited<ReturnType<typeof startPrivateCluster>>, { kind: 'started' }>} Started */
/** @typedef {Started['cluster']} PrivateCluster */

const INSIDE = 'inside';
/** Says so, and ends with a status of its own. */
const LEAVE = 'leave';
const STATUS_LEFT = 7;
const STATUS_REFUSED = 3;

/** @param {unknown} value */
const answer = (value) => process.stdout.write(`${JSON.stringify(value ?? null)}\n`);

/** @param {string} line */
const tell = (line) => process.stderr.write(`${line}\n`);

/** @param {PrivateCluster} cluster */
const begin = async (cluster) => {
  if (!(await awaitReady(cluster, tell))) throw new Error('it does not become whole');
  const ledger = new Ledger();
  const traffic = trafficOf(cluster, ledger);
  await createTable(traffic);
  const clients = startTraffic(traffic);

  /** @type {Record<string, (argument: unknown) => unknown>} */
  const commands = {
    holder: async () => (await cluster.snapshot())?.leader?.value,
    whole: () => awaitReady(cluster, tell),
    cut: (links) => cluster.links.cut(/** @type {readonly Link[]} */ (links)),
    mend: (links) => cluster.links.mend(/** @type {readonly Link[]} */ (links)),
    fill: (member) => cluster.disks.fill(String(member)),
    free: (member) => cluster.disks.free(String(member)),
    servers: (member) => serverPids(cluster.dataDirectory(String(member))),
    journal: (member) => readFileSync(cluster.journalFile(String(member)), 'utf8'),
    acknowledged: () => ledger.acknowledgedIds().length,
    lost: () => countLost(traffic, [ledger]),
    sharedMemory: () => readdirSync('/dev/shm'),
    stop: async () => {
      await clients.stop();
      await cluster.stop();
    },
  };
  return commands;
};

const runInside = async () => {
  const started = await startPrivateCluster({ mode: 'quorum', members: 3, print: tell });
  if (started.kind === 'refused') throw new Error(started.messages.join('\n'));
  const commands = await begin(started.cluster);
  process.on('SIGHUP', () => answer('hung up'));
  answer('whole');
  for await (const line of createInterface({ input: process.stdin })) {
    /** @type {readonly [name: string, argument: unknown]} */
    const [name, argument] = JSON.parse(line);
    answer(await commands[name]?.(argument));
  }
  process.exit(0);
};

const runOutside = async () => {
  const obstacles = findObstacles();
  for (const obstacle of obstacles) tell(obstacle);
  if (obstacles.length > 0) return STATUS_REFUSED;
  return enterPrivateHost([fileURLToPath(import.meta.url), process.argv[2] ?? INSIDE]);
};

if (!isOnPrivateHost()) process.exitCode = await runOutside();
else if (process.argv[2] === LEAVE) process.exitCode = STATUS_LEFT;
else await runInside();
