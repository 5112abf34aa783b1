/**
 * `npm run drill:all [-- --repeat N]`: every drill in quorum and in asynchronous mode, each on a
 * private cluster of several hosts, which takes root. What has been played is kept in .drills and
 * not played again: it may be interrupted, and begins anew when that folder is removed.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { runNode } from './run-child.mjs';

const DIRECTORY = '.drills';
const REPORT = `${DIRECTORY}/drills.json`;
const PAGE = `${DIRECTORY}/drills.html`;
const MODES = ['quorum', 'asynchronous'];
const DRILL = ['packages/matriarch/bin/matriarch.js', 'drill', '--private', '--all'];

const RENDERER = new URL('../packages/matriarch/dist/drills/render-report.js', import.meta.url);

const writePage = async () => {
  const { renderReport } = /** @type {{ readonly renderReport: (report: unknown) => string }} */ (
    await import(RENDERER.href)
  );
  /** @type {unknown} */
  const report = JSON.parse(readFileSync(REPORT, 'utf8'));
  writeFileSync(PAGE, renderReport(report));
  console.log(`the reports are ${REPORT} and ${PAGE}`);
};

/** @returns {Promise<number>} */
const drillAll = async () => {
  for (const step of [['scripts/prepare.mjs', '--for', 'test'], ['scripts/build.mjs']]) {
    const { status } = await runNode(.../** @type {[string, ...string[]]} */ (step));
    if (status !== 0) return status;
  }
  mkdirSync(DIRECTORY, { recursive: true });
  let worst = 0;
  for (const mode of MODES) {
    const args = ['--mode', mode, '--report', REPORT, '--resume', ...process.argv.slice(2)];
    const [program, ...rest] = DRILL;
    const { status, interrupted } = await runNode(String(program), ...rest, ...args);
    if (interrupted) return 1;
    // Nothing was played: it is refused, or it was asked for in the wrong words.
    if (status > 1) return status;
    worst = Math.max(worst, status);
  }
  await writePage();
  return worst;
};

process.exitCode = await drillAll();
