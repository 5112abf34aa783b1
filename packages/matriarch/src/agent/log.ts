import { type Logger, pino } from 'pino';

export type { Logger };

export interface LogOptions {
  readonly level: string;
  readonly name: string;
}

/** JSON lines on standard output: constant messages, variable data as attributes. */
export const createLogger = ({ level, name }: LogOptions): Logger =>
  pino({
    level,
    base: { member: name },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
  });
