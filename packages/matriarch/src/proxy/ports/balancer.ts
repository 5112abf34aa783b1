import type { Door, MemberName, RouteStep } from '@matriarch/core';
import type { PortOutcome } from './outcome.ts';

/** A member behind one of the two doors, as the load balancer sees it. */
export interface BalancedServer {
  readonly door: Door;
  readonly member: MemberName;
  readonly isUp: boolean;
  /** Undefined while its host name has not been resolved. */
  readonly address: string | undefined;
}

/** The load balancer at run time. Every call ends within its time limit and none rejects. */
export interface Balancer {
  /** Carries the steps out in their order; others' connections come before or after all of them. */
  change(steps: readonly RouteStep[]): Promise<PortOutcome>;
  observe(): Promise<PortOutcome<{ readonly servers: readonly BalancedServer[] }>>;
  /** Sends new connections for the member to another address, behind both doors. */
  move(member: MemberName, address: string): Promise<PortOutcome>;
}
