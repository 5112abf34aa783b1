/**
 * Looking at processes of another user. Reading where a process runs (its /proc links) takes the
 * same user or CAP_SYS_PTRACE, which root of a container usually lacks. There we look as the user
 * the server runs as, for these few calls only.
 *
 * A change of user also clears the caller's parent-death signal, so it is done only where there is
 * no other way.
 */
import { readFileSync, statSync } from 'node:fs';

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

const CAP_SYS_PTRACE = 19n;

let ptraceAllowed: boolean | undefined;

const mayLookAtAll = (): boolean => {
  if (ptraceAllowed !== undefined) return ptraceAllowed;
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'latin1'));
  const bits = BigInt(`0x${effective?.[1] ?? '0'}`);
  ptraceAllowed = (bits & (1n << CAP_SYS_PTRACE)) !== 0n;
  return ptraceAllowed;
};

const ownerOf = (pid: number): Owner | undefined => {
  try {
    const { uid, gid } = statSync(`/proc/${pid}`);
    return { uid, gid };
  } catch {
    return undefined;
  }
};

/** Runs `look`, synchronous, with the right to see into process `pid` if we can have it. */
export const lookInto = <T>(pid: number, look: () => T): T => {
  const { geteuid, seteuid, getegid, setegid } = process;
  if (!geteuid || !seteuid || !getegid || !setegid) return look();
  if (geteuid() !== 0 || mayLookAtAll()) return look();
  const owner = ownerOf(pid);
  if (owner === undefined || owner.uid === 0) return look();
  const gid = getegid();
  setegid(owner.gid);
  seteuid(owner.uid);
  try {
    return look();
  } finally {
    seteuid(0);
    setegid(gid);
  }
};
