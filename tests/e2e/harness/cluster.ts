/**
 * A real cluster for tests: etcd with one or three members, and members of ours on free ports of the
 * loopback interface, in a temporary directory that PostgreSQL's user may enter.
 */
import { chmodSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type EtcdCluster,
  type EtcdMember,
  findFreePorts,
  startEtcd,
} from '../../../packages/matriarch/src/testing/etcd.ts';
import { findServerAccount } from './account.ts';
import type { JsonObject } from './agent-file.ts';
import { findFlaws } from './checks.ts';
import { Keeper } from './keeper.ts';
import { Member } from './member.ts';
import { observeProcess, signal } from './processes.ts';
import type { ClusterDocument } from './rest.ts';
import { type WaitOptions, waitFor, waitUntil } from './wait.ts';
import { Load, type LoadOptions } from './writer.ts';

export interface ClusterOptions {
  readonly members?: number | undefined;
  readonly etcd?: 1 | 3 | undefined;
  /** Laid over every member's patroni.yml. */
  readonly file?: JsonObject | undefined;
  /** Members are made but not started. */
  readonly idle?: boolean | undefined;
}

const WELL_LIMIT_MS = 90_000;
const WELL_INTERVAL_MS = 200;
const REPORTED = '══ members';

export class Cluster {
  readonly directory: string;
  readonly members: readonly Member[];
  readonly etcd: EtcdCluster;
  readonly #keeper: Keeper;
  readonly #loads = new Set<Load>();

  constructor(parts: {
    directory: string;
    members: readonly Member[];
    etcd: EtcdCluster;
    keeper: Keeper;
  }) {
    this.directory = parts.directory;
    this.members = parts.members;
    this.etcd = parts.etcd;
    this.#keeper = parts.keeper;
  }

  start(): void {
    for (const member of this.members) member.start();
  }

  /** A member by its place, from 0 on. */
  member(index: number): Member {
    const member = this.members[index];
    if (member === undefined) throw new Error(`there is no member ${index}`);
    return member;
  }

  others(...members: readonly Member[]): readonly Member[] {
    return this.members.filter((member) => !members.includes(member));
  }

  /** An other member than these; they are alike. */
  other(...members: readonly Member[]): Member {
    const [other] = this.others(...members);
    if (other === undefined) throw new Error('there is no other member');
    return other;
  }

  /** The member that says it is the primary, at this moment. */
  async primary(): Promise<Member | undefined> {
    const isPrimary = await Promise.all(
      this.members.map(async (member) => (await member.rest('/primary'))?.status === 200),
    );
    return this.members[isPrimary.indexOf(true)];
  }

  async untilPrimary(isIt: (member: Member) => boolean = () => true): Promise<Member> {
    return this.waitFor('a primary', async () => {
      const found = await this.primary();
      return found !== undefined && isIt(found) ? found : undefined;
    });
  }

  async untilOtherPrimary(old: Member): Promise<Member> {
    return this.untilPrimary((member) => member !== old);
  }

  /** Waits until everything is as it should be without faults, and answers the primary. */
  async untilWell(members: readonly Member[] = this.members): Promise<Member> {
    let flaws: readonly string[] = [];
    await waitUntil(
      'a cluster without flaws',
      async () => {
        flaws = await findFlaws(members);
        return flaws.length === 0;
      },
      {
        limitMs: WELL_LIMIT_MS,
        intervalMs: WELL_INTERVAL_MS,
        explain: () => `${flaws.join('\n')}\n${this.report()}`,
      },
    );
    return this.untilPrimary();
  }

  async waitUntil(
    what: string,
    look: () => boolean | Promise<boolean>,
    options: WaitOptions = {},
  ): Promise<void> {
    return waitUntil(what, look, { explain: () => this.report(), ...options });
  }

  async waitFor<T>(
    what: string,
    look: () => T | undefined | Promise<T | undefined>,
    options: WaitOptions = {},
  ): Promise<T> {
    return waitFor(what, look, { explain: () => this.report(), ...options });
  }

  /** What the members list, as one of them says it. */
  async list(from: Member): Promise<ClusterDocument | undefined> {
    const answer = await from.rest('/cluster');
    return answer?.status === 200 ? (JSON.parse(answer.body) as ClusterDocument) : undefined;
  }

  /** Starts writers; waits until each has had some rows acknowledged. */
  async write(options: LoadOptions = {}): Promise<Load> {
    const load = new Load(this.members, options);
    this.#loads.add(load);
    await this.moreRows(load, 100);
    return load;
  }

  async moreRows(load: Load, count: number): Promise<void> {
    const enough = load.acknowledged + count;
    await this.waitUntil(`${count} more acknowledged rows`, () => load.acknowledged >= enough);
  }

  /** Takes back every fault and every change of a file: thaws, starts again what is dead, and waits until all is well. */
  async heal(): Promise<Member> {
    await Promise.all([...this.#loads].map(async (load) => load.stop()));
    this.#loads.clear();
    for (const member of this.members) {
      member.thaw();
      member.restoreFile();
    }
    await Promise.all(this.etcd.members.map(reviveEtcd));
    this.start();
    return this.untilWell();
  }

  /** Everything a failed test should be read with. */
  report(): string {
    const store = this.etcd.members.map(({ name }) => {
      const text = readFileSync(join(this.etcd.directory, `${name}.log`), 'utf8');
      return `── ${name}\n${text.trimEnd().split('\n').slice(-3).join('\n')}`;
    });
    const members = this.members.map((member) => member.describe());
    return [REPORTED, ...members, '══ store', ...store].join('\n');
  }

  /** No process and no file is left afterwards. */
  async close(): Promise<void> {
    await Promise.all([...this.#loads].map(async (load) => load.stop()));
    await this.etcd.stop();
    await this.#keeper.close();
  }
}

/** Whether an error already carries the report. */
export const isReported = (text: string): boolean => text.includes(REPORTED);

const reviveEtcd = async (member: EtcdMember): Promise<void> => {
  const facts = observeProcess(member.pid);
  if (facts === undefined) await member.restart();
  else if (facts.state === 'T') signal(member.pid, 'SIGCONT');
};

export const startCluster = async (options: ClusterOptions = {}): Promise<Cluster> => {
  const { members: count = 3, etcd: etcdCount = 1, file = {}, idle = false } = options;
  const keeper = new Keeper();
  const directory = mkdtempSync(join(tmpdir(), 'matriarch-e2e-'));
  keeper.watchDirectory(directory);
  chmodSync(directory, 0o755);
  const etcd = await startEtcd({ members: etcdCount });
  keeper.watchDirectory(etcd.directory);
  try {
    const ports = await findFreePorts(count * 2);
    const account = findServerAccount();
    const members = Array.from({ length: count }, (_, index) => {
      const [apiPort = 0, postgresPort = 0] = ports.slice(index * 2);
      const name = `m${index + 1}`;
      return new Member({
        name,
        directory: join(directory, name),
        apiPort,
        postgresPort,
        account,
        keeper,
        etcdEndpoints: etcd.endpoints,
        etcd: etcdCount === 3 ? etcd.members[index] : undefined,
        changes: file,
      });
    });
    const cluster = new Cluster({ directory, members, etcd, keeper });
    if (!idle) cluster.start();
    return cluster;
  } catch (error) {
    await etcd.stop();
    await keeper.close();
    throw error;
  }
};
