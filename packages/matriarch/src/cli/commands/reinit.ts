import { setTimeout as sleep } from 'node:timers/promises';
import { parseArguments, textOf } from '../arguments.ts';
import { callMember, failureOf } from '../call-member.ts';
import { confirm } from '../output/confirm.ts';
import { formatMemberTable } from '../output/member-table.ts';
import { complain, refuseUsage, say } from '../output/say.ts';
import type { Command } from '../verbs.ts';
import { type ClusterAccess, withCluster } from '../with-cluster.ts';

const usage = 'MEMBER… [-c FILE] [--wait] [--force]';
const MEMBERS_MAX = 100;
const ANSWER_LIMIT_MS = 150_000;
const LOOK_MS = 500;

export const reinitCommand: Command = {
  summary: 'replaces the data of a replica by a new copy; the old one is kept until it streams',
  usage,
  run: async (args) => {
    const parsed = parseArguments(args, {
      options: {
        cluster: { type: 'string', short: 'c' },
        wait: { type: 'boolean' },
        force: { type: 'boolean' },
      },
      positionals: MEMBERS_MAX,
    });
    if (parsed.kind === 'wrong') return refuseUsage(parsed.message, `reinit ${usage}`);
    const { values, positionals: members } = parsed;
    if (members.length === 0)
      return refuseUsage('name the members whose data is to be replaced', `reinit ${usage}`);
    return withCluster(textOf(values['cluster']), async (access) => {
      const { snapshot, config } = access;
      const wrong = members
        .map((name) => whyNot(name, access))
        .filter((reason) => reason !== undefined);
      if (wrong.length > 0) {
        for (const reason of wrong) complain(reason);
        return 2;
      }
      say(formatMemberTable(config.cluster, snapshot));
      const question = `replace the data of ${members.join(', ')}?`;
      if (values['force'] !== true && !(await confirm(question))) {
        complain('nothing was changed');
        return 1;
      }
      return reinitialiseAll(access, members, {
        force: values['force'] === true,
        wait: values['wait'] === true,
      });
    });
  },
};

const whyNot = (member: string, { snapshot }: ClusterAccess): string | undefined => {
  if (!Object.hasOwn(snapshot.members, member)) return `${member}: no such member`;
  return member === snapshot.leader?.value
    ? `${member} is the primary: its data is what the others are made from`
    : undefined;
};

interface Manner {
  readonly force: boolean;
  readonly wait: boolean;
}

const reinitialiseAll = async (
  access: ClusterAccess,
  members: readonly string[],
  { force, wait }: Manner,
): Promise<number> => {
  const begun: string[] = [];
  for (const member of members) {
    const answer = await callMember(access, {
      member,
      path: '/reinitialize',
      method: 'POST',
      body: { force },
      limitMs: ANSWER_LIMIT_MS,
    });
    if (answer.kind === 'answered' && answer.status < 400) {
      say(`Success: reinitialize for member ${member}`);
      begun.push(member);
    } else complain(failureOf('reinitialize', member, answer));
  }
  if (wait) for (const member of begun) await awaitStreaming(access, member);
  return begun.length === members.length ? 0 : 1;
};

/** As long as it takes: a large database takes hours, and whoever asked can stop waiting. */
const awaitStreaming = async (access: ClusterAccess, member: string): Promise<void> => {
  say(`Waiting for reinitialize to complete on: ${member}`);
  let hasBegun = false;
  for (;;) {
    await sleep(LOOK_MS);
    const document = (await access.readAgain())?.members[member]?.value;
    const isStreaming = document?.replicationState === 'streaming';
    hasBegun ||= document !== undefined && !isStreaming;
    if (hasBegun && isStreaming) break;
  }
  say(`Reinitialize is completed on: ${member}`);
};
