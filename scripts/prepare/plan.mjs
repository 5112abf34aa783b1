/**
 * What has to be installed before a run, worked out from what was found on the machine.
 * Pure: `look.mjs` finds, `../prepare.mjs` asks and installs.
 */

/** @typedef {'demo' | 'test' | 'bench'} Purpose */

/**
 * @typedef {object} Program
 * @property {string} name What people call it.
 * @property {readonly string[]} files Executables that must all be there, in one directory.
 * @property {string} package The Debian package that brings it.
 * @property {readonly Purpose[]} for Runs that need it.
 */

/** The oldest Node the program runs on, as in `engines`. */
export const NODE_FLOOR = Object.freeze([20, 19]);

/** apt's lists are fetched again when they are older than this. */
export const LISTS_AGE_MAX_MS = 24 * 60 * 60 * 1000;

export const INSTALLER = 'scripts/prepare/install-packages.sh';

/** @type {readonly Program[]} */
export const PROGRAMS = Object.freeze([
  {
    name: 'the PostgreSQL server',
    files: [
      'postgres',
      'initdb',
      'pg_ctl',
      'pg_controldata',
      'pg_basebackup',
      'pg_rewind',
      'pg_waldump',
      'psql',
    ],
    package: 'postgresql',
    for: ['demo', 'test', 'bench'],
  },
  { name: 'etcd', files: ['etcd'], package: 'etcd-server', for: ['demo', 'test', 'bench'] },
  { name: 'etcdctl', files: ['etcdctl'], package: 'etcd-client', for: ['test'] },
  { name: 'HAProxy', files: ['haproxy'], package: 'haproxy', for: ['demo', 'test', 'bench'] },
  { name: 'PgBouncer', files: ['pgbouncer'], package: 'pgbouncer', for: ['demo', 'test', 'bench'] },
  { name: 'ip', files: ['ip'], package: 'iproute2', for: ['test'] },
  { name: 'setpriv', files: ['setpriv'], package: 'util-linux', for: ['demo', 'test', 'bench'] },
]);

/** @type {readonly Purpose[]} */
export const PURPOSES = Object.freeze(['demo', 'test', 'bench']);

/** @param {string} text @returns {text is Purpose} */
const isPurpose = (text) => PURPOSES.some((purpose) => purpose === text);

/**
 * @typedef {{ kind: 'parsed', purpose: Purpose, yes: boolean }
 *   | { kind: 'mistakes', mistakes: string[] }} Request
 */

/** @param {readonly string[]} args @returns {Request} */
export const parseArguments = (args) => {
  const mistakes = [];
  /** @type {Purpose | undefined} */
  let purpose;
  let yes = false;
  for (let index = 0; index < args.length; index += 1) {
    const argument = args[index];
    if (argument === '--yes') {
      yes = true;
    } else if (argument === '--for') {
      index += 1;
      const given = args[index] ?? '';
      if (isPurpose(given)) purpose = given;
      else mistakes.push(`--for "${given}" is not known; it is one of ${PURPOSES.join(', ')}`);
    } else {
      mistakes.push(`"${argument}" is not known; the options are --for PURPOSE and --yes`);
    }
  }
  if (purpose === undefined && mistakes.length === 0) {
    mistakes.push(`--for is missing; it is one of ${PURPOSES.join(', ')}`);
  }
  return purpose === undefined || mistakes.length > 0
    ? { kind: 'mistakes', mistakes }
    : { kind: 'parsed', purpose, yes };
};

/**
 * @typedef {object} LockedModule
 * @property {string} [version]
 * @property {boolean} [link]
 * @property {boolean} [optional]
 * @property {boolean} [peer]
 */

/** @typedef {Readonly<Record<string, LockedModule>>} LockedModules By path, as npm writes them. */

/**
 * Whether `node_modules` is not what the lock file asks for. npm leaves optional packages of other
 * platforms out, so those prove nothing.
 *
 * @param {LockedModules} wanted From package-lock.json.
 * @param {LockedModules | undefined} present From node_modules/.package-lock.json.
 * @returns {boolean}
 */
