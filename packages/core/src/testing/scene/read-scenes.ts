/** The members of all scenes of `rules/transcripts`. */
import { readFileSync, readdirSync } from 'node:fs';
import type { MemberState } from '../../state.ts';
import { parseTranscript } from './transcript.ts';

const FOLDER = new URL('../../rules/transcripts/', import.meta.url);

export const readScenes = (): readonly MemberState[] =>
  readdirSync(FOLDER)
    .toSorted()
    .flatMap((file) => parseTranscript(readFileSync(new URL(file, FOLDER), 'utf8')).scenes)
    .map(({ member }) => member);
