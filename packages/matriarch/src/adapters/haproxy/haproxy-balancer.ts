import { type RouteStep, haproxyServerName } from '@matriarch/core';
import type { Balancer } from '../../proxy/ports/balancer.ts';
import type { PortOutcome } from '../../proxy/ports/outcome.ts';
import { askSocket } from './ask-socket.ts';
import { endOldSessions } from './master.ts';
import { backendOf, parseServerStates } from './server-states.ts';

export interface HaproxySockets {
  /** `stats socket` of the configuration. */
  readonly runtime: string;
  /** The master's own socket, given with `-S`. */
  readonly master: string;
}

const serverOf = ({ door, member }: Pick<RouteStep, 'door' | 'member'>): string =>
  `${backendOf(door)}/${haproxyServerName(member)}`;

/**
 * `health up|down` and not `state ready|maint`: the checks go on and correct it. A server that was
 * put into maintenance would stay there for ever if we died.
 */
const commandOf = (step: RouteStep): string => {
  const server = serverOf(step);
  switch (step.kind) {
    case 'lower':
      return `set server ${server} health down`;
    case 'raise':
      return `set server ${server} health up`;
    case 'end-sessions':
      return `shutdown sessions server ${server}`;
  }
};

/** Whatever is said to commands that have nothing to say is a complaint. */
const complaintIn = (answer: string): string | undefined => {
  const lines = answer.split('\n').filter((line) => line.trim() !== '');
  return lines.length === 0 ? undefined : lines.join('; ');
};

/** Commands in one line; HAProxy's buffer of 16 kB holds some 200 of these. */
const COMMANDS_MAX = 100;

const command = async (path: string, commands: readonly string[]): Promise<PortOutcome> => {
  for (let start = 0; start < commands.length; start += COMMANDS_MAX) {
    const text = commands.slice(start, start + COMMANDS_MAX).join(';');
    const asked = await askSocket({ path, text, endsInput: false });
    if (asked.kind === 'failed') return asked;
    const complaint = complaintIn(asked.answer);
    if (complaint !== undefined) return { kind: 'failed', cause: `${path}: ${complaint}` };
  }
  return { kind: 'done' };
};

/** HAProxy over its runtime socket: one connection and one line for each change. */
export const createHaproxyBalancer = (sockets: HaproxySockets): Balancer => ({
  change: async (steps) => {
    const done = await command(sockets.runtime, steps.map(commandOf));
    const ended = steps.filter(({ kind }) => kind === 'end-sessions');
    if (done.kind === 'failed' || ended.length === 0) return done;
    return endOldSessions(
      sockets.master,
      ended.map(({ door, member }) => ({
        backend: backendOf(door),
        server: haproxyServerName(member),
      })),
    );
  },
  observe: async () => {
    const asked = await askSocket({
      path: sockets.runtime,
      text: 'show servers state',
      endsInput: false,
    });
    if (asked.kind === 'failed') return asked;
    const servers = parseServerStates(asked.answer);
    return servers === undefined
      ? {
          kind: 'failed',
          cause: `${sockets.runtime}: not understood: ${asked.answer.slice(0, 200)}`,
        }
      : { kind: 'done', servers };
  },
  move: async (member, address) => {
    const servers = (['write', 'read'] as const).map((door) => serverOf({ door, member }));
    const asked = await askSocket({
      path: sockets.runtime,
      // What was known of the old address is not known of the new one: down until it is.
      text: servers
        .map((server) => `set server ${server} addr ${address};set server ${server} health down`)
        .join(';'),
      endsInput: false,
    });
    // The answer tells what changed in words; what came of it is for the next look to show.
    return asked.kind === 'failed' ? asked : { kind: 'done' };
  },
});
