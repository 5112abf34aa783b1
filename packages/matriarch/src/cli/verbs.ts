/** What each verb loads. One module per verb, loaded only when it is asked for. */

export interface Command {
  /** One line for `matriarch help`. */
  readonly summary: string;
  /** Arguments behind the verb, as the help shows them. */
  readonly usage: string;
  /** Answers the exit status: 0 done, 1 failed, 2 wrong usage or input, 3 refused by a rule. */
  readonly run: (args: readonly string[]) => Promise<number>;
}

export const verbs: Readonly<Record<string, () => Promise<Command>>> = {
  up: async () => (await import('./commands/up.ts')).upCommand,
  down: async () => (await import('./commands/down.ts')).downCommand,
  destroy: async () => (await import('./commands/destroy.ts')).destroyCommand,
  demo: async () => (await import('./commands/demo.ts')).demoCommand,
  drill: async () => (await import('./commands/drill.ts')).drillCommand,
  list: async () => (await import('./commands/list.ts')).listCommand,
  history: async () => (await import('./commands/history.ts')).historyCommand,
  explain: async () => (await import('./commands/explain.ts')).explainCommand,
  switchover: async () => (await import('./commands/switchover.ts')).switchoverCommand,
  failover: async () => (await import('./commands/failover.ts')).failoverCommand,
  pause: async () => (await import('./commands/pause.ts')).pauseCommand,
  resume: async () => (await import('./commands/resume.ts')).resumeCommand,
  restart: async () => (await import('./commands/restart.ts')).restartCommand,
  flush: async () => (await import('./commands/flush.ts')).flushCommand,
  reinit: async () => (await import('./commands/reinit.ts')).reinitCommand,
  'show-config': async () => (await import('./commands/show-config.ts')).showConfigCommand,
  'edit-config': async () => (await import('./commands/edit-config.ts')).editConfigCommand,
  agent: async () => (await import('./commands/agent.ts')).agentCommand,
  proxy: async () => (await import('./commands/proxy.ts')).proxyCommand,
};
