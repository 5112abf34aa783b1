/*
 * Shows who can take over a server whose WAL ends somewhere: who has all of it, to the byte, and may
 * be promoted; and that the best of them is chosen whatever the order of the answers.
 */
import { describe, expect, it } from 'vitest';
import { lsn } from '../model/lsn.ts';
import { defaultTags } from '../model/member.ts';
import type { PeerAnswer } from '../model/peer.ts';
import { timeline } from '../model/timeline.ts';
import { knownPosition, unknownPosition } from '../model/wal-position.ts';
import { findHeir, whyNotComplete } from './candidates.ts';

type Answer = Extract<PeerAnswer, { kind: 'answers' }>;

const end = { timeline: timeline(2), lsn: lsn(0x5000000) };

const peer = (parts: Partial<Answer> = {}): Answer => ({
  kind: 'answers',
  running: true,
  primary: false,
  position: knownPosition(end),
  lineage: undefined,
  tags: defaultTags,
  electable: true,
  ...parts,
});

const at = (number: number, bytes: number): Partial<Answer> => ({
  position: knownPosition({ timeline: timeline(number), lsn: lsn(bytes) }),
});

describe('whyNotComplete', () => {
  it.each<[string, PeerAnswer | undefined, string | undefined]>([
    ['has all of it', peer(), undefined],
    ['has more', peer(at(2, 0x5000001)), undefined],
    ['was not asked', undefined, 'does not answer'],
    ['did not answer', { kind: 'no-answer', cause: 'x' }, 'does not answer'],
    [
      'lacks a byte',
      peer(at(2, 0x4ffffff)),
      'has WAL up to 0/4FFFFFF on timeline 2, 1 bytes are missing',
    ],
    ['has as much of an earlier timeline', peer(at(1, 0x5000000)), 'is on timeline 1'],
    ['has as much of a later timeline', peer(at(3, 0x5000000)), 'is on timeline 3'],
    ['does not know', peer({ position: unknownPosition }), 'does not know its position yet'],
    ['is out of recovery', peer({ primary: true }), 'is out of recovery'],
    ['is busy', peer({ electable: false }), 'may not be promoted'],
    ['is tagged', peer({ tags: { ...defaultTags, nofailover: true } }), 'may not be promoted'],
    [
      'has no priority',
      peer({ tags: { ...defaultTags, failoverPriority: 0 } }),
      'may not be promoted',
    ],
  ])('a peer that %s', (_name, answer, why) => {
    expect(whyNotComplete(answer, end)).toBe(why);
  });
});

describe('findHeir', () => {
  it('takes the one with the most WAL, whatever the order of the answers', () => {
    const b = peer(at(2, 0x5000001));
    expect(findHeir({ a: peer(), b, c: peer() }, end)).toBe('b');
    expect(findHeir({ b, c: peer(), a: peer() }, end)).toBe('b');
  });

  it('takes the higher priority among equals, then the first name', () => {
    const preferred = peer({ tags: { ...defaultTags, failoverPriority: 2 } });
    expect(findHeir({ a: peer(), b: preferred }, end)).toBe('b');
    expect(findHeir({ b: peer(), a: peer() }, end)).toBe('a');
  });

  it('takes nobody who lacks a byte', () => {
    expect(findHeir({ a: peer(at(2, 0x4ffffff)) }, end)).toBeUndefined();
    expect(findHeir({}, end)).toBeUndefined();
  });
});
