import type { Labels, MetricFamily, Sample } from './metric-family.ts';

/** Version 0.0.4 of Prometheus' text format, which every scraper reads. */
export const METRICS_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** The text of all families; each sample carries `common` besides its own labels. */
export const renderMetrics = (families: readonly MetricFamily[], common: Labels): string => {
  const lines: string[] = [];
  for (const { name, help, type, samples } of families) {
    if (samples.length === 0) continue;
    lines.push(`# HELP ${name} ${escapeHelp(help)}`, `# TYPE ${name} ${type}`);
    for (const sample of samples) lines.push(`${name}${labelsOf(sample, common)} ${sample.value}`);
  }
  return `${lines.join('\n')}\n`;
};

const labelsOf = ({ labels }: Sample, common: Labels): string => {
  const pairs = Object.entries({ ...common, ...labels });
  if (pairs.length === 0) return '';
  return `{${pairs.map(([name, value]) => `${name}="${escapeLabel(value)}"`).join(',')}}`;
};

const escapeHelp = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');

const escapeLabel = (text: string): string => escapeHelp(text).replaceAll('"', '\\"');
