/** `npm run sim`: replays one seed and tells its story, or plays many up to the first failure. */
import { startThread } from './many/thread.ts';
import { runCommand } from './run/command.ts';

// Whoever reads the story may have read enough of it (`| head`).
process.stdout.on('error', () => process.exit(0));

/** Back to the beginning of the line, and nothing right of what is written. */
const rewrite = (line: string): boolean => process.stdout.write(`\r${line}\u001b[K`);

runCommand(process.argv.slice(2), {
  print: (line) => process.stdout.write(`${line}\n`),
  complain: (line) => process.stderr.write(`${line}\n`),
  rewrite: process.stdout.isTTY ? rewrite : undefined,
  nowMs: () => performance.now(),
  startWorker: startThread,
  onInterrupt: (stop) => {
    process.on('SIGINT', stop);
    return () => process.off('SIGINT', stop);
  },
  end: (status) => {
    process.exitCode = status;
  },
});
