import type { MemberTags } from '@matriarch/core';
import { defaultTags } from '@matriarch/core';
import { parseBoolean, parseInteger } from '../located/parsers.ts';
import { describeGiven, type Section } from '../located/section.ts';

const interpreted = [
  'nofailover',
  'failover_priority',
  'noloadbalance',
  'clonefrom',
  'nosync',
  'sync_priority',
];

/** Tags of Patroni that ask for something we do not do yet; published all the same. */
const notBuilt: Readonly<Record<string, string>> = {
  replicatefrom: 'cascading replication (tag replicatefrom)',
  nostream: 'archive-only standbys (tag nostream)',
};

/** What the operator says of the member. Unknown tags are no mistake: they are published. */
export const readTags = (tags: Section): MemberTags => {
  const nofailover = tags.value('nofailover', parseBoolean);
  const priority = tags.value('failover_priority', parseInteger());
  const nosync = tags.value('nosync', parseBoolean);
  const syncPriority = tags.value('sync_priority', parseInteger());
  return {
    nofailover: nofailover ?? false,
    failoverPriority: reconcilePriority(tags, nofailover, priority),
    noloadbalance: tags.value('noloadbalance', parseBoolean) ?? false,
    clonefrom: tags.value('clonefrom', parseBoolean) ?? false,
    nosync: nosync ?? (syncPriority !== undefined && syncPriority <= 0),
    syncPriority: Math.max(0, syncPriority ?? defaultTags.syncPriority),
    others: readOthers(tags),
  };
};

/** Two tags say the same thing; where they disagree nofailover wins, as in Patroni. */
const reconcilePriority = (
  tags: Section,
  nofailover: boolean | undefined,
  given: number | undefined,
): number => {
  const priority = given ?? defaultTags.failoverPriority;
  if (given === undefined || nofailover === undefined || nofailover === given <= 0) {
    return Math.max(0, priority);
  }
  tags.warn('failover_priority', {
    message: `${given} contradicts nofailover: ${nofailover}, which wins`,
    fix: 'remove one of the two',
  });
  return nofailover ? priority : defaultTags.failoverPriority;
};

const readOthers = (tags: Section): MemberTags['others'] => {
  const others: Record<string, string | number | boolean> = {};
  for (const name of tags.names()) {
    if (interpreted.includes(name)) continue;
    const entry = tags.entry(name);
    if (entry === undefined) continue;
    if (entry.kind !== 'scalar' || entry.value === null) {
      tags.mistake(name, { message: `${describeGiven(entry)} is not a single value` });
      continue;
    }
    others[name] = entry.value;
    const feature = notBuilt[name];
    if (feature !== undefined && entry.value !== false && entry.value !== '') {
      tags.findings.unbuilt.set(feature, entry.place);
    }
  }
  return others;
};
