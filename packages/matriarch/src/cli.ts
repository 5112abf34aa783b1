#!/usr/bin/env node
/**
 * The one entry. `agent` becomes the guard, which has to stay small: nothing but what the verb
 * needs is loaded.
 */
import { verbs } from './cli/verbs.ts';

const [verb = 'help', ...rest] = process.argv.slice(2);

const run = async (): Promise<number> => {
  const command = Object.hasOwn(verbs, verb) ? verbs[verb] : undefined;
  const asksForHelp = rest.includes('--help') || rest.includes('-h');
  if (command !== undefined && !asksForHelp) return (await command()).run(rest);
  const { runHelp } = await import('./cli/commands/help.ts');
  return runHelp(command === undefined ? [verb, ...rest] : ['help', verb]);
};

run().then(
  (status) => {
    process.exitCode = status;
  },
  async (error: unknown) => {
    const { reportDefect } = await import('./cli/output/defect.ts');
    reportDefect(error);
    process.exit(70);
  },
);
