import { readFileSync } from 'node:fs';

/** The object in a file; undefined when there is none, for whatever reason. */
export const readJsonObject = (file: string): object | undefined => {
  try {
    const content: unknown = JSON.parse(readFileSync(file, 'utf8'));
    return typeof content === 'object' && content !== null ? content : undefined;
  } catch {
    return undefined;
  }
};
