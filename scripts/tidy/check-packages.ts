import { findMissingEntries } from '../lock/complete-lock.mjs';
import type { TreeFile, Untidiness } from './tree.ts';
import { mustAdmit } from './version-range.ts';

interface LockedPackage {
  readonly version?: string;
  readonly resolved?: string;
  readonly link?: boolean;
  readonly engines?: { readonly node?: string };
}

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly license?: string;
  readonly engines?: { readonly node?: string };
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

const parseLock = (text: string): Readonly<Record<string, LockedPackage>> =>
  (JSON.parse(text) as { packages: Record<string, LockedPackage> }).packages;

/** A lock file that names a host makes everybody fetch from there. */
export const checkLockHosts = (lock: string): readonly Untidiness[] =>
  Object.entries(parseLock(lock))
    .filter(([, { resolved, link }]) => link !== true && resolved !== undefined)
    .map(([path, { resolved }]) => `package-lock.json: ${path} names a host: ${String(resolved)}`);

/** Platforms' packages that npm left out of the lock file: `npm ci` would refuse it. */
export const checkLockComplete = (lock: string): readonly Untidiness[] =>
  findMissingEntries({ packages: parseLock(lock) }).map(
    ({ path }) => `package-lock.json: ${path} has no entry; add it with: npm run lock`,
  );

/** A tool that asks for a later Node than ours, and why it is here all the same. */
export interface EngineException {
  readonly path: string;
  readonly because: string;
}

export const ENGINE_EXCEPTIONS: readonly EngineException[] = [
  {
    path: 'node_modules/@bufbuild/protoc-gen-es',
    because: 'runs only when the etcd client is generated anew, and what it writes is checked in',
  },
];

/**
 * Dependencies that do not run on our oldest Node. The lock file is asked and not `node_modules`,
 * because npm leaves optional dependencies that do not fit out without a word.
 */
export const checkEngines = (
  lock: string,
  nodeFloor: string,
  exceptions: readonly EngineException[] = ENGINE_EXCEPTIONS,
): readonly Untidiness[] => {
  const unfit = Object.entries(parseLock(lock)).flatMap(([path, { engines }]) => {
    const range = engines?.node;
    return range === undefined || mustAdmit(range, nodeFloor) ? [] : [{ path, range }];
  });
  const idle = exceptions.filter(({ path }) => !unfit.some((found) => found.path === path));
  return [
    ...unfit
      .filter(({ path }) => !exceptions.some((exception) => exception.path === path))
      .map(({ path, range }) => `package-lock.json: ${path} asks for Node ${range}`),
    ...idle.map(({ path }) => `${path} fits now: take it out of ENGINE_EXCEPTIONS`),
  ];
};

const isManifest = (path: string): boolean => /^(?:packages\/[^/]+\/)?package\.json$/u.test(path);

/** One version, one licence and one Node floor for all packages, and exact versions among them. */
export const checkManifests = (files: readonly TreeFile[]): readonly Untidiness[] => {
  const manifests = files
    .filter(({ path }) => isManifest(path))
    .map(({ path, text }) => ({ path, manifest: JSON.parse(text) as Manifest }));
  const root = manifests.find(({ path }) => path === 'package.json')?.manifest;
  return manifests.flatMap(({ path, manifest }) => {
    const problems: Untidiness[] = [];
    for (const key of ['version', 'license'] as const) {
      if (manifest[key] !== root?.[key]) problems.push(`${path}: ${key} differs from the root's`);
    }
    if (manifest.engines?.node !== root?.engines?.node) {
      problems.push(`${path}: engines.node differs from the root's`);
    }
    const dependencies = { ...manifest.dependencies, ...manifest.devDependencies };
    for (const [name, range] of Object.entries(dependencies)) {
      if (!/^\d+\.\d+\.\d+$/u.test(range))
        problems.push(`${path}: ${name} is not pinned (${range})`);
      if (name.startsWith('@matriarch/') && range !== root?.version) {
        problems.push(`${path}: ${name} ${range} is not our version`);
      }
    }
    return problems;
  });
};
