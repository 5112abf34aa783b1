/** Slots for every member on every member, so that none is lost at a failover. */
import { after, elapsedMs } from '../model/instant.ts';
import type { Lsn } from '../model/lsn.ts';
import { slotNameOf } from '../model/member.ts';
import type { ServerAnswer } from '../model/server.ts';
import { isPaused } from '../view/pause.ts';
import { type View, hasPassed, lookIntervalMs } from '../view/view.ts';
import type { Chore } from './chore.ts';

/** How long the slot of a member that has gone is kept (Patroni's member_slots_ttl). */
export const MEMBER_SLOT_TTL_MS = 30 * 60_000;

/** Slots of the members that are present, and of those that went away not long ago. */
export const wantedSlotNames = (view: View): readonly string[] => {
  const { slotsWantedAt } = view.state;
  const present = view.otherMembers.map(slotNameOf);
  const kept = Object.entries(slotsWantedAt)
    .filter(([, at]) => elapsedMs(at, view.now) < MEMBER_SLOT_TTL_MS)
    .map(([name]) => name);
  return [...new Set([...present, ...kept])].sort();
};

/** The same, with what the holder says it retains: a loop that starts does not forget. */
const rememberSlots = (view: View): Readonly<Record<string, typeof view.now>> => {
  const own = slotNameOf(view.state.self.name);
  const retained = view.store?.status?.value.retainSlots ?? [];
  const wanted: Record<string, typeof view.now> = {};
  for (const name of retained) if (name !== own) wanted[name] = view.now;
  Object.assign(wanted, view.state.slotsWantedAt);
  for (const member of view.otherMembers) wanted[slotNameOf(member)] = view.now;
  return wanted;
};

export const changeSlots: Chore = (view) => {
  const { server, state } = view;
  if (server === undefined || !state.policy.useSlots || view.store === undefined) return undefined;
  if (state.process.kind === 'running' && state.process.startedAs === 'private') return undefined;
  const intervalMs = lookIntervalMs(state);
  const looked = state.slotsAt;
  if (looked !== undefined && !hasPassed(view, looked, intervalMs))
    return { askAgainAt: after(looked, intervalMs) };
  const slotsWantedAt = rememberSlots(view);
  const remember = { slotsWantedAt, slotsAt: view.now };
  const wanted = Object.keys(slotsWantedAt).filter(
    (name) => elapsedMs(slotsWantedAt[name] ?? view.now, view.now) < MEMBER_SLOT_TTL_MS,
  );
  const existing = new Set(server.slots.map(({ name }) => name));
  const create = wanted.filter((name) => !existing.has(name));
  // A slot that has lost its WAL serves nobody any more: it makes room for a new one.
  const drop = droppable(view, server)
    .filter(({ name, active }) => !active && name in slotsWantedAt)
    .filter(({ name, walStatus }) => walStatus === 'lost' || !wanted.includes(name))
    .map(({ name }) => name);
  const advance = advances(view, server);
  const nothing = create.length === 0 && drop.length === 0 && Object.keys(advance).length === 0;
  if (nothing) return { askAgainAt: after(view.now, intervalMs), remember };
  return { action: { kind: 'change-slots', create, drop, advance }, remember };
};

/** In a pause members may be away for long, and all is left as it is. */
const droppable = (view: View, { slots }: ServerAnswer): ServerAnswer['slots'] =>
  isPaused(view) ? [] : slots;

/** On a standby: as far as the holder's slots are, and never beyond what we have replayed. */
const advances = (view: View, server: ServerAnswer): Record<string, Lsn> => {
  const targets = view.store?.status?.value.slots ?? {};
  const result: Record<string, Lsn> = {};
  if (!server.inRecovery || server.replayedLsn === undefined) return result;
  for (const slot of server.slots) {
    const target = targets[slot.name];
    if (target === undefined || slot.active || target > server.replayedLsn) continue;
    if (slot.restartLsn === undefined || target > slot.restartLsn) result[slot.name] = target;
  }
  return result;
};

/** The checkpoint after a promotion: pg_rewind of the others waits for it. */
export const checkpointAfterPromotion: Chore = (view) => {
  if (!view.state.checkpointDue || view.server?.inRecovery !== false) return undefined;
  return { action: { kind: 'checkpoint', limitMs: 60 * 60_000 } };
};
