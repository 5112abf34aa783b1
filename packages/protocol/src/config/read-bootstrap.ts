import type { JsonObject } from '@matriarch/core';
import type { LocatedMap } from '../located/located.ts';
import { emptyMap, toJsonObject } from '../located/located.ts';
import { parseText } from '../located/parsers.ts';
import { Section } from '../located/section.ts';
import type { AgentConfig } from './agent-config.ts';
import { dynamicSection, readPolicy } from './policy.ts';
import { readHba } from './read-access-lines.ts';
import { initdbRules, readOptions } from './read-options.ts';
import { readDynamicParameters } from './server-parameters.ts';

export interface Bootstrap {
  /** Undefined: this member may not initialise a new cluster. */
  readonly config: AgentConfig['bootstrap'];
  /** `bootstrap.dcs` as it is written; empty when it is absent. */
  readonly dynamic: JsonObject;
}

/**
 * What a new cluster begins with. `dcs` is kept word for word, old names and all: every member of a
 * mixed cluster reads it from the store. It is checked here, with the places in the file.
 */
export const readBootstrap = (root: Section): Bootstrap => {
  if (!root.has('bootstrap')) return { config: undefined, dynamic: {} };
  const bootstrap = root.section('bootstrap');
  const dcs = readDynamic(bootstrap);
  const config = {
    dcs: toJsonObject(dcs),
    initdbOptions: readOptions(bootstrap, 'initdb', initdbRules),
    pgHba: readHba(bootstrap, 'pg_hba') ?? [],
  };
  const mayInitialise = isPlainBootstrap(bootstrap, dcs);
  bootstrap.finish();
  return { config: mayInitialise ? config : undefined, dynamic: config.dcs };
};

const readDynamic = (bootstrap: Section): LocatedMap => {
  const section = bootstrap.section('dcs');
  const entry = bootstrap.entry('dcs');
  const map = entry?.kind === 'map' ? entry : emptyMap(section.place);
  const { findings } = bootstrap;
  const dynamic = dynamicSection(map, { path: section.path, findings });
  readPolicy(dynamic);
  const postgresql = dynamic.entry('postgresql');
  if (postgresql?.kind === 'map') {
    const position = { path: `${section.path}.postgresql`, schema: 'dynamic.postgresql' };
    const inner = new Section(postgresql, position, findings);
    readDynamicParameters(inner);
    readHba(inner, 'pg_hba');
    inner.values('pg_ident', parseText);
  }
  return map;
};

/**
 * A cluster that is to begin as a copy of something else must not begin as an empty one. Until
 * these ways are built, a member that asks for one of them joins clusters and initialises none.
 */
const isPlainBootstrap = (bootstrap: Section, dcs: LocatedMap): boolean => {
  const method = bootstrap.value('method', parseText) ?? 'initdb';
  const refuse = (key: string, what: string): boolean => {
    const message = `${what} is not built yet, so this member will not initialise a new cluster`;
    bootstrap.warn(key, { message, fix: 'it joins one that exists' });
    return false;
  };
  if (method !== 'initdb') {
    bootstrap.has(method);
    return refuse('method', 'a custom bootstrap method');
  }
  const standby = dcs.entries.get('standby_cluster');
  const isStandbyCluster = standby?.kind === 'map' && standby.entries.size > 0;
  return isStandbyCluster ? refuse('dcs', 'a standby cluster') : true;
};
