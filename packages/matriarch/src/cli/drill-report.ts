/** The file a drill writes its report to, and goes on from. */
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { renderReport } from '../drills/render-report.ts';
import type { DrillReport, DrillResult } from '../drills/report.ts';

const isResult = (value: unknown): value is DrillResult => {
  const { scenario, mode, runs } = (value ?? {}) as Readonly<Record<string, unknown>>;
  return typeof scenario === 'string' && typeof mode === 'string' && Array.isArray(runs);
};

/** What an earlier exercise has written, or what is wrong with it; nothing yet is no mistake. */
export const readFound = (file: string): readonly DrillResult[] | string => {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return [];
  }
  try {
    const { drills } = (JSON.parse(text) ?? {}) as Readonly<Record<string, unknown>>;
    if (Array.isArray(drills) && drills.every(isResult)) return drills;
  } catch {
    // Said below.
  }
  return `${file}: is no report of drills; name another file, or remove it`;
};

export const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);

/** Before anything is harmed: an hour of drills is not to end in a report nobody can read. */
export const whyNotWritable = (file: string | undefined): string | undefined => {
  if (file === undefined) return undefined;
  const isNew = !existsSync(file);
  try {
    writeFileSync(file, '', { flag: 'a' });
    if (isNew) rmSync(file);
    return undefined;
  } catch (error) {
    return `${file}: cannot be written (${messageOf(error)})`;
  }
};

export const writeReport = (file: string | undefined, report: DrillReport): void => {
  if (file === undefined) return;
  const text = file.endsWith('.html')
    ? renderReport(report)
    : `${JSON.stringify(report, undefined, 2)}\n`;
  writeFileSync(`${file}.new`, text);
  renameSync(`${file}.new`, file);
};
