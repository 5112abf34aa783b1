import { defaultTags } from '../../model/member.ts';
import type { Agenda } from './agenda.ts';
import type { Calls } from './calls.ts';
import type { Chance } from './chance.ts';
import type { MakeBelieveHost } from './make-believe-host.ts';
import type { MakeBelieveLoop } from './make-believe-loop.ts';
import { BRAVO, type MakeBelieveRival } from './make-believe-rival.ts';
import type { MakeBelieveStore } from './make-believe-store.ts';
import { ALPHA, OTHER_TTL_MS, TTL_MS } from './new-member.ts';
import type { Mishap } from './weather.ts';

const OUTAGE_MS = 6_000;
/** Longer than any lease, after a pause has been heard of. */
const LONG_OUTAGE_MS = 12_000;
const PAUSE_BEFORE_OUTAGE_MS = 2_500;
const FREEZE_MS = 4_500;
const WRITTEN_BYTES = 4_096;

/** What a mishap can befall. */
export interface Befallen {
  readonly agenda: Agenda;
  readonly chance: Chance;
  readonly store: MakeBelieveStore;
  readonly host: MakeBelieveHost;
  readonly rival: MakeBelieveRival;
  readonly loop: MakeBelieveLoop;
  readonly calls: Calls;
}

export const mishaps: Readonly<Record<Mishap, (world: Befallen) => void>> = {
  'server-crashes': ({ host, calls }) => calls.tellExit(host.crash()),
  'rival-takes-lease': ({ rival }) => rival.takeLease(),
  'rival-gives-lease-back': ({ rival }) => rival.giveLeaseBack(),
  'rival-hands-over': ({ rival }) => rival.handOver(),
  'switchover-is-asked': ({ store, loop }) => {
    store.put('failover', { leader: ALPHA, member: BRAVO });
    loop.announce();
  },
  'pause-is-asked': (world) => setPause(world, true),
  'resume-is-asked': (world) => setPause(world, false),
  'pause-and-long-outage': (world) => {
    setPause(world, true);
    world.agenda.later(PAUSE_BEFORE_OUTAGE_MS, () => world.calls.loseStore(LONG_OUTAGE_MS));
  },
  'restart-is-asked': ({ loop }) =>
    loop.tellLater({ kind: 'request', request: { kind: 'restart', id: '1', limitMs: undefined } }),
  'reinitialize-is-asked': ({ loop }) =>
    loop.tellLater({ kind: 'request', request: { kind: 'reinitialize', id: '2' } }),
  'wal-is-written': ({ host, store, rival, chance }) => {
    host.write(WRITTEN_BYTES);
    const hasIt = chance.draw([true, false], true);
    if (hasIt && host.data !== undefined && store.isHeldBy(ALPHA)) rival.end = host.data.end;
  },
  'loop-is-frozen': ({ loop }) => loop.freeze(FREEZE_MS),
  'loop-dies': ({ loop }) => loop.restart(),
  'agent-dies': ({ loop }) => loop.beginAnotherLife(),
  'store-is-out': ({ calls }) => calls.loseStore(OUTAGE_MS),
  'policy-changes': ({ loop }) => {
    const { policy } = loop.member.state;
    loop.tell({ kind: 'policy-changed', policy: { ...policy, serverConfigVersion: 'v2' } });
  },
  'ttl-changes': ({ loop }) => {
    const { policy } = loop.member.state;
    const ttlMs = policy.ttlMs === TTL_MS ? OTHER_TTL_MS : TTL_MS;
    loop.tell({ kind: 'policy-changed', policy: { ...policy, ttlMs } });
  },
  'tags-change': ({ loop }) =>
    loop.tell({ kind: 'tags-changed', tags: { ...defaultTags, failoverPriority: 2 } }),
  'server-looks-changed': ({ loop }) => loop.tell({ kind: 'server-changed' }),
};

/** An operator pauses the cluster, or ends the pause. */
export const setPause = ({ store, loop }: Befallen, pause: boolean): void => {
  if (store.snapshot.config === undefined) return;
  store.put('config', pause ? { pause } : {});
  loop.announce();
};
