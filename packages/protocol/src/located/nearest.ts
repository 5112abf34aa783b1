/**
 * The number of insertions, deletions, replacements and swaps of neighbours that turn one word into
 * the other (Damerau-Levenshtein, optimal string alignment).
 */
export const editDistance = (from: string, to: string): number => {
  const rows: number[][] = [Array.from({ length: to.length + 1 }, (_, column) => column)];
  const at = (row: number, column: number): number => rows[row]?.[column] ?? 0;
  for (let row = 1; row <= from.length; row += 1) {
    const current = [row];
    rows.push(current);
    for (let column = 1; column <= to.length; column += 1) {
      const differs = from[row - 1] === to[column - 1] ? 0 : 1;
      let best = Math.min(
        at(row - 1, column) + 1,
        at(row, column - 1) + 1,
        at(row - 1, column - 1) + differs,
      );
      const swapped = from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      if (row > 1 && column > 1 && swapped) best = Math.min(best, at(row - 2, column - 2) + 1);
      current.push(best);
    }
  }
  return at(from.length, to.length);
};

/** Longer words are cut before they are compared: no key of ours comes near. */
const WORD_LENGTH_MAX = 64;

/** More slips than these make another word of it. */
const DISTANCE_MAX = 3;

/** The known word a user most likely meant; undefined when none comes close. */
export const findNearest = (word: string, known: Iterable<string>): string | undefined => {
  const typed = word.toLowerCase().replaceAll('-', '_').slice(0, WORD_LENGTH_MAX);
  let best: { readonly word: string; readonly distance: number } | undefined;
  for (const candidate of known) {
    const distance = editDistance(typed, candidate.toLowerCase());
    if (distance < (best?.distance ?? Infinity)) best = { word: candidate, distance };
  }
  const closeEnough = Math.max(1, Math.min(DISTANCE_MAX, Math.floor(typed.length / 3)));
  return best !== undefined && best.distance <= closeEnough ? best.word : undefined;
};
