export interface ParsedFamily {
  readonly type: string;
  readonly samples: { readonly labels: Readonly<Record<string, string>>; readonly value: string }[];
}

const TYPE_LINE = /^# TYPE ([a-zA-Z_:][\w:]*) (counter|gauge|histogram|summary|untyped)$/;
const HELP_LINE = /^# HELP [a-zA-Z_:][\w:]* .+$/;
const LABEL = String.raw`[a-zA-Z_]\w*="(?:[^"\\]|\\["\\n])*"`;
const SAMPLE_LINE = new RegExp(
  String.raw`^([a-zA-Z_:][\w:]*)(?:\{((?:${LABEL})(?:,${LABEL})*)\})? (-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)$`,
);

const readLabels = (text: string): Record<string, string> =>
  Object.fromEntries(
    Array.from(text.matchAll(new RegExp(LABEL, 'g')), ([label]) => {
      const [name = '', value = ''] = label.split(/="(.*)"$/s);
      return [name, value.replace(/\\(.)/g, (_, mark: string) => (mark === 'n' ? '\n' : mark))];
    }),
  );

/** Reads Prometheus' text format strictly: what a scraper might refuse throws. */
export const parseMetrics = (text: string): ReadonlyMap<string, ParsedFamily> => {
  const families = new Map<string, ParsedFamily>();
  if (!text.endsWith('\n')) throw new Error('the last line does not end');
  for (const line of text.split('\n')) {
    if (line === '' || HELP_LINE.test(line)) continue;
    const type = TYPE_LINE.exec(line);
    if (type !== null) {
      const [, name = '', kind = ''] = type;
      if (families.has(name)) throw new Error(`${name} has two types`);
      families.set(name, { type: kind, samples: [] });
      continue;
    }
    const sample = SAMPLE_LINE.exec(line);
    if (sample === null) throw new Error(`not a line of the format: ${line}`);
    const [, name = '', labels = '', value = ''] = sample;
    const family = families.get(name);
    if (family === undefined) throw new Error(`${name} has no type`);
    const read = readLabels(labels);
    const key = JSON.stringify(read);
    if (family.samples.some((other) => JSON.stringify(other.labels) === key))
      throw new Error(`the same sample twice: ${line}`);
    family.samples.push({ labels: read, value });
  }
  return families;
};
