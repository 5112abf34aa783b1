/** Asking a member's API for something, with the credentials of the cluster. */
import { clusterRoles } from '@matriarch/protocol';
import { type ApiAnswer, type ApiCall, callApi } from '../local/member-api.ts';
import type { ClusterAccess } from './with-cluster.ts';

export interface MemberCall extends Pick<ApiCall, 'method' | 'body' | 'limitMs'> {
  readonly member: string;
  readonly path: string;
}

export const callMember = async (
  { snapshot, secrets }: ClusterAccess,
  { member, path, ...call }: MemberCall,
): Promise<ApiAnswer> => {
  const apiUrl = snapshot.members[member]?.value.apiUrl ?? '';
  if (!URL.canParse(apiUrl))
    return { kind: 'no-answer', cause: `it has published no address of its API: "${apiUrl}"` };
  const password = secrets.get('restapi');
  return callApi({
    ...call,
    url: new URL(path, apiUrl).href,
    authentication:
      password === undefined ? undefined : { username: clusterRoles.restapi, password },
  });
};

/** Why it did not come to it, in patronictl's words. */
export const failureOf = (what: string, member: string, answer: ApiAnswer): string =>
  answer.kind === 'no-answer'
    ? `Failed: ${what} for member ${member}: ${answer.cause}`
    : `Failed: ${what} for member ${member}, status code=${answer.status}, (${answer.text})`;

/** The members in the order in which they are asked for something of the whole cluster. */
export const membersLeaderFirst = ({ snapshot }: ClusterAccess): readonly string[] => {
  const leader = snapshot.leader?.value;
  const names = Object.keys(snapshot.members).sort();
  return [...names.filter((name) => name === leader), ...names.filter((name) => name !== leader)];
};
