/** `pause` and `resume`: both change one key of the cluster-wide configuration. */
import { setTimeout as sleep } from 'node:timers/promises';
import { isPauseOn } from '@matriarch/core';
import { parseArguments, textOf } from '../arguments.ts';
import { callMember, membersLeaderFirst } from '../call-member.ts';
import { complain, refuseUsage, say } from '../output/say.ts';
import { type ClusterAccess, withCluster } from '../with-cluster.ts';

const ANSWER_LIMIT_MS = 10_000;
/** Members look at the configuration when it changes; this is for those that are slow. */
const WAIT_LIMIT_MS = 30_000;
const LOOK_MS = 200;

export const setPauseUsage = '[-c FILE] [--wait]';

export const runSetPause = async (
  verb: 'pause' | 'resume',
  args: readonly string[],
): Promise<number> => {
  const parsed = parseArguments(args, {
    options: { cluster: { type: 'string', short: 'c' }, wait: { type: 'boolean' } },
  });
  if (parsed.kind === 'wrong') return refuseUsage(parsed.message, `${verb} ${setPauseUsage}`);
  const { cluster, wait } = parsed.values;
  return withCluster(textOf(cluster), async (access) => {
    const wanted = verb === 'pause';
    if (isPauseOn(access.snapshot.config?.value) === wanted) {
      complain(`Cluster is ${wanted ? 'already' : 'not'} paused`);
      return 1;
    }
    const status = await file(verb, access);
    if (status !== 0) return status;
    if (wait === true && !(await awaitMembers(wanted, access))) return 1;
    say(`Success: cluster management is ${wanted ? 'paused' : 'resumed'}`);
    return 0;
  });
};

/** The first member that can be reached files it; whoever refuses it refuses for all. */
const file = async (verb: 'pause' | 'resume', access: ClusterAccess): Promise<number> => {
  const body = { pause: verb === 'pause' ? true : null };
  for (const member of membersLeaderFirst(access)) {
    const answer = await callMember(access, {
      member,
      path: '/config',
      method: 'PATCH',
      body,
      limitMs: ANSWER_LIMIT_MS,
    });
    if (answer.kind === 'no-answer') {
      complain(`${member} does not answer: ${answer.cause}`);
      continue;
    }
    if (answer.status === 200) return 0;
    complain(`${verb} refused by ${member}: ${answer.text}`);
    return 1;
  }
  complain('no member could be asked');
  return 1;
};

const awaitMembers = async (wanted: boolean, access: ClusterAccess): Promise<boolean> => {
  const verb = wanted ? 'pause' : 'resume';
  say(`'${verb}' request sent, waiting until it is recognized by all nodes`);
  const end = performance.now() + WAIT_LIMIT_MS;
  let late: readonly string[] = [];
  do {
    const { members } = (await access.readAgain()) ?? access.snapshot;
    late = Object.keys(members).filter((name) => (members[name]?.value.pause === true) !== wanted);
    if (late.length === 0) return true;
    await sleep(LOOK_MS);
  } while (performance.now() < end);
  complain(`after ${WAIT_LIMIT_MS / 1_000} s not recognized by ${late.join(', ')}`);
  return false;
};
