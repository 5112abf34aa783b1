/** `npm run sim`: replays one seed and tells its story, or runs many and stops at the first failure. */
import { runCommand } from './run/command.ts';

process.exitCode = runCommand(process.argv.slice(2), {
  print: (line) => process.stdout.write(`${line}\n`),
  complain: (line) => process.stderr.write(`${line}\n`),
  nowMs: () => performance.now(),
});
