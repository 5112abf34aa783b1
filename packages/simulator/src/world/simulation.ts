import type { Policy } from '@matriarch/core';
import type { Checker, Violation } from '../checkers/checker.ts';
import { excuseFor, holdsLease } from '../checkers/excuse.ts';
import type { Sighting } from '../checkers/sighting.ts';
import { checkers } from '../checkers/table.ts';
import { TenureLog } from '../checkers/tenure-log.ts';
import { LocalWriter, type WritePace } from '../clients/local-writer.ts';
import { RoutedReader } from '../clients/routed-reader.ts';
import { CLIENTS, RoutedWriter } from '../clients/routed-writer.ts';
import { type HostOptions, SimHost, addressOf } from '../host/sim-host.ts';
import { Kernel } from '../kernel/kernel.ts';
import { Machine } from '../kernel/machine.ts';
import { type NetworkPace, SimNetwork } from '../network/sim-network.ts';
import type { Plant } from '../plants/plant.ts';
import type { PostgresPace, PostgresWorld } from '../postgres/postgres-world.ts';
import type { SimPostgres } from '../postgres/sim-postgres.ts';
import { Random } from '../random.ts';
import { SimStore } from '../store/sim-store.ts';
import { CoverageCount } from './coverage.ts';
import { Journal, type StoryListener } from './journal.ts';
import { Ledger } from './ledger.ts';
import type { HostPace, World } from './world.ts';

export interface SimulationOptions {
  readonly seed: number;
  readonly members: readonly (HostOptions & { readonly name: string })[];
  readonly policy: Policy;
  readonly network: NetworkPace;
  readonly postgres: PostgresPace;
  readonly host: HostPace;
  readonly writes: WritePace;
  readonly plant?: Plant | undefined;
  readonly story?: StoryListener | undefined;
  /** Names of the checkers that watch; undefined: all of them. */
  readonly only?: readonly string[] | undefined;
  /** Clients that do not write, by the name of their host; `clients`: the one from outside. */
  readonly silent?: readonly string[] | undefined;
}

/** A loop looks at the store at least this often, when nothing tells it to. */
const POLICY_HEARD_MS = 3_000;

/** Agents are started within this time of the beginning. */
const START_WITHIN_MS = 1_500;

/** One world, put together from a seed: everything in it, its clients, and its checkers. */
export class Simulation implements World {
  readonly kernel = new Kernel();
  readonly network: SimNetwork;
  readonly store: SimStore;
  readonly random: Random;
  policy: Policy;
  readonly hostPace: HostPace;
  readonly journal: Journal;
  readonly ledger = new Ledger();
  readonly coverage = new CoverageCount();
  readonly plant: Plant | undefined;
  readonly hosts = new Map<string, SimHost>();
  readonly tenures: TenureLog;
  readonly routedWriter: RoutedWriter;
  readonly see: (sighting: Sighting) => void;
  violation: Violation | undefined;
  excuse: string | undefined;
  promotions = 0;
  readonly #checkers: Checker[] = [];
  readonly #localWriters: LocalWriter[] = [];

  constructor(options: SimulationOptions) {
    const stream = (name: string): Random => new Random(options.seed, name);
    const { kernel } = this;
    this.policy = options.policy;
    this.hostPace = options.host;
    this.plant = options.plant;
    this.random = stream('hosts');
    this.journal = new Journal(() => kernel.now, options.story);
    this.network = new SimNetwork(kernel, stream('network'), options.network);
    this.store = new SimStore(kernel, this.network, stream('store'));
    this.see = (sighting) => this.#see(sighting);
    this.tenures = new TenureLog(this);
    this.#buildHosts(options);
    this.#buildCheckers(options.only);
    this.store.onLeaderChange = () => this.#leaderChanged();
    const random = stream('clients');
    const parts = { ledger: this.ledger, random, pace: options.writes };
    for (const host of this.hosts.values()) {
      const writer = new LocalWriter(host, parts);
      writer.isPaused = options.silent?.includes(host.name) === true;
      this.#localWriters.push(writer);
    }
    const hosts = [...this.hosts.values()];
    this.routedWriter = new RoutedWriter({ ...parts, kernel, network: this.network, hosts });
    this.routedWriter.isPaused = options.silent?.includes(CLIENTS) === true;
    const { ledger, network, see } = this;
    const reader = { kernel, network, random: stream('reader'), ledger, hosts, see };
    new RoutedReader(reader).begin();
  }

