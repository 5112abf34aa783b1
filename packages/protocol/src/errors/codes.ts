/** How bad it is for the cluster, not for whoever reads the message. */
export type Severity = 'info' | 'warning' | 'error' | 'critical';

/** 0 done, 1 failed, 2 wrong usage or input, 3 refused by a rule. */
export type ExitStatus = 0 | 1 | 2 | 3;

/** What is known of one kind of failure before it happens. */
export interface ErrorEntry {
  readonly severity: Severity;
  /** The same request, unchanged, may succeed later. */
  readonly retriable: boolean;
  readonly httpStatus: number;
  readonly exitStatus: ExitStatus;
  readonly meaning: string;
  readonly whatToDo: string;
}

type Kind = Pick<ErrorEntry, 'severity' | 'retriable' | 'exitStatus'>;

const wrongInput: Kind = { severity: 'warning', retriable: false, exitStatus: 2 };
const refused: Kind = { severity: 'warning', retriable: false, exitStatus: 3 };
const refusedForNow: Kind = { severity: 'warning', retriable: true, exitStatus: 3 };
const failed: Kind = { severity: 'error', retriable: false, exitStatus: 1 };
const failedForNow: Kind = { severity: 'error', retriable: true, exitStatus: 1 };
const fatal: Kind = { severity: 'critical', retriable: false, exitStatus: 1 };

const entry = (
  kind: Kind,
  httpStatus: number,
  text: Pick<ErrorEntry, 'meaning' | 'whatToDo'>,
): ErrorEntry => ({ ...kind, httpStatus, ...text });

