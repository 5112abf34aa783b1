/**
 * Who may import whom. A row names an area (a folder, or a file beside the folders) and the areas
 * it may import besides itself. `*` is any area of the same package.
 */
export type AreaTable = Readonly<Record<string, readonly string[]>>;

/** Packages, and what else has code. Tests may import what the second list adds. */
export const PACKAGES: Readonly<
  Record<string, { readonly may: readonly string[]; readonly testsMay: readonly string[] }>
> = {
  core: { may: [], testsMay: [] },
  protocol: { may: ['core'], testsMay: [] },
  simulator: { may: ['core'], testsMay: ['protocol'] },
  matriarch: { may: ['core', 'protocol'], testsMay: ['simulator'] },
};

/** model ◄ replication ◄ state ◄ view ◄ election, routing, backup ◄ rules ◄ chores, decide, step */
export const CORE_AREAS: AreaTable = {
  model: [],
  guard: ['model'],
  replication: ['model'],
  state: ['model', 'replication', 'lanes'],
  view: ['model', 'guard', 'replication', 'state'],
  absorb: ['model', 'guard', 'replication', 'state', 'view'],
  election: ['model', 'replication', 'state', 'view'],
  routing: ['model', 'state', 'view'],
  backup: ['model', 'state', 'view'],
  lanes: ['model'],
  draft: ['model', 'state'],
  rules: ['model', 'guard', 'state', 'view', 'election', 'replication', 'routing', 'backup'],
  chores: ['model', 'state', 'view', 'replication', 'rules'],
  decide: ['model', 'state', 'view', 'rules'],
  step: [
    'model',
    'guard',
    'state',
    'view',
    'absorb',
    'rules',
    'chores',
    'lanes',
    'draft',
    'decide',
  ],
  render: ['model', 'routing'],
  explain: ['model'],
  index: ['*'],
};

/** ports ◄ observe, act, jobs, loop, api ◄ main ► adapters ► ports */
export const PROGRAM_AREAS: AreaTable = {
  ports: [],
  log: [],
  'store-access': ['ports', 'act'],
  observe: ['ports', 'log'],
  act: ['ports', 'jobs', 'log'],
  jobs: ['ports', 'log'],
  journal: ['ports', 'log'],
  metrics: ['ports'],
  guard: ['ports', 'log'],
  loop: ['ports', 'observe', 'act', 'jobs', 'journal', 'metrics', 'log'],
  api: ['ports', 'jobs', 'journal', 'metrics', 'log'],
  adapters: ['ports'],
  proxy: ['ports', 'log'],
  explain: ['journal'],
  local: ['ports', 'proxy', 'log'],
  monitor: ['ports', 'log'],
  backup: ['ports', 'log'],
  drills: ['ports', 'local', 'log'],
  cli: [
    'ports',
    'main',
    'proxy',
    'local',
    'monitor',
    'backup',
    'drills',
    'store-access',
    'log',
    'journal',
    'explain',
  ],
  main: ['*'],
  index: ['*'],
};

/**
 * Where a process is put together: the only files that know adapters. Each is called `main.ts`, but
 * for these.
 */
export const COMPOSITION_ROOTS: readonly string[] = [
  'packages/matriarch/src/agent/loop/run-loop.ts',
];

/** An import that the table forbids, and why it is there all the same. */
export interface ImportException {
  /** Path of the importing file, or of a folder, from the root. */
  readonly from: string;
  readonly to: string;
  readonly because: string;
}

export const EXCEPTIONS: readonly ImportException[] = [];
