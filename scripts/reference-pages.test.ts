/**
 * Shows that the generated pages that are checked in say what the code says now. When one fails:
 * `npm run docs`, and look at the difference.
 */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { renderReferencePages } from './reference-pages.ts';

const checkedIn = (path: string): string => {
  const file = fileURLToPath(new URL(`../${path}`, import.meta.url));
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
};

describe('the generated reference', () => {
  it.each(renderReferencePages())('$path is current (else: npm run docs)', ({ path, text }) => {
    expect(checkedIn(path)).toBe(text);
  });

  it('covers rules and error codes', () => {
    const text = renderReferencePages()
      .map((page) => page.text)
      .join('\n');
    expect(text).toContain('`hold`');
    expect(text).toMatch(/exit \d/u);
  });
});