/** Every error the product can report. Codes are stable for ever; texts may be improved. */
export const errorTable = {
  /* ── what a user typed ── */
  'configuration-invalid': entry(wrongInput, 400, {
    meaning: 'A configuration file or variable holds mistakes. Nothing was started or changed.',
    whatToDo: 'Correct every place that is listed; all mistakes are listed at once.',
  }),
  'configuration-unreadable': entry(wrongInput, 400, {
    meaning: 'A configuration file does not exist or may not be read by this user.',
    whatToDo: 'Check the path and its permissions. The message names both.',
  }),
  'secret-unreadable': entry(wrongInput, 400, {
    meaning: 'A file or variable that should hold a password is missing or empty.',
    whatToDo: 'Create it, readable by the agent only, or set the variable that is named.',
  }),
  'usage-invalid': entry(wrongInput, 400, {
    meaning: 'A command was called with arguments it does not understand.',
    whatToDo: 'Call the command with --help.',
  }),
  'request-invalid': entry(wrongInput, 400, {
    meaning: 'The body of an HTTP request is not what this path expects.',
    whatToDo: 'Send what the message names; field names are those of Patroni.',
  }),
  'request-too-large': entry(wrongInput, 413, {
    meaning: 'The body of an HTTP request is larger than any valid one.',
    whatToDo: 'Check what is being sent.',
  }),
  'path-unknown': entry(wrongInput, 404, {
    meaning: 'The API does not know this path.',
    whatToDo: 'See the list of paths in the REST reference.',
  }),
  'method-unsupported': entry(wrongInput, 501, {
    meaning: 'The API knows the path but not with this method.',
    whatToDo: 'See the list of paths in the REST reference.',
  }),
  'authentication-required': entry(refused, 401, {
    meaning: 'The request changes something and carried no or wrong credentials.',
    whatToDo: 'Use the name and password of restapi.authentication.',
  }),
  'access-denied': entry(refused, 403, {
    meaning: 'The request came without the client certificate the API requires.',
    whatToDo: 'Present a certificate signed by restapi.cafile.',
  }),
  'member-unknown': entry(wrongInput, 404, {
    meaning: 'No member of the cluster has this name.',
    whatToDo: 'Take a name from `matriarch list`.',
  }),
  'cluster-unknown': entry(wrongInput, 404, {
    meaning: 'No cluster was found: none was started from this directory and no file was named.',
    whatToDo: 'Start one with `matriarch up`, or name its file with -c.',
  }),
  'cluster-already-up': entry(refused, 409, {
    meaning: 'This cluster is already running under another process on this machine.',
    whatToDo: 'Use `matriarch list`, or stop it with `matriarch down`.',
  }),
  'not-built-yet': entry(refused, 501, {
    meaning: 'The setting or command is known, but this version cannot do it.',
    whatToDo: 'Leave it out; the message names what works instead.',
  }),
  /* ── rules that refuse ── */
  'switchover-leader-mismatch': entry(refused, 412, {
    meaning: 'The switchover names a primary that does not hold the lease.',
    whatToDo: 'Look at `matriarch list` and name the present lease holder.',
  }),
  'switchover-same-member': entry(refused, 400, {
    meaning: 'The switchover names the same member as its source and its target.',
    whatToDo: 'Name another candidate, or none for the best one.',
  }),
  'candidate-unknown': entry(refused, 412, {
    meaning: 'The named candidate is not a member of the cluster.',
    whatToDo: 'Take a name from `matriarch list`.',
  }),
  'no-good-candidate': entry(refusedForNow, 412, {
    meaning: 'No member, or not the named one, may become primary now. The message says why.',
    whatToDo: 'Wait until the replica streams, or choose another candidate.',
  }),
  'cluster-has-no-primary': entry(refusedForNow, 503, {
    meaning: 'The request needs a primary and nobody holds the lease.',
    whatToDo: 'Wait for the failover to end, or see `matriarch list` for what it waits for.',
  }),
  'change-in-progress': entry(refusedForNow, 503, {
    meaning: 'Another change of this member or cluster is under way; one is made at a time.',
    whatToDo: 'Wait until it has ended; `matriarch list` shows its progress.',
  }),
  'system-identifier-mismatch': entry({ ...refused, severity: 'critical' }, 409, {
    meaning: 'The data directory belongs to another cluster than the one in the store.',
    whatToDo:
      'Check data_dir and scope. Nothing was touched. To give the member the data of this ' +
      'cluster, move the data directory away and start the agent again.',
  }),
  'store-holds-other-version': entry({ ...refused, severity: 'critical' }, 409, {
    meaning:
      'patroni.yml has an `etcd` section, the data directory is not empty, and etcd holds ' +
      'nothing of this cluster in API version 3. Its documents are probably in version 2, which ' +
      'we do not speak.',
    whatToDo:
      'Move the cluster to `etcd3` with Patroni first; if the store is really empty, write ' +
      '`etcd3`.',
  }),
  'member-name-taken': entry({ ...refused, severity: 'error' }, 409, {
    meaning: 'Another agent with this name is alive.',
    whatToDo: 'Give each member its own name, or stop the other agent.',
  }),
  'data-directory-not-ours': entry({ ...refused, severity: 'error' }, 409, {
    meaning:
      'The data directory holds files but no PostgreSQL data directory. It is never emptied.',
    whatToDo: 'Check data_dir, or move the files away.',
  }),
  /* ── the host ── */
  'data-directory-unwritable': entry(failed, 503, {
    meaning: 'The data directory or the state directory cannot be written.',
    whatToDo: 'Check owner, permissions, mount options and free space of the path that is named.',
  }),
  'binary-missing': entry(failed, 503, {
    meaning: 'A program that is needed is not installed where it was looked for.',
    whatToDo: 'Install the package that is named, or set the directory of the programs.',
  }),
  'binary-unusable': entry(failed, 503, {
    meaning: 'A program exists but cannot be run, or its version is not supported.',
    whatToDo: 'Run it by hand as the user that is named; PostgreSQL 13 to 18 are supported.',
  }),
  'port-taken': entry(failedForNow, 503, {
    meaning: 'Another process listens on the address we are to listen on.',
    whatToDo: 'Stop that process, or choose another port. The message names address and setting.',
  }),
  'operating-user-unknown': entry(wrongInput, 400, {
    meaning: 'The user that is to run PostgreSQL does not exist on this host.',
    whatToDo: 'Create it, or set matriarch.user.',
  }),
  'child-process-failed': entry(failedForNow, 503, {
    meaning: 'A program we started ended by itself, or did not end within its time limit.',
    whatToDo: 'Its last lines of output are in the message; it is started again if it is to run.',
  }),
  /* ── the store ── */
  'store-unreachable': entry(failedForNow, 503, {
    meaning: 'No etcd endpoint answered within the time limit. Nothing was changed.',
    whatToDo: 'Check etcd and the network. A primary stays read-only until etcd answers again.',
  }),
  'store-outcome-unknown': entry(failedForNow, 503, {
    meaning: 'etcd did not answer a write in time: it may or may not have happened.',
    whatToDo: 'Look before repeating: the present state is what the next read shows.',
  }),
  'store-conflict': entry(refusedForNow, 409, {
    meaning: 'The document changed between reading and writing it. Nothing was changed.',
    whatToDo: 'Read it again and repeat the change.',
  }),
  'store-login-refused': entry({ ...wrongInput, severity: 'error' }, 503, {
    meaning: 'etcd refused the user name, password or certificate.',
    whatToDo: 'Check username, password and certificates in the etcd section.',
  }),
  /* ── the lease ── */
  'lease-lost': entry(failed, 503, {
    meaning: 'The lease ended or is held by somebody else. PostgreSQL was fenced at once.',
    whatToDo:
      'Nothing; the member rejoins by itself. Look for pauses or a slow store if it repeats.',
  }),
  'lease-deadline-passed': entry({ ...failed, severity: 'critical' }, 503, {
    meaning: 'The lease was not confirmed in time, so the guard fenced PostgreSQL.',
    whatToDo: 'Look for a hanging agent, a slow disk or an unreachable store.',
  }),
  'guard-unreachable': entry(fatal, 503, {
    meaning: 'The loop has lost its guard and therefore stopped PostgreSQL.',
    whatToDo: 'The agent starts again by itself; look in the log for why the guard ended.',
  }),
  /* ── PostgreSQL ── */
  'server-start-failed': entry(failedForNow, 503, {
    meaning: 'PostgreSQL did not start.',
    whatToDo: 'Read the last lines of its log in the message.',
  }),
  'server-unresponsive': entry(failedForNow, 503, {
    meaning: 'PostgreSQL runs but does not answer within the time limit.',
    whatToDo: 'Look at load, disks and locks of the host.',
  }),
  'server-login-refused': entry({ ...wrongInput, severity: 'error' }, 503, {
    meaning: 'PostgreSQL refused our user name or password, or pg_hba.conf has no line for us.',
    whatToDo: 'Compare postgresql.authentication with the roles of the cluster, and pg_hba.',
  }),
  'server-not-silent': entry(fatal, 503, {
    meaning: 'Processes of a stopped PostgreSQL could not be ended, so nothing may follow it.',
    whatToDo: 'Look for processes in uninterruptible sleep (state D) on that host.',
  }),
  'bootstrap-failed': entry(failedForNow, 503, {
    meaning: 'A new cluster could not be initialised. What was begun has been removed.',
    whatToDo: 'Read the output of the step that is named, then start the agent again.',
  }),
  'clone-failed': entry(failedForNow, 503, {
    meaning: 'A copy of another member could not be made.',
    whatToDo: 'It is tried again within a budget. Check network, pg_hba and free space.',
  }),
  'rewind-failed': entry(failedForNow, 503, {
    meaning: 'pg_rewind could not bring the old data directory in line.',
    whatToDo: 'Nothing: after its budget the member is cloned again.',
  }),
  'promotion-failed': entry(failedForNow, 503, {
    meaning: 'The lease holder could not be promoted and has given the lease back.',
    whatToDo: 'Read its PostgreSQL log; another member takes over if it can.',
  }),
  'wal-not-offered': entry(refusedForNow, 404, {
    meaning: 'A member was asked for WAL that it does not offer at this moment.',
    whatToDo:
      'Nothing: a member offers the last WAL of its server while that is crashed, to one standby.',
  }),
  'wal-forked': entry({ ...failed, severity: 'critical' }, 409, {
    meaning:
      'A former primary holds WAL that the cluster does not have: these changes are not in it.',
    whatToDo: 'The WAL is kept where the message says; decide whether anything in it is needed.',
  }),
  /* ── requests ── */
  'switchover-failed': entry(failed, 503, {
    meaning: 'The switchover did not take place. The old primary goes on.',
    whatToDo: 'See `matriarch history` and the log of the candidate.',
  }),
  'switchover-unknown': entry(failedForNow, 503, {
    meaning: 'The switchover had not ended when the time to wait for it was over.',
    whatToDo: 'Look at `matriarch list`; it may still be in progress.',
  }),
  'failover-failed': entry(failed, 503, {
    meaning: 'The failover did not take place.',
    whatToDo: 'See `matriarch list` for the state of the candidate.',
  }),
  'member-unreachable': entry(failedForNow, 503, {
    meaning: 'A member does not answer on its REST API.',
    whatToDo: 'Check that its agent runs and that its api_url can be reached from here.',
  }),
  /* ── traffic ── */
  'rendered-file-refused': entry(failed, 503, {
    meaning: 'HAProxy or PgBouncer refused a file we rendered. The one in use stays.',
    whatToDo: 'Its complaint is in the message; check the section of cluster.yaml it names.',
  }),
  'proxy-unreachable': entry(failedForNow, 503, {
    meaning: 'HAProxy or PgBouncer does not answer on its own control socket.',
    whatToDo: 'Its health checks go on moving traffic; it is tried again.',
  }),
  /* ── ours ── */
  'internal-error': entry(fatal, 500, {
    meaning: 'The program met a situation it was written to exclude.',
    whatToDo: 'It has ended and starts again. Report it with the journal of that moment.',
  }),
} as const satisfies Readonly<Record<string, ErrorEntry>>;

export type ErrorCode = keyof typeof errorTable;

export const errorCodes = Object.keys(errorTable) as readonly ErrorCode[];

export const errorEntry = (code: ErrorCode): ErrorEntry => errorTable[code];
