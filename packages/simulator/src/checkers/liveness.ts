import { mayFailOver } from '@matriarch/core';
import { type SimHost, addressOf } from '../host/sim-host.ts';
import type { World } from '../world/world.ts';
import { slotOf } from '../postgres/slot-of.ts';

/** The name under which a cluster that does not come back is reported. */
export const LIVENESS = 'liveness-after-healing';

/**
 * Why the cluster is not whole again; undefined: one primary holds the lease and accepts writes,
 * all others stream from it, and nothing of the repairs is left lying about.
 */
export const whyNotHealthy = (world: World): string | undefined => {
  const members = [...world.hosts.values()].filter(({ leftWith }) => leftWith === undefined);
  const leader = world.store.documents.get('leader')?.value;
  if (leader === undefined) return 'nobody holds the lease';
  const primary = members.find(({ name }) => name === leader);
  if (primary === undefined) return `the lease holder ${JSON.stringify(leader)} is no member`;
  const reasons = [whyNotPrimary(primary, world)];
  for (const member of members) {
    if (member !== primary) reasons.push(whyNotStreaming(member, primary));
    reasons.push(whyNotTidy(member, primary, members));
  }
  return reasons.find((reason) => reason !== undefined);
};

/**
 * Why nobody may become primary, whatever the members do. That is what an operator wants, or has to
 * answer for, and no fault of the cluster. Undefined: somebody may.
 */
export const whyNobodyMay = (world: World): string | undefined =>
  world.store.snapshot().leader === undefined
    ? (whyAllAreTagged(world) ?? whyHostIsMissed(world))
    : undefined;

/** Whoever has data is tagged never to be primary. */
const whyAllAreTagged = ({ hosts }: World): string | undefined => {
  const withData = [...hosts.values()].filter(({ postgres }) => postgres.disk.data);
  if (withData.length === 0 || withData.some(({ tags }) => mayFailOver(tags))) return undefined;
  const names = withData.map(({ name }) => name).join(', ');
  return `nobody may be primary: only ${names} has data, and is tagged nofailover`;
};

/**
 * Its primary was told to go on without a lease. Who has come in its place, after a reboot and
 * without its data, may be another host: only an operator can say that the old one is gone.
 */
const whyHostIsMissed = ({ hosts, store }: World): string | undefined => {
  const { member, life } = store.snapshot().suspension?.value ?? {};
  const host = [...hosts.values()].find(({ name }) => name === member);
  if (host === undefined || life?.host === host.describeSelf().life.host) return undefined;
  if (host.postgres.disk.data !== undefined) return undefined;
  return `nobody may be primary: ${host.name} may go on without a lease on ${life?.host}`;
};

/** Why the copies are not the same; to be asked once nobody writes any more. */
export const whyNotEqual = (world: World): string | undefined => {
  const all = [...world.hosts.values()].filter(({ leftWith }) => leftWith === undefined);
  const primary = all.find(({ postgres }) => postgres.acceptsWrites);
  const last = primary?.postgres.disk.data?.wal.records.at(-1);
  for (const { name, postgres } of all) {
    const own = postgres.disk.data?.wal.records.at(-1);
    if (own?.id !== last?.id) return `${name} does not hold what ${primary?.name ?? '?'} holds`;
  }
  return undefined;
};

const whyNotPrimary = ({ name, postgres }: SimHost, world: World): string | undefined => {
  if (!postgres.acceptsWrites) return `${name} holds the lease and accepts no writes`;
  const timeline = postgres.disk.data?.lineage.timeline ?? 1;
  const document = world.store.documents.get('timelines')?.value as
    | { readonly promotions: readonly { readonly timeline: number }[] }
    | undefined;
  const isRecorded =
    timeline === 1 || document?.promotions.some((promotion) => promotion.timeline === timeline);
  return isRecorded === true ? undefined : `timeline ${timeline} is not recorded in the store`;
};

const whyNotStreaming = ({ name, postgres }: SimHost, primary: SimHost): string | undefined => {
  const instance = postgres.running;
  if (instance === undefined) return `${name} has no server running`;
  if (!instance.inRecovery) return `${name} is out of recovery`;
  if (instance.receiver?.isStreaming !== true)
    return `${name} does not stream: ${instance.receiver?.refusal ?? 'it is not told to'}`;
  if (instance.upstream?.address !== addressOf(primary.name))
    return `${name} streams from ${instance.upstream?.address ?? 'nobody'}`;
  return undefined;
};

const whyNotTidy = (
  member: SimHost,
  primary: SimHost,
  members: readonly SimHost[],
): string | undefined => {
  const { disk, world } = member.postgres;
  if (disk.aside !== undefined) return `${member.name} still keeps an old data directory`;
  if (disk.next !== undefined) return `${member.name} still has an unfinished data directory`;
  if (!world.pace.useSlots || member !== primary) return undefined;
  const missing = members.find(
    ({ name }) => name !== primary.name && disk.data?.slots.has(slotOf(name)) !== true,
  );
  return missing === undefined ? undefined : `${primary.name} has no slot for ${missing.name}`;
};
