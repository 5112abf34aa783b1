import { renderRuleReference } from '@matriarch/core';
import { renderErrorReference } from '@matriarch/protocol';

/** A page of the documentation that is written by the code it describes. */
export interface ReferencePage {
  /** From the root. */
  readonly path: string;
  readonly text: string;
}

const page = (path: string, text: string): ReferencePage => ({
  path: `docs/reference/${path}`,
  text: `${text.trimEnd()}\n`,
});

export const renderReferencePages = (): readonly ReferencePage[] => [
  page('rules.md', renderRuleReference()),
  page('errors.md', renderErrorReference()),
];
