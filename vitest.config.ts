import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const source = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

const NEEDS_SERVERS = ['packages/*/src/**/*.pg.test.ts', 'packages/*/src/**/*.etcd.test.ts'];

export default defineConfig({
  resolve: {
    // Tests see the sources; only what starts the program by its command sees the built output.
    alias: {
      '@matriarch/core': source('./packages/core/src/index.ts'),
      '@matriarch/protocol': source('./packages/protocol/src/index.ts'),
      '@matriarch/simulator': source('./packages/simulator/src/index.ts'),
    },
  },
  test: {
    pool: 'forks',
    maxWorkers: 2,
    teardownTimeout: 60_000,
    // A project of a later group begins when the earlier ones are done.
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['packages/*/src/**/*.test.ts', 'scripts/**/*.test.ts'],
          exclude: NEEDS_SERVERS,
          testTimeout: 20_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'servers',
          include: NEEDS_SERVERS,
          globalSetup: ['scripts/vitest/require-programs.ts', 'scripts/vitest/build-first.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: 'e2e',
          include: ['tests/e2e/**/*.e2e.test.ts'],
          globalSetup: ['scripts/vitest/require-programs.ts', 'scripts/vitest/build-first.ts'],
          // One cluster at a time has the machine.
          fileParallelism: false,
          testTimeout: 300_000,
          hookTimeout: 300_000,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
