// The guard as a program of its own, with the relay loop as its loop.
import { fileURLToPath } from 'node:url';
import { runGuard } from '../../../../dist/agent/guard/main.js';

const loop = fileURLToPath(new URL('relay-loop.mjs', import.meta.url));

process.exitCode = await runGuard({ loopCommand: [process.execPath, loop], member: 'test' });
