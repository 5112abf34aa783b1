/** `npm run lock`, after every `npm install`; lock/complete-lock.mjs says what it is good for. */
import { readFileSync, writeFileSync } from 'node:fs';
import { completeLock, findMissingEntries } from './lock/complete-lock.mjs';

/** @typedef {import('./lock/complete-lock.mjs').Lock} Lock */

const path = new URL('../package-lock.json', import.meta.url);
const lock = /** @type {Lock} */ (JSON.parse(readFileSync(path, 'utf8')));
const missing = findMissingEntries(lock);

if (missing.length > 0) writeFileSync(path, `${JSON.stringify(completeLock(lock), null, 2)}\n`);
console.log(`package-lock.json: ${missing.length} entries added.`);
