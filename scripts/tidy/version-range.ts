/**
 * Whether a version range of npm admits a version: as much of the notation as `engines` fields use
 * (`>=18`, `^20.19.0 || >=22.12.0`, `20 - 22`, `18.x`, `>=4 <7`, `*`).
 */
type Version = readonly [number, number, number];

interface Bounds {
  /** Included. */
  readonly from: Version;
  /** Not included. */
  readonly to: Version;
}

const LAST: Version = [Number.POSITIVE_INFINITY, 0, 0];
const FIRST: Version = [0, 0, 0];
/** An operator, then one to three numbers; what follows them (`-beta.1`) does not count here. */
const COMPARATOR = new RegExp(
  '^(?<operator>>=|<=|>|<|=|\\^|~)?v?(?<major>\\d+|[xX*])' +
    '(?:\\.(?<minor>\\d+|[xX*]))?(?:\\.(?<patch>\\d+|[xX*]))?(?:[-+].*)?$',
  'u',
);

const isBefore = (left: Version, right: Version): boolean => {
  for (const [index, part] of left.entries()) {
    const other = right[index] ?? 0;
    if (part !== other) return part < other;
  }
  return false;
};

const toNumber = (text: string | undefined): number | undefined =>
  text === undefined || /[xX*]/u.test(text) ? undefined : Number(text);

/** The versions that `1`, `1.2` or `1.2.3` stand for. */
const spanOf = (
  major: number | undefined,
  minor: number | undefined,
  patch: number | undefined,
): Bounds => {
  if (major === undefined) return { from: FIRST, to: LAST };
  if (minor === undefined) return { from: [major, 0, 0], to: [major + 1, 0, 0] };
  if (patch === undefined) return { from: [major, minor, 0], to: [major, minor + 1, 0] };
  return { from: [major, minor, patch], to: [major, minor, patch + 1] };
};

const caretEnd = ([major, minor, patch]: Version): Version => {
  if (major > 0) return [major + 1, 0, 0];
  return minor > 0 ? [0, minor + 1, 0] : [0, 0, patch + 1];
};

const parseComparator = (text: string): Bounds => {
  const parts = COMPARATOR.exec(text)?.groups;
  if (parts === undefined) throw new Error(`not a version range that is known here: "${text}"`);
  const major = toNumber(parts['major']);
  const minor = toNumber(parts['minor']);
  const span = spanOf(major, minor, toNumber(parts['patch']));
  switch (parts['operator']) {
    case '>=':
      return { from: span.from, to: LAST };
    case '>':
      return { from: span.to, to: LAST };
    case '<':
      return { from: FIRST, to: span.from };
    case '<=':
      return { from: FIRST, to: span.to };
    case '^':
      return { from: span.from, to: caretEnd(span.from) };
    case '~':
      return { from: span.from, to: spanOf(major, minor, undefined).to };
    default:
      return span;
  }
};

const parseSet = (text: string): readonly Bounds[] =>
  text
    .replaceAll(/(?<low>\S+)\s+-\s+(?<high>\S+)/gu, '>=$<low> <=$<high>')
    .replaceAll(/(?<operator>[<>=^~])\s+/gu, '$<operator>')
    .split(/\s+/u)
    .filter((part) => part !== '')
    .map(parseComparator);

/** Whether `range` admits `version`; throws when it cannot read one of them. */
export const mustAdmit = (range: string, version: string): boolean => {
  const { from } = parseComparator(version);
  return range
    .split('||')
    .some((set) =>
      parseSet(set).every((bounds) => !isBefore(from, bounds.from) && isBefore(from, bounds.to)),
    );
};
