import type { MemberTags } from '@matriarch/core';
import { defaultTags } from '@matriarch/core';
import type { ExactJson, ExactJsonObject } from '../json/exact-json.ts';
import { asBoolean, asInteger, asObject } from '../json/read-json.ts';

/** Tags as Patroni publishes them: what differs from the default; undefined when nothing does. */
export const encodeTags = (tags: MemberTags): ExactJsonObject | undefined => {
  const { failoverPriority, syncPriority } = tags;
  const encoded: ExactJsonObject = {
    ...(tags.nofailover ? { nofailover: true } : {}),
    ...(tags.noloadbalance ? { noloadbalance: true } : {}),
    ...(tags.clonefrom ? { clonefrom: true } : {}),
    ...(tags.nosync ? { nosync: true } : {}),
    ...(failoverPriority === defaultTags.failoverPriority
      ? {}
      : { failover_priority: failoverPriority }),
    ...(syncPriority === defaultTags.syncPriority ? {} : { sync_priority: syncPriority }),
    ...Object.fromEntries(Object.entries(tags.others).filter(([, value]) => value !== false)),
  };
  return Object.keys(encoded).length === 0 ? undefined : encoded;
};

const interpreted: ReadonlySet<string> = new Set([
  'nofailover',
  'noloadbalance',
  'clonefrom',
  'nosync',
  'failover_priority',
  'sync_priority',
]);

/** Tags as any member published them; what cannot be read counts as not given. */
export const decodeTags = (value: ExactJson | undefined): MemberTags => {
  const tags = asObject(value);
  const nofailover = asBoolean(tags['nofailover']);
  const priority = asInteger(tags['failover_priority']) ?? defaultTags.failoverPriority;
  const others = Object.entries(tags).flatMap(([name, tag]) =>
    !interpreted.has(name) &&
    (typeof tag === 'string' || typeof tag === 'number' || typeof tag === 'boolean')
      ? [[name, tag] as const]
      : [],
  );
  return {
    nofailover: nofailover ?? false,
    // An explicit nofailover wins over a priority that contradicts it.
    failoverPriority:
      nofailover === false && priority <= 0 ? defaultTags.failoverPriority : Math.max(0, priority),
    noloadbalance: asBoolean(tags['noloadbalance']) ?? false,
    clonefrom: asBoolean(tags['clonefrom']) ?? false,
    nosync: asBoolean(tags['nosync']) ?? false,
    syncPriority: Math.max(0, asInteger(tags['sync_priority']) ?? defaultTags.syncPriority),
    others: Object.fromEntries(others),
  };
};
