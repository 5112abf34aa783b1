import {
  type Door,
  PRIMARY_BACKEND,
  REPLICAS_BACKEND,
  UNRESOLVED_ADDRESS,
  WAITING_ROOM,
  memberName,
  memberOfServerName,
} from '@matriarch/core';
import type { BalancedServer } from '../../proxy/ports/balancer.ts';

const DOORS: Readonly<Record<string, Door>> = {
  [PRIMARY_BACKEND]: 'write',
  [REPLICAS_BACKEND]: 'read',
};

export const backendOf = (door: Door): string =>
  door === 'write' ? PRIMARY_BACKEND : REPLICAS_BACKEND;

const STOPPED = '0';
const FIRST_LINE = '1';

const readLine = (line: string): readonly BalancedServer[] => {
  const [, backend = '', , name = '', address = '-', operational = STOPPED] = line.split(' ');
  const door = DOORS[backend];
  if (door === undefined || name === WAITING_ROOM) return [];
  return [
    {
      door,
      member: memberName(memberOfServerName(name)),
      isUp: operational !== STOPPED,
      address: address === '-' || address === UNRESOLVED_ADDRESS ? undefined : address,
    },
  ];
};

/** Reads "show servers state", format 1. Undefined when it is something else. */
export const parseServerStates = (text: string): readonly BalancedServer[] | undefined => {
  const [first, ...lines] = text.trim().split('\n');
  if (first?.trim() !== FIRST_LINE) return undefined;
  return lines.filter((line) => line !== '' && !line.startsWith('#')).flatMap(readLine);
};
