import { memberName, slotNameOf } from '@matriarch/core';

const names = new Map<string, string>();

/** The slot of a host's standby. The few names of a world are worked out once. */
export const slotOf = (host: string): string => {
  let name = names.get(host);
  if (name === undefined) {
    name = slotNameOf(memberName(host));
    names.set(host, name);
  }
  return name;
};
