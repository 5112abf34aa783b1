import { fileURLToPath } from 'node:url';
import { runGuard } from '../../agent/guard/main.ts';
import type { Command } from '../verbs.ts';

const loopEntry = fileURLToPath(new URL('../../main.js', import.meta.url));

export const agentCommand: Command = {
  summary: 'runs one member: the guard, its loop, and PostgreSQL',
  usage: 'patroni.yml',
  run: async (args) => {
    const [file, ...rest] = args;
    if (file === undefined || rest.length > 0) {
      process.stderr.write('usage: matriarch agent patroni.yml\n');
      return 2;
    }
    return runGuard({ loopCommand: [process.execPath, loopEntry, file] });
  },
};
