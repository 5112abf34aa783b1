/**
 * `npm run build`: compiles what changed, takes away the output of sources that are gone, and makes
 * the program readable and runnable by every user, whatever the umask of the clone was.
 * `--clean` removes all output instead.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const COMPILER = join(ROOT, 'node_modules/typescript/bin/tsc');
const COMPILE_LIMIT_MS = 300_000;
const CHMOD_LIMIT_MS = 60_000;
const READABLE = 0o444;
const RUNNABLE = 0o555;
const OUTPUT = /\.(?:js|js\.map|d\.ts)$/u;

/** @typedef {{ source: string, output: string }} Unit */

/** @returns {Unit[]} Folders that are compiled into another. */
const listUnits = () => {
  const packages = readdirSync(join(ROOT, 'packages')).map((name) => join(ROOT, 'packages', name));
  const scripts = { source: join(ROOT, 'scripts'), output: join(ROOT, 'scripts/dist') };
  return [
    ...packages.map((path) => ({ source: join(path, 'src'), output: join(path, 'dist') })),
    scripts,
  ];
};

/** @param {string} directory @returns {string[]} Paths below it, from it. */
const listFiles = (directory) =>
  existsSync(directory)
    ? readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter((name) =>
        statSync(join(directory, name)).isFile(),
      )
    : [];

/** @param {Unit} unit */
const removeStale = ({ source, output }) => {
  for (const name of listFiles(output)) {
    const isStale = OUTPUT.test(name) && !existsSync(join(source, name.replace(OUTPUT, '.ts')));
    if (isStale) rmSync(join(output, name));
  }
};

/** @param {string} path @param {number} bits */
const addMode = (path, bits) => {
  const { mode } = statSync(path);
  if ((mode & bits) !== bits) chmodSync(path, (mode & 0o7777) | bits);
};

/** @param {string} path Everything below it too; folders can be entered. */
const openTree = (path) => {
  if (!existsSync(path)) return;
  const isFolder = statSync(path).isDirectory();
  addMode(path, isFolder ? RUNNABLE : READABLE);
  if (isFolder) for (const name of readdirSync(path)) openTree(join(path, name));
};

/** npm's thousands of files are opened only when npm wrote them under a narrow umask. */
const openModules = () => {
  const modules = join(ROOT, 'node_modules');
  const written = join(modules, '.package-lock.json');
  if (existsSync(written) && (statSync(written).mode & READABLE) === READABLE) return;
  spawnSync('chmod', ['-R', 'a+rX', modules], { stdio: 'inherit', timeout: CHMOD_LIMIT_MS });
};

const openProgram = () => {
  for (const path of ['.', 'packages']) addMode(join(ROOT, path), RUNNABLE);
  addMode(join(ROOT, 'package.json'), READABLE);
  for (const name of readdirSync(join(ROOT, 'packages'))) {
    const directory = join(ROOT, 'packages', name);
    addMode(directory, RUNNABLE);
    for (const part of ['package.json', 'bin', 'dist']) openTree(join(directory, part));
  }
  openModules();
  const commands = ['bin/matriarch.js', 'dist/cli.js'];
  for (const command of commands.map((path) => join(ROOT, 'packages/matriarch', path))) {
    if (existsSync(command)) addMode(command, RUNNABLE);
  }
};

/** @returns {number} The compiler's exit status. */
const compile = () => {
  if (!existsSync(COMPILER)) {
    console.error('The npm packages are not installed. Install them with: npm ci');
    return 1;
  }
  const run = spawnSync(process.execPath, [COMPILER, '-b'], {
    cwd: ROOT,
    stdio: 'inherit',
    timeout: COMPILE_LIMIT_MS,
  });
  if (run.error !== undefined) console.error(`The compiler did not end: ${run.error.message}`);
  return run.status ?? 1;
};

const build = () => {
  for (const unit of listUnits()) removeStale(unit);
  const status = compile();
  openProgram();
  return status;
};

const clean = () => {
  for (const { output } of listUnits()) rmSync(output, { recursive: true, force: true });
  rmSync(join(ROOT, 'node_modules/.cache/matriarch'), { recursive: true, force: true });
  return 0;
};

process.exitCode = process.argv.includes('--clean') ? clean() : build();
