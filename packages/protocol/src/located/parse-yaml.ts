import { LineCounter, parseDocument } from 'yaml';
import type { ErrorCode, Tags, YAMLError } from 'yaml';
import type { Mistake, Place } from '../errors/mistake.ts';
import { assembleLocated } from './assemble-located.ts';
import type { Located } from './located.ts';

/** Far above any real configuration; below what would keep a process busy. */
const TEXT_LENGTH_MAX = 1_000_000;
const SYNTAX_MISTAKES_MAX = 20;

/**
 * What we say of a fault in YAML, without anything of the text itself: a line that cannot be read
 * may hold a password.
 */
const syntaxMessages: Partial<Record<ErrorCode, readonly [message: string, fix?: string]>> = {
  TAB_AS_INDENT: ['a tab is used for indentation', 'use spaces'],
  BAD_INDENT: ['the indentation does not fit, or a bracket is not closed'],
  BAD_SCALAR_START: [
    'a value begins with a character that has a meaning in YAML',
    'put it in quotes',
  ],
  BAD_DQ_ESCAPE: [
    'a backslash sequence in double quotes is not known to YAML',
    'use single quotes, or write \\\\ for a backslash',
  ],
  BLOCK_AS_IMPLICIT_KEY: [
    'a second ": " in one line',
    'put the value in quotes, or begin a new line',
  ],
  MISSING_CHAR: ['a quote, bracket or colon is missing'],
  MULTIPLE_DOCS: ['a second document begins here', 'keep one document in a file'],
  MULTILINE_IMPLICIT_KEY: [
    'a key without its colon, or a value that continues in the wrong column',
  ],
  UNEXPECTED_TOKEN: ['this does not belong here', 'check the indentation of this line'],
  TAG_RESOLVE_FAILED: ['a tag (!…) that is not supported', 'remove it, or put the value in quotes'],
};

/**
 * YAML 1.1 as the configuration files of the field are written in: on/off/yes/no are booleans.
 * Left out of it are dates and numbers with colons (`12:30` is 750 there), which turn plain text
 * into something nobody meant, and the tags for data that is no configuration.
 */
const withoutSurprises = (tags: Tags): Tags =>
  tags.filter(
    (tag) =>
      typeof tag === 'string' ||
      (tag.format !== 'TIME' && !/:(timestamp|binary|omap|pairs|set)$/.test(tag.tag)),
  );

export interface ParsedYaml {
  /** Undefined when there are mistakes, or when the text holds nothing. */
  readonly root: Located | undefined;
  readonly mistakes: readonly Mistake[];
}

/** Reads one YAML document with the place of every part. Never throws. */
export const parseYaml = (text: string, place: Pick<Place, 'file' | 'variable'>): ParsedYaml => {
  if (text.length > TEXT_LENGTH_MAX) {
    const message = `the text has ${text.length} characters, more than ${TEXT_LENGTH_MAX}`;
    return { root: undefined, mistakes: [{ ...place, path: '', message }] };
  }
  const lines = new LineCounter();
  const document = parseDocument(text, {
    version: '1.1',
    lineCounter: lines,
    prettyErrors: false,
    uniqueKeys: false,
    customTags: withoutSurprises,
  });
  const placeAt = (offset: number): Place => {
    if (place.variable !== undefined) return place;
    const { line, col } = lines.linePos(offset);
    return { ...place, line, column: col };
  };
  const faults: readonly YAMLError[] = [...document.errors, ...document.warnings];
  if (faults.length > 0) {
    const mistakes = faults.slice(0, SYNTAX_MISTAKES_MAX).map(({ code, pos }): Mistake => {
      const [message, fix] = syntaxMessages[code] ?? ['this is not valid YAML'];
      return { ...placeAt(pos[0]), path: '', message, ...(fix === undefined ? {} : { fix }) };
    });
    return { root: undefined, mistakes };
  }
  return assembleLocated({ document, placeAt });
};
