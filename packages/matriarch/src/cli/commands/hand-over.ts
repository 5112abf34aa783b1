/** `switchover` and `failover`: both file a request at a member's API and await its outcome. */
import { parseArguments, textOf } from '../arguments.ts';
import { callMember } from '../call-member.ts';
import { formatMemberTable } from '../output/member-table.ts';
import { complain, refuseUsage, say } from '../output/say.ts';
import { confirm } from '../output/confirm.ts';
import { parseScheduled, whyNothingLater } from '../parse-scheduled.ts';
import { type ClusterAccess, withCluster } from '../with-cluster.ts';

/** The API answers after the new primary is there, or after its own limit. */
const ANSWER_LIMIT_MS = 60_000;

interface Request {
  readonly verb: 'switchover' | 'failover';
  readonly leader: string | undefined;
  readonly candidate: string | undefined;
  /** Undefined: now. */
  readonly scheduledAt: string | undefined;
}

export const handOverUsage = {
  switchover: '[-c FILE] [--leader NAME] [--candidate NAME] [--scheduled TIME] [--force]',
  failover: '[-c FILE] [--leader NAME] --candidate NAME [--force]',
} as const;

export const runHandOver = async (
  verb: Request['verb'],
  args: readonly string[],
): Promise<number> => {
  const parsed = parseArguments(args, {
    options: {
      cluster: { type: 'string', short: 'c' },
      leader: { type: 'string' },
      primary: { type: 'string' },
      candidate: { type: 'string' },
      ...(verb === 'switchover' ? { scheduled: { type: 'string' } as const } : {}),
      force: { type: 'boolean' },
    },
  });
  const usage = `${verb} ${handOverUsage[verb]}`;
  if (parsed.kind === 'wrong') return refuseUsage(parsed.message, usage);
  const { values } = parsed;
  const scheduled = parseScheduled(textOf(values['scheduled']), Date.now());
  if (scheduled.kind === 'wrong') return refuseUsage(scheduled.message, usage);
  const scheduledAt = scheduled.kind === 'at' ? scheduled.text : undefined;
  return withCluster(textOf(values['cluster']), async (access) => {
    const leader = access.snapshot.leader?.value;
    const request: Request = {
      verb,
      leader: textOf(values['leader']) ?? textOf(values['primary']) ?? leader,
      candidate: textOf(values['candidate']),
      scheduledAt,
    };
    const refused = scheduledAt === undefined ? undefined : whyNothingLater(access.snapshot);
    if (refused !== undefined) {
      complain(refused);
      return 3;
    }
    const problem = whyNot(request, leader);
    if (problem !== undefined) {
      complain(problem);
      return 2;
    }
    say(formatMemberTable(access.config.cluster, access.snapshot));
    const to = request.candidate ?? 'the best replica';
    const { cluster } = access.config;
    const warning = whyDangerous(access, request);
    if (warning !== undefined) complain(warning);
    const when = scheduledAt === undefined ? '' : ` at ${scheduledAt}`;
    const question = `${verb} of cluster ${cluster} from ${leader ?? 'nobody'} to ${to}${when}?`;
    if (values['force'] !== true && !(await confirm(question))) {
      complain('nothing was changed');
      return 1;
    }
    return send(request, access);
  });
};

/** Whoever names another one answers for a primary that may be going on without its lease. */
const whyDangerous = ({ snapshot }: ClusterAccess, { candidate }: Request): string | undefined => {
  const member = snapshot.suspension?.value.member;
  if (snapshot.leader !== undefined || member === undefined || member === candidate)
    return undefined;
  return `${member} may be running as the primary, cut off from etcd: see that it is not, first`;
};

const whyNot = ({ verb, leader, candidate }: Request, current: string | undefined) => {
  if (verb === 'failover' && candidate === undefined) return 'a failover needs --candidate NAME';
  if (verb === 'switchover' && current === undefined)
    return 'there is no primary to switch over from: use failover';
  if (verb === 'switchover' && leader !== current)
    return `${leader ?? ''} is not the primary, ${current ?? 'nobody'} is`;
  return undefined;
};

const send = async (request: Request, access: ClusterAccess): Promise<number> => {
  const { snapshot, config, readAgain } = access;
  const through = snapshot.leader?.value ?? request.candidate ?? '';
  if (!Object.hasOwn(snapshot.members, through)) {
    complain(`${through} is not a member of cluster ${config.cluster}`);
    return 2;
  }
  const answer = await callMember(access, {
    member: through,
    method: 'POST',
    path: `/${request.verb}`,
    body:
      request.verb === 'switchover'
        ? {
            leader: request.leader,
            candidate: request.candidate,
            scheduled_at: request.scheduledAt,
          }
        : { candidate: request.candidate },
    limitMs: ANSWER_LIMIT_MS,
  });
  if (answer.kind === 'no-answer') {
    complain(`${through} does not answer: ${answer.cause}`);
    return 1;
  }
  const done = answer.status < 300;
  (done ? say : complain)(done ? answer.text : `${request.verb} refused: ${answer.text}`);
  const after = await readAgain();
  if (done && after !== undefined) say(formatMemberTable(config.cluster, after));
  // 412: a rule stands against it; the other refusals are of the request itself.
  return done ? 0 : answer.status === 412 ? 3 : 1;
};