  /** The operator changes the cluster's configuration: each loop hears of it when it next looks. */
  changePolicy(changes: Partial<Policy>): void {
    this.policy = { ...this.policy, ...changes };
    const { policy } = this;
    const put = {
      ttl: policy.ttlMs / 1_000,
      synchronous_mode: policy.synchronous.mode,
      failsafe_mode: policy.failsafe,
    };
    this.store.documents.transact([], [{ key: 'config', put }]);
    for (const host of this.hosts.values())
      this.kernel.after(this.random.between(1, POLICY_HEARD_MS), () => {
        const loop = host.guard?.loop;
        loop?.process.deliver(() => loop.take({ kind: 'policy-changed', policy: this.policy }));
      });
  }

  /** Nobody writes any more, so that all copies can become equal. */
  stopWriting(): void {
    this.routedWriter.isPaused = true;
    for (const writer of this.#localWriters) writer.isPaused = true;
  }

  /** A server that can be written to is written to, at this very moment. */
  writeEverywhere(): void {
    for (const writer of this.#localWriters) writer.write();
  }

  checkAtEnd(): void {
    for (const checker of this.#checkers) checker.atEnd?.();
  }

  /** The first violation ends the run. */
  report(violation: Violation): void {
    if (this.violation !== undefined) return;
    this.violation = violation;
    this.kernel.halted = true;
    this.journal.note(
      violation.host,
      'VIOLATION',
      () => `${violation.checker}: ${violation.message}`,
    );
  }

  #buildHosts(options: SimulationOptions): void {
    const byAddress = new Map<string, SimPostgres>();
    let nextRecord = 1;
    const postgresWorld: PostgresWorld = {
      kernel: this.kernel,
      network: this.network,
      random: new Random(options.seed, 'postgres'),
      pace: options.postgres,
      see: this.see,
      serverAt: (address) => byAddress.get(address),
      nextRecordId: () => {
        nextRecord += 1;
        return nextRecord;
      },
    };
    for (const { name, ...rest } of options.members) {
      const machine = new Machine(name, this.kernel, new Random(options.seed, name));
      const host = new SimHost(machine, { world: this, postgresWorld, options: rest });
      this.hosts.set(name, host);
      byAddress.set(addressOf(name), host.postgres);
      this.kernel.after(this.random.between(0, START_WITHIN_MS), () => host.startAgent());
    }
  }

  #buildCheckers(only: readonly string[] | undefined): void {
    for (const makeChecker of checkers) {
      const checker: Checker = makeChecker({
        world: this,
        tenures: this.tenures,
        report: (host, message) =>
          this.report({ checker: checker.name, host, at: this.kernel.now, message }),
      });
      if (only === undefined || only.includes(checker.name)) this.#checkers.push(checker);
    }
  }

  #see(sighting: Sighting): void {
    if (sighting.kind === 'committed') this.#acknowledge(sighting);
    if (sighting.kind === 'promise-kept') this.tenures.promiseKept(sighting.to);
    for (const checker of this.#checkers) checker.see?.(sighting);
    this.#narrate(sighting);
  }

  #acknowledge({ host, record }: Extract<Sighting, { kind: 'committed' }>): void {
    const context = { world: this, tenures: this.tenures, report: () => undefined };
    const excused = !holdsLease(context, host) && excuseFor(context, host) !== undefined;
    this.ledger.acknowledged.push({ record, host, at: this.kernel.now, excused });
  }

  /** The moment at which somebody may wrongly still, or already, accept writes: try it. */
  #leaderChanged(): void {
    this.tenures.leaderChanged();
    const { current } = this.tenures;
    this.journal.note('store', 'leader', () =>
      current === undefined ? 'nobody' : `${current.host} under lease ${current.leaseId}`,
    );
    this.see({ kind: 'leader-changed', leader: current?.host });
    this.kernel.after(0, () => this.writeEverywhere());
  }

  #narrate(sighting: Sighting): void {
    if (sighting.kind === 'promoted') {
      const { host, timeline, parent, switchLsn } = sighting;
      this.promotions += 1;
      this.journal.note(host, 'promoted', () => `to ${timeline} from ${switchLsn} of ${parent}`);
    } else if (sighting.kind === 'writable') {
      this.journal.note(sighting.host, sighting.is ? 'accepts writes' : 'accepts no writes');
      if (sighting.is) this.kernel.after(0, () => this.writeEverywhere());
    }
  }
}
