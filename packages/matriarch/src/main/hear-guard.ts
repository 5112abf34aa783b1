/** What the guard says, as inputs of the loop. */
import type { GuardNotice } from '@matriarch/core';
import type { Logger } from '../agent/log.ts';
import type { AgentLoop } from '../agent/loop/agent-loop.ts';
import type { DynamicSettings } from '../agent/loop/dynamic-settings.ts';
import { loadAgentConfig } from '../agent/loop/load-config.ts';

export const hear = (notice: GuardNotice, loop: AgentLoop, reload: () => void): void => {
  switch (notice.kind) {
    case 'hello': {
      const { incarnation, process: server, leaseId, deadline, suspended } = notice;
      const said = { incarnation, process: server, leaseId, deadline, suspended };
      return loop.feed({ kind: 'guard-hello', ...said });
    }
    case 'server-exited':
      return loop.feed({ kind: 'server-exited', exit: notice.exit });
    case 'guard-fenced':
      return loop.feed({ kind: 'guard-fenced', silent: notice.silent });
    case 'signal':
      if (notice.signal === 'SIGHUP') return reload();
      return loop.feed({ kind: 'request', request: { kind: 'shut-down' } });
  }
};

export interface Reload {
  readonly file: string;
  readonly settings: DynamicSettings;
  readonly log: Logger;
  readonly loop: AgentLoop;
  readonly applySettings: (changed: boolean) => void;
}

/** SIGHUP: a file with mistakes changes nothing. */
export const reloadFile = ({ file, settings, log, loop, applySettings }: Reload): void => {
  const loaded = loadAgentConfig(file, process.env);
  if (loaded.kind === 'wrong') {
    log.error({ mistakes: loaded.message }, 'configuration is wrong, the last one stays');
    return;
  }
  log.info({}, 'configuration is read again');
  loop.feed({ kind: 'tags-changed', tags: loaded.config.tags });
  applySettings(settings.reload(loaded.config));
};
