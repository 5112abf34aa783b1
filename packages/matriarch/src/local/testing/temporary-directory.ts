import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** An empty directory that anybody may write to, gone after the test. */
export const openTemporaryDirectory = (): string => {
  const directory = mkdtempSync(join(tmpdir(), 'matriarch-local-'));
  chmodSync(directory, 0o777);
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
};
