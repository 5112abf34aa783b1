import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DrillLinks, Link } from '../drill-cluster.ts';
import { type NetworkEnd, formatCut, planEnd, planHub } from './network-plan.ts';
import { type Tools, runTool } from './tools.ts';

/** As in every file of namespaces that util-linux and iproute2 know: a namespace, mounted. */
const HUB = 'hub';

const FORWARD = 'echo 1 > /proc/sys/net/ipv4/ip_forward';

/** Namespaces, wires and routes, for as long as this mount namespace lasts. */
export class PrivateNetwork implements DrillLinks {
  readonly #tools: Tools;
  readonly #ends: readonly NetworkEnd[];
  readonly #directory: string;
  /** The rules in force. */
  readonly #cuts = new Set<string>();

  /** `directory`: where the namespaces are mounted; on a file system of this mount namespace. */
  constructor(
    { tools, directory }: { readonly tools: Tools; readonly directory: string },
    ends: readonly NetworkEnd[],
  ) {
    this.#tools = tools;
    this.#ends = ends;
    this.#directory = directory;
  }

  /** Throws when the kernel refuses. */
  make(): void {
    mkdirSync(this.#directory, { recursive: true, mode: 0o755 });
    const hosts = this.#ends.filter(({ end }) => end !== 'clients');
    for (const name of [HUB, ...hosts.map((host) => host.name)]) this.#makeNamespace(name);
    runTool([...this.enter(HUB), 'sh', '-c', FORWARD]);
    const namespaceOf = ({ end, name }: NetworkEnd): string =>
      end === 'clients' ? `/proc/${process.pid}/ns/net` : this.#fileOf(name);
    this.#batch(this.enter(HUB), planHub(this.#ends, namespaceOf));
    for (const end of this.#ends)
      this.#batch(end.end === 'clients' ? [] : this.enter(end.name), planEnd(end));
  }

  #fileOf(name: string): string {
    return join(this.#directory, name);
  }

  #makeNamespace(name: string): void {
    writeFileSync(this.#fileOf(name), '');
    runTool([this.#tools.unshare, `--net=${this.#fileOf(name)}`, '--', 'true']);
  }

  /** What goes before a command line: nsenter becomes the program, whose pid is its own. */
  enter(name: string): readonly string[] {
    return [this.#tools.nsenter, `--net=${this.#fileOf(name)}`, '--'];
  }

  #batch(prefix: readonly string[], lines: readonly string[]): void {
    runTool([...prefix, this.#tools.ip, '-batch', '-'], `${lines.join('\n')}\n`);
  }

  cut(links: readonly Link[]): void {
    this.#change(links, 'add');
  }

  mend(links: readonly Link[]): void {
    this.#change(links, 'delete');
  }

  /** What is so already stays as it is. */
  #change(links: readonly Link[], change: 'add' | 'delete'): void {
    const isAdded = change === 'add';
    const all = new Set(links.map((link) => formatCut(this.#ends, link)));
    const rules = [...all].filter((rule) => this.#cuts.has(rule) !== isAdded);
    if (rules.length === 0) return;
    this.#batch(
      this.enter(HUB),
      rules.map((rule) => `rule ${change} ${rule}`),
    );
    for (const rule of rules) {
      if (isAdded) this.#cuts.add(rule);
      else this.#cuts.delete(rule);
    }
  }
}
