/** What a cluster has to be when a fault is over. Each finding is a sentence. */
import { existsSync, readdirSync } from 'node:fs';
import type { Member } from './member.ts';
import { listProcesses } from './processes.ts';
import type { ClusterDocument } from './rest.ts';

interface ServerFacts {
  readonly recovering: boolean;
  readonly timeline: number;
  readonly lsn: string;
  readonly slots: readonly string[];
  readonly counts: Readonly<Record<string, number>>;
}

interface StandbyRow {
  readonly name: string;
  readonly state: string;
}

const FACTS = `
  select
    pg_is_in_recovery() as recovering,
    case when pg_is_in_recovery()
      then (select received_tli from pg_stat_wal_receiver)
      else ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int
    end as timeline,
    case when pg_is_in_recovery()
      then pg_last_wal_replay_lsn() else pg_current_wal_lsn()
    end::text as lsn,
    array(select slot_name::text from pg_replication_slots
      where slot_type = 'physical' and wal_status is distinct from 'lost') as slots`;

const STANDBYS = `select application_name as name, state from pg_stat_replication`;

/** Rows of every table the tests have written. */
const COUNTS = `
  select relname::text as name,
    (xpath('/row/c/text()', query_to_xml(format('select count(*) as c from %I', relname),
      false, true, '')))[1]::text::int as count
  from pg_class where relkind = 'r' and relname like 'written%'`;

const observeServer = async (member: Member): Promise<ServerFacts | string> => {
  try {
    const [facts] = await member.query<Omit<ServerFacts, 'counts'>>(FACTS);
    const rows = await member.query<{ name: string; count: number }>(COUNTS);
    if (facts === undefined) return `${member.name} answers nothing`;
    const counts = Object.fromEntries(rows.map(({ name, count }) => [name, count]));
    return { ...facts, counts };
  } catch (error) {
    return `${member.name} cannot be asked: ${error instanceof Error ? error.message : ''}`;
  }
};

const isThere = <T>(value: T | string): value is T => typeof value !== 'string';

/** What is not as it should be in a cluster without faults; nothing when all is well. */
export const findFlaws = async (members: readonly Member[]): Promise<readonly string[]> => {
  const absent = members.filter(({ runs }) => !runs).map(({ name }) => `${name} does not run`);
  if (absent.length > 0) return absent;
  const answers = await Promise.all(members.map(observeServer));
  const silent = answers.filter((answer) => !isThere(answer));
  if (silent.length > 0) return silent.map(String);
  const servers = members.map((member, index) => ({
    member,
    facts: answers[index] as ServerFacts,
  }));
  const primaries = servers.filter(({ facts }) => !facts.recovering);
  const [primary] = primaries;
  if (primary === undefined || primaries.length > 1)
    return [`${primaries.length} servers are out of recovery`];
  return [
    ...(await findRestFlaws(primary.member, members)),
    ...(await findReplicationFlaws(primary, servers)),
    ...servers.flatMap(({ member }) => findLeftovers(member)),
  ];
};

interface Server {
  readonly member: Member;
  readonly facts: ServerFacts;
}

const findReplicationFlaws = async (
  primary: Server,
  servers: readonly Server[],
): Promise<readonly string[]> => {
  const rows = await primary.member.query<StandbyRow>(STANDBYS).catch(() => []);
  const flaws: string[] = [];
  for (const { member, facts } of servers) {
    const others = servers.filter((other) => other.member !== member);
    const missing = others.filter((other) => !facts.slots.includes(other.member.name));
    for (const other of missing) flaws.push(`${member.name} has no slot for ${other.member.name}`);
    if (member === primary.member) continue;
    const row = rows.find(({ name }) => name === member.name);
    if (row?.state !== 'streaming') flaws.push(`${member.name} does not stream`);
    if (facts.timeline !== primary.facts.timeline)
      flaws.push(`${member.name} is on timeline ${facts.timeline}`);
    if (JSON.stringify(facts.counts) !== JSON.stringify(primary.facts.counts))
      flaws.push(`${member.name} has other rows: ${JSON.stringify(facts.counts)}`);
  }
  return flaws;
};

const findRestFlaws = async (
  primary: Member,
  members: readonly Member[],
): Promise<readonly string[]> => {
  const flaws: string[] = [];
  await Promise.all(
    members.map(async (member) => {
      for (const path of ['/primary', '/replica']) {
        const wanted = (path === '/primary') === (member === primary) ? 200 : 503;
        const status = (await member.rest(path))?.status;
        if (status !== wanted) flaws.push(`${path} of ${member.name} answers ${status}`);
      }
    }),
  );
  const answer = await primary.rest('/cluster');
  const listed = JSON.parse(answer?.body ?? '{"members":[]}') as ClusterDocument;
  for (const { name } of members) {
    const row = listed.members.find((member) => member.name === name);
    const wanted = name === primary.name ? 'leader running' : 'replica streaming';
    // Where commits wait for standbys, the list says for which.
    const role = row?.role.replace(/^(?:sync|quorum)_standby$/u, 'replica');
    const found = `${role} ${row?.state}`;
    if (found !== wanted) flaws.push(`/cluster says that ${name} is ${found}`);
  }
  return flaws;
};

/** Old data directories, and processes of servers that are gone (rules S4 and S7). */
const findLeftovers = (member: Member): readonly string[] => {
  const { name, dataDirectory, directory, guardPid } = member;
  const flaws = ['.aside', '.new']
    .filter((suffix) => existsSync(`${dataDirectory}${suffix}`))
    .map((suffix) => `${name} still keeps data${suffix}`);
  const postmaster = member.postmasterPid;
  for (const process of listProcesses()) {
    const works = process.directory.startsWith(`${directory}/`);
    const isKnown =
      process.directory === dataDirectory &&
      (process.pid === postmaster || [postmaster, guardPid].includes(process.parentPid));
    if (works && !isKnown)
      flaws.push(`${name} has a stray process ${process.pid} in ${process.directory}`);
  }
  return flaws;
};

/** WAL kept because it is in no lineage any more, by directory. */
export const listForks = (member: Member): readonly string[] => {
  const path = `${member.stateDirectory}/forks`;
  return existsSync(path) ? readdirSync(path).map((name) => `${path}/${name}`) : [];
};
