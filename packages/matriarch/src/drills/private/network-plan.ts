/**
 * The network of a private cluster: every end is in a network namespace of its own, and a wire
 * leads from each to the hub, which routes between them. Whatever is cut is cut in the hub: a rule
 * for what comes in by one wire and wants to go to one address. It swallows packets without a word,
 * on open connections as on new ones.
 */
import type { End, Link } from '../drill-cluster.ts';

/** Where a wire ends: its name in the hub, which is the file of its namespace too. */
export interface NetworkEnd {
  readonly end: End | 'clients';
  readonly name: string;
  readonly address: string;
}

const HUB_ADDRESS = '10.77.255.254';
const EVERYBODY = '10.77.0.0/16';
/** Its own name for the one wire of each end. */
const DEVICE = 'eth0';

const CLIENTS: NetworkEnd = { end: 'clients', name: 'clients', address: '10.77.0.1' };

/** The first host is 10.77.0.11, and its etcd 10.77.1.11: an address each, to be cut apart. */
export const planEnds = (members: readonly string[]): readonly NetworkEnd[] => [
  CLIENTS,
  ...members.flatMap((host, index): readonly NetworkEnd[] => [
    { end: { kind: 'member', host }, name: `member${index + 1}`, address: `10.77.0.${11 + index}` },
    { end: { kind: 'store', host }, name: `store${index + 1}`, address: `10.77.1.${11 + index}` },
  ]),
];

/** For `ip -batch` in the hub. `namespaceOf`: the file of an end's namespace. */
export const planHub = (
  ends: readonly NetworkEnd[],
  namespaceOf: (end: NetworkEnd) => string,
): readonly string[] => [
  'link set lo up',
  ...ends.flatMap((end) => [
    `link add ${end.name} type veth peer name ${DEVICE} netns ${namespaceOf(end)}`,
    `address add ${HUB_ADDRESS}/32 dev ${end.name}`,
    `link set ${end.name} up`,
    `route add ${end.address}/32 dev ${end.name}`,
  ]),
];

/** For `ip -batch` at an end, once the hub has made its wire. */
export const planEnd = ({ address }: NetworkEnd): readonly string[] => [
  'link set lo up',
  `address add ${address}/32 dev ${DEVICE}`,
  `link set ${DEVICE} up`,
  `route add ${HUB_ADDRESS}/32 dev ${DEVICE}`,
  `route add ${EVERYBODY} via ${HUB_ADDRESS} dev ${DEVICE}`,
];

const isSame = (a: End | 'clients', b: End | 'clients'): boolean =>
  a === 'clients' || b === 'clients' ? a === b : a.kind === b.kind && a.host === b.host;

/** Throws when there is no such end. */
const mustFind = (ends: readonly NetworkEnd[], wanted: End | 'clients'): NetworkEnd => {
  const found = ends.find(({ end }) => isSame(end, wanted));
  if (found === undefined) throw new Error(`${JSON.stringify(wanted)} is no end of the network`);
  return found;
};

/** What swallows the packets of a link: the words of a rule, which tell it from all others. */
export const formatCut = (ends: readonly NetworkEnd[], [from, to]: Link): string =>
  `iif ${mustFind(ends, from).name} to ${mustFind(ends, to).address}/32 blackhole`;
