/** `npm run sim`: replays one seed and tells its story, or runs many up to the first failure. */
import { runCommand } from './run/command.ts';

// Whoever reads the story may have read enough of it (`| head`).
process.stdout.on('error', () => process.exit(0));

process.exitCode = runCommand(process.argv.slice(2), {
  print: (line) => process.stdout.write(`${line}\n`),
  complain: (line) => process.stderr.write(`${line}\n`),
  nowMs: () => performance.now(),
});
