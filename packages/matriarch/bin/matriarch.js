#!/usr/bin/env node
// npm links a command only to a file that is there when it installs, and dist/ is built later.
import { existsSync } from 'node:fs';

const program = new URL('../dist/cli.js', import.meta.url);

if (existsSync(program)) {
  await import(program.href);
} else {
  process.stderr.write('Matriarch is not built yet. Build it with: npm run build\n');
  process.exitCode = 1;
}
