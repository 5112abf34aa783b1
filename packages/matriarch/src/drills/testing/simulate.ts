/** Scenarios as the simulator plays them: the same harms, in its own words. */
import { PARTS, type ScriptedFault } from '@matriarch/simulator';
import { type HarmName, type Scenario, type Target, spanMs } from '../scenario.ts';

/** When the first harm begins: the make-believe cluster is whole by then. */
const FIRST_MS = 40_000;
/** Long enough for another primary to be at work, also one that recovers slowly. */
const UNTIL_WRITTEN = { ttls: 2, ms: 10_000 };
/** Every member streams again by then. */
const WHOLE_MS = 30_000;

const HITS: Readonly<Record<Target, string>> = {
  primary: PARTS.holder,
  replica: PARTS.bystander,
  'other-replica': PARTS.secondBystander,
};

type Played = Pick<ScriptedFault, 'name'> &
  Partial<Pick<ScriptedFault, 'host' | 'other' | 'draws'>>;

/* What the simulator draws for a choice: below a half it is yes, or the first of two. */
const YES = 0.1;
const NO = 0.9;
const SECOND_OF_TWO = 0.9;

const hostsParted = (name: 'hosts-parted' | 'hosts-parted-one-way'): readonly Played[] => [
  { name, other: PARTS.bystander },
  { name, other: PARTS.secondBystander },
];

/** What each harm is there. */
const PLAYED: Readonly<Record<HarmName, readonly Played[]>> = {
  'kill-postmaster': [{ name: 'postmaster-killed' }],
  'kill-host': [{ name: 'host-crashes' }],
  'kill-loop': [{ name: 'loop-killed' }],
  'kill-guard': [{ name: 'guard-killed' }],
  // Its store is one: without a member it is slow until another one leads.
  'kill-store-member': [{ name: 'store-slow', draws: [1] }],
  'kill-store': [{ name: 'store-refuses' }],
  'freeze-postmaster': [{ name: 'postmaster-stopped' }],
  'freeze-host': [{ name: 'host-frozen' }],
  'freeze-loop': [{ name: 'loop-stopped' }],
  'stall-receiver': [{ name: 'standby-stalls' }],
  'stall-senders': [
    { name: 'standby-stalls', host: PARTS.bystander },
    { name: 'standby-stalls', host: PARTS.secondBystander },
  ],
  'cut-off': [{ name: 'host-isolated' }],
  'cut-off-from-store': [{ name: 'store-cut-off' }],
  'cut-off-from-members': hostsParted('hosts-parted'),
  'cut-off-outgoing': [
    { name: 'store-cut-off-one-way', draws: [YES] },
    ...hostsParted('hosts-parted-one-way'),
  ],
  'cut-off-incoming': [
    { name: 'store-cut-off-one-way', draws: [NO] },
    { name: 'hosts-parted-one-way', host: PARTS.bystander, other: PARTS.holder },
    { name: 'hosts-parted-one-way', host: PARTS.secondBystander, other: PARTS.holder },
  ],
  'fill-disk': [{ name: 'server-panics', draws: [SECOND_OF_TWO] }],
  switchover: [{ name: 'switchover', draws: [NO] }],
  restart: [{ name: 'restart-asked', draws: [NO] }],
};

/** The store is slow for so long when one of its members is lost. */
const STORE_ELECTION_MS = 2_000;

export const scriptOf = (
  { steps }: Scenario,
  { ttlMs }: { readonly ttlMs: number },
): readonly ScriptedFault[] => {
  let at = FIRST_MS;
  return steps.flatMap(({ after, harm, hits, lasts }) => {
    if (after === 'whole') at += WHOLE_MS;
    else if (after !== undefined && after !== 'next-holder') at += spanMs(after, ttlMs);
    const span = lasts === 'until-written' ? UNTIL_WRITTEN : lasts;
    return PLAYED[harm].map(
      ({ name, host = HITS[hits], other, draws = [] }): ScriptedFault => ({
        at,
        name,
        host,
        other,
        lastsMs: span === undefined ? STORE_ELECTION_MS : spanMs(span, ttlMs),
        draws,
        awaitsNextHolder: after === 'next-holder',
      }),
    );
  });
};
