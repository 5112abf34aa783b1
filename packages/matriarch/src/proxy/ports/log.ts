export type Attributes = Readonly<Record<string, unknown>>;

/** Where the proxy says what it does. pino's loggers have this shape. Messages are constant. */
export interface Log {
  info(attributes: Attributes, message: string): void;
  warn(attributes: Attributes, message: string): void;
  error(attributes: Attributes, message: string): void;
}
