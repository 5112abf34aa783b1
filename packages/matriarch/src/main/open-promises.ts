import type { Self } from '@matriarch/core';
import type { PostgresContext } from '../adapters/postgres/context.ts';
import { createPromiseFile } from '../adapters/postgres/promise-file.ts';
import type { DynamicSettings } from '../agent/loop/dynamic-settings.ts';
import type { PromiseFile } from '../agent/ports/promise-file.ts';

/** A life names the boot of the host: instants of another one say nothing. */
export const openPromises = (
  postgres: PostgresContext,
  settings: DynamicSettings,
  { life }: Self,
): PromiseFile =>
  createPromiseFile(postgres, { boot: life.host, ttlMs: () => settings.policy().ttlMs });
