import type { JsonObject } from '@matriarch/core';
import { modeOf, withMode } from '../../drills/replication-mode.ts';
import { needsOf } from '../../drills/scenario.ts';
import { drillClusterOf } from '../../drills/up-cluster.ts';
import type { LocalPaths } from '../../local/directories.ts';
import { findRunningUp, releaseLock, takeLock } from '../../local/up-lock.ts';
import { parseArguments, textOf } from '../arguments.ts';
import { type WantedDrills, drillUsage, readDrills } from '../drill-arguments.ts';
import { drillPrivately } from '../drill-private.ts';
import { messageOf, whyNotWritable } from '../drill-report.ts';
import { complain, refuseUsage, say } from '../output/say.ts';
import { listenForStop, playDrills } from '../play-drills.ts';
import { proxyJournalFile, proxyPlace } from '../proxy-place.ts';
import type { Command } from '../verbs.ts';
import { type ClusterAccess, withCluster } from '../with-cluster.ts';

export const drillCommand: Command = {
  summary: 'harms a cluster on purpose, under load, and reports what applications saw',
  usage: drillUsage,
  run: async (args) => {
    const parsed = parseArguments(args, {
      options: {
        cluster: { type: 'string', short: 'c' },
        all: { type: 'boolean' },
        mode: { type: 'string' },
        repeat: { type: 'string' },
        report: { type: 'string' },
        resume: { type: 'boolean' },
        private: { type: 'boolean' },
      },
      positionals: 1,
    });
    if (parsed.kind === 'wrong') return refuseUsage(parsed.message, `drill ${drillUsage}`);
    const wanted = readDrills(parsed.values, parsed.positionals[0]);
    if (wanted.kind === 'wrong')
      return refuseUsage(wanted.mistakes.join('\n'), `drill ${drillUsage}`);
    if (parsed.values['private'] === true) return drillPrivately(wanted, args);
    return withCluster(textOf(parsed.values['cluster']), (access) => drill(access, wanted));
  },
};

const drill = async (access: ClusterAccess, wanted: WantedDrills): Promise<number> => {
  const { config } = access;
  const paths = findGround(access);
  if (typeof paths === 'string') {
    complain(paths);
    return 3;
  }
  const playable = wanted.scenarios.filter((scenario) => needsOf(scenario).length === 0);
  for (const scenario of wanted.scenarios.filter((one) => !playable.includes(one)))
    complain(
      `${scenario.name}: left out: it needs ${needsOf(scenario).join(' and ')} ` +
        '(as root: --private)',
    );
  if (playable.length === 0) return 3;
  const problem = whyNotWritable(wanted.report);
  if (problem !== undefined) {
    complain(problem);
    return 2;
  }
  const taken = takeTurn(access, paths);
  if (taken !== undefined) {
    complain(taken);
    return 3;
  }
  const before = access.snapshot.config?.value;
  const mode = wanted.mode ?? modeOf(before);
  say(`cluster ${config.cluster}, ${mode} replication; drills: ${playable.length}`);
  const isStopping = listenForStop();
  try {
    if (!(await changeMode(access, wanted.mode))) return 1;
    const { secrets, readAgain: snapshot } = access;
    return await playDrills(
      {
        cluster: drillClusterOf({ config, paths, secrets, snapshot }),
        proxyJournal: proxyJournalFile(proxyPlace(config, paths)),
        isStopping,
      },
      { ...wanted, scenarios: playable, mode },
    );
  } finally {
    if (before !== undefined) await restoreConfig(access, before);
    releaseLock(paths.drill);
  }
};

/** Where the cluster runs, or why it may not be harmed. */
const findGround = ({ config, paths }: ClusterAccess): LocalPaths | string => {
  if (!config.drills.allowed)
    return (
      `drills harm a cluster on purpose, and cluster ${config.cluster} is not marked for that: ` +
      'write `drills: allowed` into its cluster.yaml if nobody misses what is in it'
    );
  if (paths === undefined)
    return `cluster ${config.cluster} is on several hosts: drills need all of it on this one`;
  return findRunningUp(paths.lock) === undefined
    ? `cluster ${config.cluster} is not up: \`matriarch up\` starts it`
    : paths;
};

/** Two at once would take each other's harm for what the cluster does. */
const takeTurn = ({ config }: ClusterAccess, { drill: lock }: LocalPaths): string | undefined => {
  try {
    const other = takeLock(lock, config.cluster);
    return other === undefined
      ? undefined
      : `cluster ${config.cluster} is being drilled already (process ${other.pid}): ` +
          'wait for its end, or stop it with Ctrl-C';
  } catch (error) {
    return (
      `${lock}: cannot be written (${messageOf(error)}): ` +
      'drills are run by the user who has started the cluster'
    );
  }
};

const changeMode = async (access: ClusterAccess, mode: WantedDrills['mode']): Promise<boolean> => {
  const { config: stored } = access.snapshot;
  if (mode === undefined || stored === undefined) return true;
  const document = withMode(stored.value, mode);
  if (document === stored.value) return true;
  const written = await access.writeConfig({ document, seen: stored.modRevision });
  if (written.kind === 'done' && written.applied) return true;
  complain('the cluster-wide configuration could not be changed; nothing was harmed');
  return false;
};

const restoreConfig = async (access: ClusterAccess, before: JsonObject): Promise<void> => {
  const stored = (await access.readAgain())?.config;
  if (stored === undefined || JSON.stringify(stored.value) === JSON.stringify(before)) return;
  const written = await access.writeConfig({ document: before, seen: stored.modRevision });
  if (written.kind !== 'done' || !written.applied)
    complain('the cluster-wide configuration is not what it was: `matriarch show-config` shows it');
};
