import type { MemberName, MemberState } from '@matriarch/core';
import type { PeerAddress, Peers } from '../ports/peers.ts';
import type { Performers } from './performers.ts';

/** Members are asked where their own keys say, as the last snapshot has them. */
export const createPeerPerformers = (
  peers: Peers,
  state: () => MemberState,
): Pick<Performers, 'ask-peers'> => ({
  'ask-peers': async ({ members, limitMs }) => ({
    kind: 'done',
    answers: await peers.ask(addressesOf(state(), members), limitMs),
  }),
});

const addressesOf = (state: MemberState, members: readonly MemberName[]): PeerAddress[] => {
  const documents = state.snapshot?.value.members ?? {};
  return members.flatMap((name) => {
    const document = documents[name]?.value;
    return document === undefined ? [] : [{ name, apiUrl: document.apiUrl }];
  });
};
