/** What this program calls itself. The same as in package.json; a test holds them together. */
export const MATRIARCH_VERSION = '0.1.0';

/**
 * The version of Patroni whose documents we write. Its members read it as dotted integers and
 * choose by it what they do with ours, so it must not be our own.
 */
export const PATRONI_VERSION = '4.1.4';
