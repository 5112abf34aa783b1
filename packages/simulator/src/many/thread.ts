import { Worker as Thread } from 'node:worker_threads';
import type { BlockResult } from './block.ts';
import type { StartWorker } from './crew.ts';

/** Named as it is once it is compiled: threads load what is built. */
const ENTRY = new URL('./seed-worker.js', import.meta.url);

/** A seed leaves much behind that nobody wants: rarely collected, most of it costs nothing. */
const LIMITS = { maxYoungGenerationSizeMb: 96 };

/** A worker that has a thread of its own. */
export const startThread: StartWorker = (choice, ears) => {
  const thread = new Thread(ENTRY, { workerData: choice, resourceLimits: LIMITS });
  thread.on('message', (result: BlockResult) => ears.played(result));
  thread.on('error', (error: unknown) =>
    ears.broke(error instanceof Error ? (error.stack ?? error.message) : String(error)),
  );
  return {
    play: (block) => thread.postMessage(block),
    stop: () => void thread.terminate(),
  };
};
