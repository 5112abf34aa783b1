/** A thread that plays blocks of seeds: a block in, its result out. */
import { parentPort, workerData } from 'node:worker_threads';
import { type Block, type Choice, playBlock } from './block.ts';

const choice = workerData as Choice;

parentPort?.on('message', (block: Block) => parentPort?.postMessage(playBlock(block, choice)));
