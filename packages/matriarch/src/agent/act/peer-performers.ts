import type { ActionOf, MemberName, MemberState, PromiseAnswer } from '@matriarch/core';
import { renderFailsafeRequest } from '@matriarch/protocol';
import type { PeerAddress, Peers } from '../ports/peers.ts';
import type { PromiseFile } from '../ports/promise-file.ts';
import type { Performers } from './performers.ts';

/** Members are asked where their own keys say, as the last snapshot has them. */
export const createPeerPerformers = (
  peers: Peers,
  promises: PromiseFile,
  state: () => MemberState,
): Pick<Performers, 'ask-peers' | 'ask-held' | 'ask-promises' | 'keep-promise'> => ({
  'ask-peers': (action) => askPositions(peers, state(), action),
  'ask-held': (action) => askPositions(peers, state(), action),
  'ask-promises': async (action) => ({
    kind: 'done',
    given: await askPromises(peers, state(), action),
  }),
  'keep-promise': ({ promise }) => promises.write(promise),
});

const addressesOf = (state: MemberState, members: readonly MemberName[]): PeerAddress[] => {
  const documents = state.snapshot?.value.members ?? {};
  return members.flatMap((name) => {
    const document = documents[name]?.value;
    return document === undefined ? [] : [{ name, apiUrl: document.apiUrl }];
  });
};

const askPositions = async (
  peers: Peers,
  state: MemberState,
  { members, limitMs }: ActionOf<'ask-peers' | 'ask-held'>,
) => ({
  kind: 'done' as const,
  answers: await peers.ask(addressesOf(state, members), limitMs),
});

/** Whoever has no key any more is asked where `failsafe` says. */
const askPromises = async (
  peers: Peers,
  state: MemberState,
  { members, term, ttlMs, limitMs }: ActionOf<'ask-promises'>,
): Promise<Readonly<Record<string, PromiseAnswer>>> => {
  const named = state.snapshot?.value.failsafe?.value ?? {};
  const present = addressesOf(state, members);
  const absent = members.filter((name) => !present.some((peer) => peer.name === name));
  const others = absent.flatMap((name) => {
    const apiUrl = named[name];
    return typeof apiUrl === 'string' ? [{ name, apiUrl }] : [];
  });
  const { name, connUrl, apiUrl } = state.self;
  const body = renderFailsafeRequest({ name, connUrl, apiUrl, term, ttlMs });
  const answers = await peers.askPromises([...present, ...others], { body, limitMs });
  const unknown: PromiseAnswer = { kind: 'no-answer', cause: 'nobody knows where its API is' };
  return Object.fromEntries(members.map((member) => [member, answers[member] ?? unknown]));
};
