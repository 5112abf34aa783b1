export type Labels = Readonly<Record<string, string>>;

export interface Sample {
  /** Besides the labels that every sample of the member carries. */
  readonly labels?: Labels | undefined;
  /** A bigint is written exactly: WAL positions do not always fit a number. */
  readonly value: number | bigint | string;
}

/** All samples of one name, as Prometheus' text format groups them. */
export interface MetricFamily {
  readonly name: string;
  readonly help: string;
  readonly type: 'gauge' | 'counter';
  /** None: the family is left out, because its value is not known. */
  readonly samples: readonly Sample[];
}

type Value = Sample['value'] | boolean | undefined;

const samplesOf = (value: Value): readonly Sample[] => {
  if (value === undefined) return [];
  return [{ value: typeof value === 'boolean' ? Number(value) : value }];
};

/** A family of one sample; undefined: not known, so there is none. */
export const gauge = (name: string, help: string, value: Value): MetricFamily => ({
  name,
  help,
  type: 'gauge',
  samples: samplesOf(value),
});

export const counter = (name: string, help: string, value: Value): MetricFamily => ({
  ...gauge(name, help, value),
  type: 'counter',
});
