import type { MemberTags } from '@matriarch/core';
import { defaultTags, memberName, slotNameOf } from '@matriarch/core';
import type { LocatedList } from '../located/located.ts';
import { isWildcardHost } from '../located/endpoint-parsers.ts';
import { parseInteger, parsePort, parseText } from '../located/parsers.ts';
import type { Parser } from '../located/parsers.ts';
import type { Section } from '../located/section.ts';
import { readTags } from '../config/read-tags.ts';
import type { ClusterMemberConfig } from './cluster-config.ts';

const MEMBERS_DEFAULT = 3;
const MEMBERS_MAX = 32;

const LOOPBACK = '127.0.0.1';
const EVERY_INTERFACE = '0.0.0.0';

/** Local members stand side by side; alone on its host each has the ports of the field. */
const LOCAL_POSTGRESQL_PORT = 5441;
const POSTGRESQL_PORT = 5432;
const REST_PORT = 8008;

export interface ClusterMembers {
  readonly isLocal: boolean;
  readonly members: readonly ClusterMemberConfig[];
}

/** `members: 3`, or a list. Members without a host are all on this machine. */
export const readMembers = (root: Section): ClusterMembers => {
  const entry = root.entry('members');
  if (entry?.kind === 'list') return readList(root, entry);
  const parser = parseInteger({ minimum: 1, maximum: MEMBERS_MAX });
  const count = root.value('members', parser) ?? MEMBERS_DEFAULT;
  const members = Array.from({ length: count }, (_, index) =>
    assembleLocal({ name: `pg${index + 1}`, index, tags: defaultTags }),
  );
  return { isLocal: true, members };
};

/** What was said of one member; the rest is filled in when it is known where the cluster lives. */
interface Stated {
  readonly section: Section;
  readonly name: string | undefined;
  readonly host: string | undefined;
  readonly listen: string | undefined;
  readonly postgresqlPort: number | undefined;
  readonly restPort: number | undefined;
  readonly dataDirectory: string | undefined;
  readonly tags: MemberTags;
}

/** A name that is a part of a key in the store, of file names and of HAProxy's servers. */
export const parseName: Parser<string> = (scalar) => {
  const parsed = parseText(scalar);
  if (!parsed.ok || /^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/.test(parsed.value)) return parsed;
  return { ok: false, allowed: 'a name of up to 63 letters, digits, "_", "-" and "."' };
};

const parseHostName: Parser<string> = (scalar) => {
  const parsed = parseText(scalar);
  const isHost = parsed.ok && /^[^\s/@,]+$/.test(parsed.value) && !isWildcardHost(parsed.value);
  if (isHost && !/^[^:]+:\d+$/.test(parsed.value)) return parsed;
  return { ok: false, allowed: 'a host name or address', fix: 'ports have their own keys' };
};

const readList = (root: Section, list: LocatedList): ClusterMembers => {
  const stated = list.items.flatMap((item, index): readonly Stated[] => {
    const path = `.members[${index}]`;
    if (item.kind === 'map') {
      return [readMember(root.nested(item, { path, schema: '.members[]' }))];
    }
    root.findings.mistakes.push({
      ...item.place,
      path: path.slice(1),
      message: 'is not a member',
      fix: 'write for example - name: pg1',
    });
    return [];
  });
  if (list.items.length === 0 || list.items.length > MEMBERS_MAX) {
    const message = `has ${list.items.length} members`;
    root.mistake('members', { message, fix: `write 1 to ${MEMBERS_MAX} of them` });
  }
  const isLocal = stated.every(({ host }) => host === undefined || host === LOOPBACK);
  const members = stated.map((member, index) =>
    isLocal ? localFrom(member, index) : remoteFrom(member, index),
  );
  complainOfTwins(stated, members);
  return { isLocal, members };
};

const readMember = (section: Section): Stated => {
  const tagSection = section.section('tags');
  const stated: Stated = {
    section,
    name: section.required('name', parseName, 'pg1'),
    host: section.value('host', parseHostName),
    listen: section.value('listen', parseText),
    postgresqlPort: section.value('postgresql_port', parsePort),
    restPort: section.value('rest_port', parsePort),
    dataDirectory: section.value('data_dir', parseText),
    tags: readTags(tagSection),
  };
  section.finish();
  return stated;
};

const assembleLocal = (member: {
  readonly name: string;
  readonly index: number;
  readonly tags: MemberTags;
}): ClusterMemberConfig => ({
  name: memberName(member.name),
  host: LOOPBACK,
  listen: LOOPBACK,
  postgresqlPort: LOCAL_POSTGRESQL_PORT + member.index,
  restPort: REST_PORT + member.index,
  dataDirectory: undefined,
  tags: member.tags,
});

const localFrom = (stated: Stated, index: number): ClusterMemberConfig => {
  const usual = assembleLocal({ name: stated.name ?? `pg${index + 1}`, index, tags: stated.tags });
  return {
    ...usual,
    listen: stated.listen ?? usual.listen,
    postgresqlPort: stated.postgresqlPort ?? usual.postgresqlPort,
    restPort: stated.restPort ?? usual.restPort,
    dataDirectory: stated.dataDirectory,
  };
};

const remoteFrom = (stated: Stated, index: number): ClusterMemberConfig => {
  const { section } = stated;
  if (!section.has('host')) {
    const message = 'is missing, while other members have one';
    section.mistake('host', { message, fix: 'write the address others reach it under' });
  }
  if (!section.has('data_dir')) {
    const fix = 'write for example data_dir: /var/lib/postgresql/data';
    section.mistake('data_dir', { message: 'is missing', fix });
  }
  return {
    name: memberName(stated.name ?? `pg${index + 1}`),
    host: stated.host ?? '',
    listen: stated.listen ?? EVERY_INTERFACE,
    postgresqlPort: stated.postgresqlPort ?? POSTGRESQL_PORT,
    restPort: stated.restPort ?? REST_PORT,
    dataDirectory: stated.dataDirectory,
    tags: stated.tags,
  };
};

/** Two members must not share a name, the slot name that follows from it, or an address. */
const complainOfTwins = (
  stated: readonly Stated[],
  members: readonly ClusterMemberConfig[],
): void => {
  const seen = new Set<string>();
  members.forEach((member, index) => {
    const { section } = stated[index] ?? {};
    const claims = [
      { key: 'name', claim: slotNameOf(member.name), what: 'the name, or its replication slot,' },
      {
        key: 'postgresql_port',
        claim: `${member.host}:${member.postgresqlPort}`,
        what: `the address ${member.host}:${member.postgresqlPort}`,
      },
      {
        key: 'rest_port',
        claim: `${member.host}:${member.restPort}`,
        what: `the address ${member.host}:${member.restPort}`,
      },
    ];
    for (const { key, claim, what } of claims) {
      if (seen.has(claim)) {
        section?.mistake(key, { message: `${what} is that of another member` });
      }
      seen.add(claim);
    }
  });
};
