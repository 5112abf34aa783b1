import type { LaunchOutcome } from './daemons/launch-daemon.ts';

/** Why the proxy does not run as it was told to. The codes are those of the table of errors. */
export interface ProxyProblem {
  readonly code:
    | 'binary-missing'
    | 'operating-user-unknown'
    | 'configuration-invalid'
    | 'rendered-file-refused'
    | 'port-taken'
    | 'child-process-failed'
    | 'proxy-unreachable';
  readonly message: string;
}

export interface DaemonLabel {
  /** As the user knows it: `HAProxy`. */
  readonly title: string;
  /** Debian's package. */
  readonly package: string;
  /** Where the ports are set. */
  readonly setting: string;
}

export const HAPROXY: DaemonLabel = {
  title: 'HAProxy',
  package: 'haproxy',
  setting: 'the ports of the load balancer',
};
export const PGBOUNCER: DaemonLabel = {
  title: 'PgBouncer',
  package: 'pgbouncer',
  setting: 'the port of the connection pool',
};

export const programMissing = (label: DaemonLabel, program: string): ProxyProblem => ({
  code: 'binary-missing',
  message:
    `${label.title} cannot be run: no program ${program} on the PATH or in /usr/sbin. ` +
    `Install the package ${label.package}, or name the program's path.`,
});

export const portTaken = (label: DaemonLabel, addresses: readonly string[]): ProxyProblem => ({
  code: 'port-taken',
  message:
    `${label.title} cannot listen on ${addresses.join(' and ')}: another process does. ` +
    `Stop that process, or change ${label.setting}.`,
});

/** Undefined for a daemon that serves. */
export const launchProblem = (
  label: DaemonLabel,
  outcome: LaunchOutcome,
): ProxyProblem | undefined => {
  switch (outcome.kind) {
    case 'started':
    case 'adopted':
      return undefined;
    case 'program-missing':
      return programMissing(label, outcome.program);
    case 'port-taken':
      return portTaken(label, outcome.addresses);
    case 'not-serving': {
      const output = outcome.output === '' ? 'It wrote nothing.' : `It wrote:\n${outcome.output}`;
      return {
        code: 'child-process-failed',
        message: `${label.title} does not serve: ${outcome.cause}. ${output}`,
      };
    }
  }
};
