import type { HandoverDocument } from '@matriarch/core';
import type { SimHost } from '../host/sim-host.ts';
import type { CheckerContext, MakeChecker } from './checker.ts';
import { excuseFor, holdsLease } from './excuse.ts';
import type { Sighting } from './sighting.ts';

type Transacted = Extract<Sighting, { kind: 'transacted' }>;

/**
 * S4: nobody is promoted before the old primary is silent or its lease is over; the end of WAL is
 * measured, and the lease released, only of a silent server; and what is said of its end is true.
 */
export const s4OldOneSilentFirst: MakeChecker = (context) => ({
  name: 's4-old-one-silent-first',
  see: (sighting) => {
    if (sighting.kind === 'promotion-signalled') return checkPromotion(context, sighting.host);
    if (sighting.kind === 'wal-measured') {
      const isSilent = context.world.hosts.get(sighting.host)?.postgres.isSilent;
      if (isSilent !== true)
        context.report(sighting.host, 'the end of WAL was measured of a server that is not silent');
    } else if (sighting.kind === 'transacted') checkRelease(context, sighting);
  },
});

/** Accepts writes now, or will as soon as it has started. */
const mayWrite = ({ postgres }: SimHost): boolean => {
  const instance = postgres.running;
  if (instance === undefined || instance.isStuck || instance.phase === 'stopping') return false;
  return !instance.inRecovery && instance.startedAs !== 'private' && instance.process.isRunning;
};

const checkPromotion = (context: CheckerContext, promoted: string): void => {
  // Excused is only who cannot know that the lease is over; then the other one is not to blame.
  if (!holdsLease(context, promoted) && excuseFor(context, promoted) !== undefined) return;
  for (const other of context.world.hosts.values()) {
    if (other.name === promoted || !mayWrite(other)) continue;
    if (excuseFor(context, other.name) === undefined)
      context.report(promoted, `was promoted while ${other.name} was not silent`);
  }
};

const checkRelease = (context: CheckerContext, sighting: Transacted): void => {
  const host = context.world.hosts.get(sighting.host);
  if (host === undefined) return;
  for (const write of sighting.transaction.writes) {
    if (!('key' in write)) continue;
    if (write.key === 'leader' && 'remove' in write && mayWrite(host))
      context.report(host.name, 'released the lease while its server may accept writes');
    if (write.key === 'handover' && 'put' in write) checkHandover(context, host, write.put);
  }
};

/** A release may take effect late: by then the server may run again, as a standby and no more. */
const checkHandover = (context: CheckerContext, host: SimHost, { end }: HandoverDocument): void => {
  const { name, postgres } = host;
  if (mayWrite(host)) context.report(name, 'handed over while its server may accept writes');
  const { data } = postgres.disk;
  if (!end.known || data === undefined) return;
  const said = Number(end.position.lsn);
  if (said !== data.wal.end)
    context.report(name, `handed over with WAL up to ${data.wal.end} and said ${said}`);
};
