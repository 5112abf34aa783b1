import { parseArguments, textOf } from '../arguments.ts';
import { callMember, failureOf } from '../call-member.ts';
import { ROLES, chooseMembers, isRoleWord } from '../choose-members.ts';
import { confirm } from '../output/confirm.ts';
import { formatMemberTable } from '../output/member-table.ts';
import { complain, refuseUsage, say } from '../output/say.ts';
import type { Command } from '../verbs.ts';
import { type ClusterAccess, withCluster } from '../with-cluster.ts';

const usage = '[MEMBER…] [-c FILE] [--role ROLE] [--any] [--pending] [--timeout SECONDS] [--force]';
const MEMBERS_MAX = 100;
/** The API answers by itself before that. */
const ANSWER_LIMIT_MS = 150_000;

const options = {
  cluster: { type: 'string', short: 'c' },
  role: { type: 'string', short: 'r', default: 'any' },
  any: { type: 'boolean' },
  pending: { type: 'boolean' },
  timeout: { type: 'string' },
  scheduled: { type: 'string' },
  force: { type: 'boolean' },
} as const;

export const restartCommand: Command = {
  summary: 'restarts PostgreSQL of some or all members, in place and without a failover',
  usage,
  run: async (args) => {
    const parsed = parseArguments(args, { options, positionals: MEMBERS_MAX });
    if (parsed.kind === 'wrong') return refuseUsage(parsed.message, `restart ${usage}`);
    const { values, positionals: named } = parsed;
    const role = textOf(values['role']) ?? 'any';
    if (!isRoleWord(role))
      return refuseUsage(`--role is ${ROLES.join(', ')}, not "${role}"`, `restart ${usage}`);
    const { timeout, scheduled } = values;
    if (timeout !== undefined && !(Number(timeout) > 0))
      return refuseUsage(
        `--timeout is a number of seconds, not "${String(timeout)}"`,
        `restart ${usage}`,
      );
    if (scheduled !== undefined && scheduled !== 'now') {
      complain('a restart cannot be scheduled yet: run this command when it is to happen');
      return 2;
    }
    return withCluster(textOf(values['cluster']), async (access) => {
      const pendingOnly = values['pending'] === true;
      const any = values['any'] === true;
      const chosen = chooseMembers(access.snapshot, { named, role, pendingOnly, any });
      if (chosen.kind === 'wrong') {
        complain(chosen.message);
        return 2;
      }
      const { members } = chosen;
      say(formatMemberTable(access.config.cluster, access.snapshot));
      const question = `restart of ${members.join(', ')}?`;
      if (values['force'] !== true && !(await confirm(question))) {
        complain('nothing was changed');
        return 1;
      }
      const body = {
        ...(pendingOnly ? { restart_pending: true } : {}),
        ...(timeout === undefined ? {} : { timeout: Number(timeout) }),
      };
      return restartAll(access, members, body);
    });
  },
};

/** One after the other: two at a time could be all that serve reads. */
const restartAll = async (
  access: ClusterAccess,
  members: readonly string[],
  body: object,
): Promise<number> => {
  let failures = 0;
  for (const member of members) {
    const answer = await callMember(access, {
      member,
      path: '/restart',
      method: 'POST',
      body,
      limitMs: ANSWER_LIMIT_MS,
    });
    if (answer.kind === 'answered' && answer.status === 200) {
      say(`Success: restart on member ${member}`);
      continue;
    }
    failures += 1;
    complain(failureOf('restart', member, answer));
  }
  return failures === 0 ? 0 : 1;
};
