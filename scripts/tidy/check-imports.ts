import {
  COMPOSITION_ROOTS,
  CORE_AREAS,
  EXCEPTIONS,
  PACKAGES,
  PROGRAM_AREAS,
} from './import-table.ts';
import type { AreaTable, ImportException } from './import-table.ts';
import { findImports, resolveImport } from './imports.ts';
import { type TreeFile, type Untidiness, isCode, isGenerated, isTest } from './tree.ts';

const TABLE = 'scripts/tidy/import-table.ts';

interface Place {
  readonly package: string;
  readonly area: string;
}

const withoutSuffix = (name: string): string => name.replace(/\.ts$/u, '');

/** Folders of the program whose parts count by themselves: `agent/observe`, `adapters/etcd`. */
const placeInProgram = (path: string, parts: readonly string[]): string => {
  const [first = '', second = ''] = parts;
  if (parts.at(-1) === 'main.ts' || COMPOSITION_ROOTS.includes(path)) return 'main';
  if (parts.slice(0, -1).includes('ports')) return 'ports';
  if (first === 'adapters') return `adapters/${withoutSuffix(second)}`;
  return withoutSuffix(first === 'agent' ? second : first);
};

const placeOf = (path: string): Place | undefined => {
  const [top, name, source, ...parts] = path.split('/');
  if (top !== 'packages' || name === undefined || source !== 'src') return undefined;
  const area = name === 'matriarch' ? placeInProgram(path, parts) : withoutSuffix(parts[0] ?? '');
  return { package: name, area };
};

const tableOf = (name: string): AreaTable | undefined => {
  if (name === 'core') return CORE_AREAS;
  return name === 'matriarch' ? PROGRAM_AREAS : undefined;
};

const mayImport = (table: AreaTable, from: string, to: string): boolean => {
  if (from === to) return true;
  const allowed = table[from.replace(/\/.*$/u, '')] ?? [];
  return allowed.includes('*') || allowed.includes(to);
};

const covers = (prefix: string, path: string): boolean =>
  path === prefix || path.startsWith(`${prefix}/`);

const isExcepted = (
  file: TreeFile,
  target: string,
  exceptions: readonly ImportException[],
): boolean => exceptions.some(({ from, to }) => covers(from, file.path) && covers(to, target));

const checkRelative = (
  file: TreeFile,
  target: string,
  exceptions: readonly ImportException[],
): readonly Untidiness[] => {
  const from = placeOf(file.path);
  const to = placeOf(target);
  if (from === undefined) return [];
  // What tests start is the built program.
  if (isTest(file.path) && target.startsWith(`packages/${from.package}/dist/`)) return [];
  if (to?.package !== from.package) {
    return [`${file.path} imports ${target}: other packages only by their name`];
  }
  const table = tableOf(from.package);
  if (table === undefined || isTest(file.path)) return [];
  if (table[from.area.replace(/\/.*$/u, '')] === undefined) {
    return [`"${from.area}" of ${from.package} has no row in ${TABLE}`];
  }
  if (mayImport(table, from.area, to.area) || isExcepted(file, target, exceptions)) return [];
  return [`${file.path} imports ${target}: "${from.area}" may not see "${to.area}" (${TABLE})`];
};

const checkPackage = (file: TreeFile, specifier: string): readonly Untidiness[] => {
  const from = placeOf(file.path);
  const [name = '', ...rest] = specifier.replace(/^@matriarch\//u, '').split('/');
  if (rest.length > 0)
    return [`${file.path} imports ${specifier}: only ${name}'s index.ts is open`];
  if (from === undefined) return [];
  const row = PACKAGES[from.package];
  if (row === undefined) return [`${file.path}: "${from.package}" has no row in ${TABLE}`];
  const allowed = isTest(file.path) ? [...row.may, ...row.testsMay] : row.may;
  if (allowed.includes(name)) return [];
  return [`${file.path} imports ${specifier}: ${from.package} may not see it (${TABLE})`];
};

const isOurs = (specifier: string): boolean =>
  /^(?:@matriarch\/|matriarch(?:\/|$))/u.test(specifier);

/** Imports against their direction: between packages, and between the areas of one package. */
export const checkImports = (
  files: readonly TreeFile[],
  exceptions: readonly ImportException[] = EXCEPTIONS,
): readonly Untidiness[] => {
  const problems = files
    .filter(({ path }) => isCode(path) && !isGenerated(path))
    .flatMap((file) =>
      findImports(file.text).flatMap((specifier) => {
        if (specifier.startsWith('.')) {
          return checkRelative(file, resolveImport(file, specifier), exceptions);
        }
        return isOurs(specifier) ? checkPackage(file, specifier) : [];
      }),
    );
  return [...new Set(problems)];
};

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

const packageName = (specifier: string): string =>
  specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');

const parseManifest = (files: readonly TreeFile[], path: string): Manifest => {
  const file = files.find((candidate) => candidate.path === path);
  return file === undefined ? {} : (JSON.parse(file.text) as Manifest);
};

/** Packages that are imported but not named in the package.json of who imports them. */
export const checkDeclared = (files: readonly TreeFile[]): readonly Untidiness[] => {
  const root = parseManifest(files, 'package.json');
  return files
    .filter(({ path }) => isCode(path) && path.startsWith('packages/'))
    .flatMap((file) => {
      const manifestPath = `${file.path.split('/').slice(0, 2).join('/')}/package.json`;
      const own = parseManifest(files, manifestPath);
      const forTests = { ...root.devDependencies, ...own.devDependencies };
      const declared = isTest(file.path) ? { ...own.dependencies, ...forTests } : own.dependencies;
      return findImports(file.text)
        .filter((name) => !name.startsWith('.') && !name.startsWith('node:'))
        .map(packageName)
        .filter((name) => declared?.[name] === undefined)
        .map((name) => `${file.path} imports ${name}, which ${manifestPath} does not name`);
    });
};
