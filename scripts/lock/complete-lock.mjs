/**
 * Adds to a lock file what npm leaves out of it. Tools bring one optional package per platform.
 * When `npm install` cannot get one of them (a mirror that carries only some platforms), it leaves
 * the package out without a word, and from then on `npm ci` refuses the lock file everywhere:
 * "Missing: … from lock file". An entry with version and platform is all that `npm ci` asks for. It
 * has no checksum; npm adds that when it installs on such a platform.
 */

/**
 * @typedef {object} LockEntry
 * @property {string} [version]
 * @property {boolean} [dev]
 * @property {boolean} [optional]
 * @property {readonly string[]} [os]
 * @property {readonly string[]} [cpu]
 * @property {readonly string[]} [libc]
 * @property {Readonly<Record<string, string>>} [optionalDependencies]
 */

/** @typedef {{ readonly packages: Readonly<Record<string, LockEntry>> }} Lock */

/** @typedef {{ readonly path: string, readonly entry: LockEntry }} LockAddition */

const MODULES = 'node_modules/';
const SYSTEMS = [
  'aix',
  'android',
  'darwin',
  'freebsd',
  'linux',
  'netbsd',
  'openbsd',
  'openharmony',
  'sunos',
  'win32',
];

/** How the parts of a package's name are called in its `cpu` and `libc`. */
const CPUS = new Map([
  ['arm', 'arm'],
  ['armv6', 'arm'],
  ['armv7', 'arm'],
  ['arm64', 'arm64'],
  ['ia32', 'ia32'],
  ['loong64', 'loong64'],
  ['ppc64', 'ppc64'],
  ['riscv64', 'riscv64'],
  ['s390x', 's390x'],
  ['x64', 'x64'],
]);
const LIBRARIES = new Map([
  ['gnu', 'glibc'],
  ['gnueabihf', 'glibc'],
  ['musl', 'musl'],
  ['musleabihf', 'musl'],
]);

/** @param {string} name @returns {Pick<LockEntry, 'os' | 'cpu' | 'libc'>} */
const platformOf = (name) => {
  const parts = (name.split('/').at(-1) ?? '').split('-');
  /** @param {(part: string) => string | undefined} read @returns {string[]} */
  const find = (read) => parts.flatMap((part) => read(part) ?? []);
  const os = find((part) => (SYSTEMS.includes(part) ? part : undefined));
  const cpu = find((part) => CPUS.get(part));
  const libc = os.includes('linux') ? find((part) => LIBRARIES.get(part)) : [];
  if (os.length !== 1 || cpu.length !== 1) {
    throw new Error(`The name of ${name} does not tell its platform: add it to the lock by hand.`);
  }
  return { os, cpu, ...(libc.length > 0 ? { libc } : {}) };
};

/** @param {Lock} lock @returns {LockAddition[]} The entries that `npm ci` will miss. */
export const findMissingEntries = ({ packages }) =>
  Object.entries(packages).flatMap(([path, { dev, optionalDependencies = {} }]) =>
    Object.entries(optionalDependencies)
      .filter(([name]) => {
        const places = [MODULES + name, `${path}/${MODULES}${name}`];
        return places.every((place) => packages[place] === undefined);
      })
      .map(([name, version]) => ({
        path: MODULES + name,
        entry: {
          version,
          ...(dev === true ? { dev } : {}),
          optional: true,
          ...platformOf(name),
        },
      })),
  );

/** @template {Lock} L @param {L} lock @returns {L} The same lock file, complete, in npm's order. */
export const completeLock = (lock) => {
  /** @type {[string, LockEntry][]} */
  const entries = Object.entries(lock.packages);
  for (const { path, entry } of findMissingEntries(lock)) entries.push([path, entry]);
  entries.sort(([left], [right]) => left.localeCompare(right, 'en'));
  /** @type {Record<string, LockEntry>} */
  const packages = Object.fromEntries(entries);
  return { ...lock, packages };
};
