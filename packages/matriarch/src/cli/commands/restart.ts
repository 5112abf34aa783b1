import { parseServerVersion } from '@matriarch/core';
import { type ArgumentValues, parseArguments, textOf } from '../arguments.ts';
import { callMember, failureOf } from '../call-member.ts';
import { ROLES, type RoleWord, chooseMembers, isRoleWord } from '../choose-members.ts';
import { confirm } from '../output/confirm.ts';
import { formatMemberTable } from '../output/member-table.ts';
import { complain, refuseUsage, say } from '../output/say.ts';
import { type Scheduled, parseScheduled, whyNothingLater } from '../parse-scheduled.ts';
import type { Command } from '../verbs.ts';
import { type ClusterAccess, withCluster } from '../with-cluster.ts';

const usage =
  '[MEMBER…] [-c FILE] [-r ROLE] [--any] [--scheduled TIME] [--pending] ' +
  '[--pg-version VERSION] [--timeout SECONDS] [--force]';
const MEMBERS_MAX = 100;
/** The API answers by itself before that. */
const ANSWER_LIMIT_MS = 150_000;

const options = {
  cluster: { type: 'string', short: 'c' },
  role: { type: 'string', short: 'r', default: 'any' },
  any: { type: 'boolean' },
  pending: { type: 'boolean' },
  'pg-version': { type: 'string' },
  timeout: { type: 'string' },
  scheduled: { type: 'string' },
  force: { type: 'boolean' },
} as const;

interface Wanted {
  readonly role: RoleWord;
  readonly any: boolean;
  readonly pendingOnly: boolean;
  readonly pgVersion: string | undefined;
  readonly timeoutSeconds: number | undefined;
  readonly scheduled: Exclude<Scheduled, { readonly kind: 'wrong' }>;
  readonly force: boolean;
}

/** What is asked for, or all that is wrong with it. */
const readWanted = (values: ArgumentValues): Wanted | readonly string[] => {
  const mistakes: string[] = [];
  const role = textOf(values['role']) ?? 'any';
  if (!isRoleWord(role)) mistakes.push(`--role is ${ROLES.join(', ')}, not "${role}"`);
  const timeout = textOf(values['timeout']);
  if (timeout !== undefined && !(Number(timeout) > 0))
    mistakes.push(`--timeout is a number of seconds, not "${timeout}"`);
  const pgVersion = textOf(values['pg-version']);
  if (pgVersion !== undefined && parseServerVersion(pgVersion) === undefined)
    mistakes.push(`--pg-version is a version such as 15.8, not "${pgVersion}"`);
  const scheduled = parseScheduled(textOf(values['scheduled']), Date.now());
  if (scheduled.kind === 'wrong') mistakes.push(scheduled.message);
  if (!isRoleWord(role) || scheduled.kind === 'wrong' || mistakes.length > 0) return mistakes;
  return {
    role,
    any: values['any'] === true,
    pendingOnly: values['pending'] === true,
    pgVersion,
    timeoutSeconds: timeout === undefined ? undefined : Number(timeout),
    scheduled,
    force: values['force'] === true,
  };
};

export const restartCommand: Command = {
  summary: 'restarts PostgreSQL of some or all members, in place, now or at a time',
  usage,
  run: async (args) => {
    const parsed = parseArguments(args, { options, positionals: MEMBERS_MAX });
    if (parsed.kind === 'wrong') return refuseUsage(parsed.message, `restart ${usage}`);
    const { values, positionals: named } = parsed;
    const wanted = readWanted(values);
    if (!('role' in wanted)) return refuseUsage(wanted.join('\n'), `restart ${usage}`);
    return withCluster(textOf(values['cluster']), async (access) =>
      restartMembers(access, named, wanted),
    );
  },
};

const restartMembers = async (
  access: ClusterAccess,
  named: readonly string[],
  wanted: Wanted,
): Promise<number> => {
  const { config, snapshot } = access;
  const { role, any, scheduled } = wanted;
  const isLater = scheduled.kind === 'at';
  const refused = isLater ? whyNothingLater(snapshot) : undefined;
  if (refused !== undefined) {
    complain(refused);
    return 3;
  }
  // What is pending is looked at when it is time.
  const pendingOnly = wanted.pendingOnly && !isLater;
  const chosen = chooseMembers(snapshot, { named, role, pendingOnly, any });
  if (chosen.kind === 'wrong') {
    complain(chosen.message);
    return 2;
  }
  const { members } = chosen;
  say(formatMemberTable(config.cluster, snapshot));
  const what = isLater ? 'schedule a restart of' : 'restart of';
  const when = isLater ? ` at ${scheduled.text}` : '';
  if (!wanted.force && !(await confirm(`${what} ${members.join(', ')}${when}?`))) {
    complain('nothing was changed');
    return 1;
  }
  // One after the other: two at a time could be all that serve reads.
  let failures = 0;
  for (const member of members) if (!(await restartMember(access, member, wanted))) failures += 1;
  return failures === 0 ? 0 : 1;
};

/** The role counts at its time, too: a replica of now may be the primary by then. */
const ROLE_WORDS: Readonly<Record<RoleWord, 'primary' | 'replica' | undefined>> = {
  primary: 'primary',
  leader: 'primary',
  replica: 'replica',
  standby: 'replica',
  any: undefined,
};

const bodyOf = ({ role, pendingOnly, pgVersion, timeoutSeconds, scheduled }: Wanted): object => ({
  restart_pending: pendingOnly ? true : undefined,
  postgres_version: pgVersion,
  timeout: timeoutSeconds,
  ...(scheduled.kind === 'at' ? { schedule: scheduled.text, role: ROLE_WORDS[role] } : {}),
});

const restartMember = async (
  access: ClusterAccess,
  member: string,
  wanted: Wanted,
): Promise<boolean> => {
  const call = { member, path: '/restart', limitMs: ANSWER_LIMIT_MS };
  const waits = access.snapshot.members[member]?.value.scheduledRestart !== undefined;
  // As with patronictl, whoever forces it wants this one instead of the other.
  if (wanted.force && wanted.scheduled.kind === 'at' && waits) {
    const flushed = await callMember(access, { ...call, method: 'DELETE' });
    if (flushed.kind === 'no-answer' || ![200, 404].includes(flushed.status)) {
      complain(failureOf('flush scheduled restart', member, flushed));
      return false;
    }
  }
  const answer = await callMember(access, { ...call, method: 'POST', body: bodyOf(wanted) });
  const status = answer.kind === 'answered' ? answer.status : undefined;
  if (status === 200) say(`Success: restart on member ${member}`);
  else if (status === 202) say(`Success: restart scheduled on member ${member}`);
  else if (status === 409)
    complain(
      `Failed: another restart is already scheduled on member ${member}; ` +
        '--force puts this one in its place',
    );
  else complain(failureOf('restart', member, answer));
  return status === 200 || status === 202;
};
