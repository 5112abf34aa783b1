import { type AgentConfig, parseAgentConfig } from '@matriarch/protocol';

/** A patroni.yml with nothing in it but what has to be; `changes` are laid over it, key by key. */
export const writeAgentFile = (changes: Readonly<Record<string, object>> = {}): string => {
  const base: Readonly<Record<string, object>> = {
    restapi: { listen: '127.0.0.1:8008', connect_address: '10.0.0.1:8008' },
    etcd3: { hosts: '127.0.0.1:2379' },
    postgresql: {
      listen: '127.0.0.1:5432',
      connect_address: '10.0.0.1:5432',
      data_dir: '/srv/pg1/data',
      authentication: {
        superuser: { username: 'postgres', password: 'x' },
        replication: { username: 'replicator', password: 'x' },
      },
    },
  };
  const sections = new Set([...Object.keys(base), ...Object.keys(changes)]);
  const file = Object.fromEntries(
    Array.from(sections, (key) => [key, { ...base[key], ...changes[key] }]),
  );
  // JSON is YAML.
  return JSON.stringify({ scope: 'demo', name: 'pg1', ...file }, undefined, 2);
};

export const buildAgentConfig = (changes: Readonly<Record<string, object>> = {}): AgentConfig => {
  const { config, mistakes } = parseAgentConfig({
    text: writeAgentFile(changes),
    file: 'patroni.yml',
    environment: {},
  });
  if (config === undefined) throw new Error(JSON.stringify(mistakes));
  return config;
};
