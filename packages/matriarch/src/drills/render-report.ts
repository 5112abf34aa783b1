/** The report as one page that needs nothing else: no script, no style sheet, no picture. */
import {
  type DrillReport,
  type DrillResult,
  type DrillRun,
  allSteps,
  findProblems,
  formatLoss,
  formatMove,
  formatSeconds,
  spread,
} from './report.ts';

const WIDTH = 900;
const HEIGHT = 90;

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
};

const escape = (text: string): string => text.replace(/[&<>"]/g, (one) => ESCAPES[one] ?? one);

const STYLE = `
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 62rem; padding: 0 1rem;
  color: #1d2b36; background: #fff; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2.2rem; }
table { border-collapse: collapse; width: 100%; } th, td { text-align: left; padding: .3rem .6rem;
  border-bottom: 1px solid #d7dfe5; vertical-align: top; } td.number { text-align: right; }
.passed { color: #18794e; } .failed { color: #b42318; font-weight: 600; }
svg { width: 100%; height: auto; background: #f6f8fa; } code { font-size: .9em; }
details { margin: .4rem 0 1rem; } .muted { color: #5b6b78; }
@media (prefers-color-scheme: dark) { body { background: #11181d; color: #dbe4ea; }
  svg { background: #1a242b; } th, td { border-color: #2c3a44; } .muted { color: #93a4b1; }
  .passed { color: #4cc38a; } .failed { color: #ff8b7e; } }
`;

/** Acknowledged writes over time, and what was done and seen as lines across them. */
const renderChart = ({ writes, harms, steps }: DrillRun): string => {
  const { bucketMs, fromMs, counts } = writes;
  const spanMs = Math.max(1, counts.length * bucketMs);
  const most = Math.max(1, ...counts);
  const x = (atMs: number): string => (((atMs - fromMs) / spanMs) * WIDTH).toFixed(1);
  const barWidth = WIDTH / Math.max(1, counts.length);
  const bars = counts.map((count, index) => {
    const height = (count / most) * (HEIGHT - 20);
    return (
      `<rect x="${(index * barWidth).toFixed(1)}" y="${(HEIGHT - height).toFixed(1)}" ` +
      `width="${Math.max(0.5, barWidth - 0.5).toFixed(1)}" height="${height.toFixed(1)}"/>`
    );
  });
  const line = (atMs: number, name: string, colour: string): string =>
    `<line x1="${x(atMs)}" x2="${x(atMs)}" y1="0" y2="${HEIGHT}" stroke="${colour}">` +
    `<title>${escape(name)}: ${atMs} ms</title></line>`;
  const told = steps.filter(({ name }) =>
    /^(?:lease\.acquired|primary\.promoted|server\.silent)/.test(name),
  );
  return [
    `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" ` +
      `aria-label="acknowledged writes in each ${bucketMs} ms">`,
    `<g fill="#4a90c2">${bars.join('')}</g>`,
    ...told.map(({ name, atMs }) => line(atMs, name, '#8b98a3')),
    ...harms.map(({ name, atMs }) => line(atMs, name, '#d1372b')),
    '</svg>',
    `<p class="muted">${formatSeconds(spanMs)}; at most ${most} acknowledged writes in ` +
      `${bucketMs} ms; ` +
      'red: what was done; grey: silent, lease, promoted</p>',
  ].join('\n');
};

const renderRun = (run: DrillRun, result: DrillResult): string => {
  const problems = findProblems(run, result.mode);
  const whole =
    run.wholeMs === null
      ? 'not whole again'
      : `whole again ${formatSeconds(run.wholeMs)} after the last harm`;
  const errors = Object.entries(run.errors).map(([kind, count]) => `${count} × ${kind}`);
  return [
    `<h3>${escape(run.startedAt)}: ${escape(formatMove(run))}</h3>`,
    renderChart(run),
    `<p>Writes stopped for ${formatSeconds(run.writeOutageMs)}, reads for ` +
      `${formatSeconds(run.readOutageMs)}; ${formatLoss(run)}; ` +
      `${whole}.</p>`,
    ...problems.map((problem) => `<p class="failed">${escape(problem)}</p>`),
    '<details><summary>Steps, errors and evidence</summary>',
    `<p>Errors: ${escape(errors.join(', ') || 'none')}</p>`,
    ...run.incidents.map(
      ({ title, cause, evidence }) =>
        `<p><strong>${escape(title)}</strong>: ${escape(cause)}` +
        `${evidence.map((text) => `<br>${escape(text)}`).join('')}</p>`,
    ),
    '<table><tr><th>ms</th><th>step</th></tr>',
    ...allSteps(run).map(
      ({ name, atMs }) =>
        `<tr><td class="number">${atMs}</td><td><code>${escape(name)}</code></td></tr>`,
    ),
    '</table></details>',
  ].join('\n');
};

const renderRow = ({ scenario, says, mode, runs }: DrillResult): string => {
  const failed = runs.filter((run) => findProblems(run, mode).length > 0).length;
  const errors = runs.map(({ clientErrors }) => clientErrors);
  const lost = runs.reduce((sum, run) => sum + (run.lost ?? 0), 0);
  const whole = runs.flatMap(({ wholeMs }) => (wholeMs === null ? [] : [wholeMs]));
  const verdict =
    failed === 0
      ? '<span class="passed">passed</span>'
      : `<span class="failed">${failed} of ${runs.length} failed</span>`;
  return (
    `<tr><td><a href="#${scenario}-${mode}">${escape(scenario)}</a><br>` +
    `<span class="muted">${escape(says)}</span></td><td>${mode}</td>` +
    `<td class="number">${runs.length}</td><td>${spread(runs.map((run) => run.writeOutageMs))}` +
    `</td><td class="number">${Math.max(0, ...errors)}</td><td class="number">${lost}</td>` +
    `<td>${spread(whole)}</td><td>${verdict}</td></tr>`
  );
};

export const renderReport = ({ cluster, ttlMs, drills }: DrillReport): string => {
  const runs = drills.reduce((sum, result) => sum + result.runs.length, 0);
  return [
    '<!doctype html>',
    '<html lang="en"><head><meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    `<title>Drills of ${escape(cluster)}</title><style>${STYLE}</style></head><body>`,
    `<h1>Drills of cluster ${escape(cluster)}</h1>`,
    `<p>${runs} runs, ttl ${formatSeconds(ttlMs)}. Times are least / median / most.</p>`,
    '<table><tr><th>drill</th><th>mode</th><th>runs</th><th>writes stopped</th>' +
      '<th>errors (most)</th><th>lost</th><th>whole again after</th><th></th></tr>',
    ...drills.map(renderRow),
    '</table>',
    ...drills.map((result) =>
      [
        `<h2 id="${result.scenario}-${result.mode}">` +
          `${escape(result.scenario)}, ${result.mode}</h2>`,
        ...result.runs.map((run) => renderRun(run, result)),
      ].join('\n'),
    ),
    '</body></html>',
    '',
  ].join('\n');
};
