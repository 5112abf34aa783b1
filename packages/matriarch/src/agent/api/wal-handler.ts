/**
 * `GET /matriarch/wal/<segment>`: the last WAL of a server that is silent, for the standby it is
 * offered to (rule S11). Read-only, for members of the cluster alone, and only while it is offered.
 */
import { assembleOffer, assembleView } from '@matriarch/core';
import type { ApiSource } from './api-source.ts';
import type { Handler } from './call.ts';
import { refuse, textReply } from './reply.ts';

export const WAL_PATH = '/matriarch/wal/';
const SEGMENT = /^[0-9A-F]{24}$/;

export const createWalHandler =
  (source: ApiSource): Handler =>
  async ({ path, authorization }) => {
    if (!path.startsWith(WAL_PATH)) return textReply(404, 'there is nothing at this path');
    if (!source.isMember(path, authorization)) return textReply(401, 'not authenticated');
    const name = path.slice(WAL_PATH.length);
    const offer = assembleOffer(assembleView(source.state()));
    if (!SEGMENT.test(name) || offer === undefined)
      return refuse('wal-not-offered', 'no WAL is offered here');
    const answer = await source.readOfferedWal(name, offer.end);
    if (answer.kind !== 'done') return refuse('wal-not-offered', answer.cause);
    return {
      status: 200,
      body: answer.bytes,
      contentType: 'application/octet-stream',
      headers: {},
    };
  };