export const areModulesMissing = (wanted, present) =>
  present === undefined ||
  Object.entries(wanted).some(
    ([path, { version, link, optional }]) =>
      path.startsWith('node_modules/') &&
      link !== true &&
      optional !== true &&
      present[path]?.version !== version,
  );

/**
 * @typedef {object} Machine What was found.
 * @property {string} nodeVersion Like `v20.19.0`.
 * @property {boolean} modulesMissing
 * @property {readonly Program[]} missing Programs this run needs and the machine lacks.
 * @property {boolean} hasApt
 * @property {boolean} isRoot
 * @property {boolean} canSudo sudo is there, and will not ask where nobody can answer.
 * @property {number | undefined} listsAgeMs Age of apt's lists; undefined: there are none.
 * @property {boolean} mayAsk Somebody sits at a terminal, and neither --yes nor CI was given.
 */

/**
 * @typedef {object} Step
 * @property {string} title
 * @property {readonly [string, ...string[]]} command
 */

/**
 * @typedef {{ kind: 'refused', message: string }
 *   | { kind: 'steps', ask: boolean, needs: readonly string[], steps: readonly Step[] }} Plan
 */

/** @param {string} version @returns {boolean} */
const isOldNode = (version) => {
  const [major = 0, minor = 0] = version.replace(/^v/u, '').split('.').map(Number);
  const [floorMajor = 0, floorMinor = 0] = NODE_FLOOR;
  return major < floorMajor || (major === floorMajor && minor < floorMinor);
};

/** @param {Machine} machine @returns {readonly [string, ...string[]]} */
const installCommand = ({ missing, listsAgeMs }) => {
  const isOld = listsAgeMs === undefined || listsAgeMs > LISTS_AGE_MAX_MS;
  const packages = [...new Set(missing.map((program) => program.package))];
  return ['bash', INSTALLER, ...(isOld ? ['--update'] : []), ...packages];
};

/** @param {Machine} machine @returns {string | undefined} Why nothing can be installed here. */
const findObstacle = (machine) => {
  const { missing, hasApt, isRoot, canSudo } = machine;
  const named = missing.map((program) => `${program.name} (${program.package})`).join(', ');
  const packages = missing.map((program) => program.package).join(' ');
  if (missing.length === 0) return undefined;
  if (!hasApt) {
    return (
      `Missing on this machine: ${named}.\n` +
      'There is no apt-get here to install it with. On Debian or Ubuntu the command is\n\n' +
      `  apt-get install --no-install-recommends ${packages}\n\n` +
      'Install the same programs with the means of this system, then repeat.'
    );
  }
  if (isRoot || canSudo) return undefined;
  return (
    `Missing on this machine: ${named}.\n` +
    'Only root may install it, and sudo cannot be used here. Run this, then repeat:\n\n' +
    `  su -c '${installCommand(machine).join(' ')}'\n`
  );
};

/** @param {Machine} machine @returns {Plan} */
export const planPreparation = (machine) => {
  if (isOldNode(machine.nodeVersion)) {
    const floor = NODE_FLOOR.join('.');
    return {
      kind: 'refused',
      message: `This is Node ${machine.nodeVersion}; Node ${floor} or later is needed.`,
    };
  }
  const obstacle = findObstacle(machine);
  if (obstacle !== undefined) return { kind: 'refused', message: obstacle };
  /** @type {Step[]} */
  const steps = [];
  if (machine.missing.length > 0) {
    const command = installCommand(machine);
    steps.push({
      title: 'Debian packages, neither started nor enabled as services',
      command: machine.isRoot ? command : ['sudo', ...command],
    });
  }
  if (machine.modulesMissing) {
    steps.push({ title: 'npm packages', command: ['npm', 'ci', '--include=dev'] });
  }
  return {
    kind: 'steps',
    ask: machine.mayAsk && steps.length > 0,
    needs: machine.missing.map((program) => program.name),
    steps,
  };
};
