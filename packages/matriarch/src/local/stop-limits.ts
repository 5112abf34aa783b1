/** How long each part of a local cluster may take to stop before it is killed. */
export const STOP_LIMITS_MS = {
  proxy: 10_000,
  /** A primary hands over before it goes; the members before it have gone by then. */
  member: 30_000,
  store: 5_000,
  /** What a killed process leaves behind ends within milliseconds, or not by itself. */
  descendants: 5_000,
};
