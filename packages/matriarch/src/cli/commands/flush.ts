import { parseArguments, textOf } from '../arguments.ts';
import { callMember, failureOf, membersLeaderFirst } from '../call-member.ts';
import { ROLES, chooseMembers, isRoleWord } from '../choose-members.ts';
import { confirm } from '../output/confirm.ts';
import { complain, refuseUsage, say } from '../output/say.ts';
import type { Command } from '../verbs.ts';
import { type ClusterAccess, withCluster } from '../with-cluster.ts';

const usage = '[MEMBER…] restart|switchover [-c FILE] [-r ROLE] [--force]';
const WORDS_MAX = 100;
const ANSWER_LIMIT_MS = 30_000;

export const flushCommand: Command = {
  summary: 'takes back a restart or switchover that waits for its time',
  usage,
  run: async (args) => {
    const parsed = parseArguments(args, {
      options: {
        cluster: { type: 'string', short: 'c' },
        role: { type: 'string', short: 'r', default: 'any' },
        force: { type: 'boolean' },
      },
      positionals: WORDS_MAX,
    });
    if (parsed.kind === 'wrong') return refuseUsage(parsed.message, `flush ${usage}`);
    const { values, positionals } = parsed;
    const named = positionals.slice(0, -1);
    const target = positionals.at(-1);
    const role = textOf(values['role']) ?? 'any';
    const force = values['force'] === true;
    const mistakes: string[] = [];
    if (target !== 'restart' && target !== 'switchover')
      mistakes.push(`the last word is restart or switchover, not "${target ?? ''}"`);
    if (!isRoleWord(role)) mistakes.push(`--role is ${ROLES.join(', ')}, not "${role}"`);
    if (target === 'switchover' && (named.length > 0 || role !== 'any'))
      mistakes.push('a switchover is of the whole cluster: name neither members nor a role');
    if (!isRoleWord(role) || mistakes.length > 0)
      return refuseUsage(mistakes.join('\n'), `flush ${usage}`);
    return withCluster(textOf(values['cluster']), async (access) => {
      if (target === 'switchover') return flushSwitchover(access, force);
      const choice = { named, role, pendingOnly: false, any: false };
      const chosen = chooseMembers(access.snapshot, choice);
      if (chosen.kind === 'chosen') return flushRestarts(access, chosen.members, force);
      complain(chosen.message);
      return 2;
    });
  },
};

const isSure = async (force: boolean, question: string): Promise<boolean> => {
  if (force || (await confirm(question))) return true;
  complain('nothing was changed');
  return false;
};

const flushRestarts = async (
  access: ClusterAccess,
  members: readonly string[],
  force: boolean,
): Promise<number> => {
  const timeOf = (member: string): string | undefined =>
    access.snapshot.members[member]?.value.scheduledRestart?.schedule.text;
  const waiting = members.filter((member) => timeOf(member) !== undefined);
  for (const member of members)
    if (!waiting.includes(member)) say(`No scheduled restart for member ${member}`);
  if (waiting.length === 0) return 0;
  const list = waiting.map((member) => `${member} at ${timeOf(member) ?? ''}`).join(', ');
  if (!(await isSure(force, `take back the restart of ${list}?`))) return 1;
  let failures = 0;
  for (const member of waiting) {
    const answer = await callMember(access, {
      member,
      path: '/restart',
      method: 'DELETE',
      limitMs: ANSWER_LIMIT_MS,
    });
    if (answer.kind === 'answered' && answer.status < 400)
      say(`Success: flush scheduled restart for member ${member}`);
    else {
      failures += 1;
      complain(failureOf('flush scheduled restart', member, answer));
    }
  }
  return failures === 0 ? 0 : 1;
};

/** Any member takes it back; the first that can be asked. */
const flushSwitchover = async (access: ClusterAccess, force: boolean): Promise<number> => {
  const schedule = access.snapshot.failover?.value.scheduledAt;
  if (schedule === undefined) {
    say('No pending scheduled switchover');
    return 0;
  }
  if (!(await isSure(force, `take back the switchover at ${schedule.text}?`))) return 1;
  for (const member of membersLeaderFirst(access)) {
    const answer = await callMember(access, {
      member,
      path: '/switchover',
      method: 'DELETE',
      limitMs: ANSWER_LIMIT_MS,
    });
    if (answer.kind === 'no-answer') {
      complain(`${member} does not answer: ${answer.cause}`);
      continue;
    }
    const done = answer.status === 200;
    (done ? say : complain)(`${done ? 'Success' : 'Failed'}: ${answer.text}`);
    return done ? 0 : 1;
  }
  complain('no member could be asked');
  return 1;
};
