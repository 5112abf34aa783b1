/** A word as a shell takes it for one, quoted only when it has to be. */
export const formatShellWord = (word: string): string =>
  /^[\w./:@%+=,-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
