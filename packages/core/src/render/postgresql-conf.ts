/**
 * The text of PostgreSQL's configuration files: one file of our own, included from postgresql.conf,
 * so that whatever a user or another tool wrote into postgresql.conf stays as it is.
 * Grammar: PostgreSQL documentation, "Parameter Interaction via the Configuration File".
 */

const PARAMETER_NAME = /^[A-Za-z_][A-Za-z0-9_$]*(\.[A-Za-z_][A-Za-z0-9_$]*)*$/;

/** Anything else could end its line early and smuggle in another parameter. */
export const isParameterName = (name: string): boolean => PARAMETER_NAME.test(name);

const ESCAPES: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  "'": "''",
  '\n': '\\n',
  '\r': '\\r',
};

/** A value as it stands in a configuration file: always quoted, on one line. */
export const quoteParameter = (value: string): string =>
  `'${value.replace(/[\\'\n\r]/g, (character) => ESCAPES[character] ?? character)}'`;

/** Parameters in alphabetical order under a comment. Throws on a name that is no name. */
export const renderPostgresqlConf = (content: {
  readonly comment: readonly string[];
  readonly parameters: Readonly<Record<string, string>>;
}): string => {
  const lines = Object.entries(content.parameters)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => {
      if (!isParameterName(name)) throw new Error(`not a parameter name: ${JSON.stringify(name)}`);
      return `${name} = ${quoteParameter(value)}`;
    });
  return [...content.comment.map((line) => `# ${line}`), ...lines, ''].join('\n');
};

const INCLUDE = /^\s*include(_if_exists)?\s*=?\s*'([^']*)'/;

/**
 * The text with `fileName` included as its last line. What stands last wins in PostgreSQL, so a
 * line of ours that something was added behind moves to the end. Already last: the text as it was.
 */
export const withIncludeLast = (text: string, fileName: string): string => {
  const others = text.split('\n').filter((line) => INCLUDE.exec(line)?.[2] !== fileName);
  while (others.at(-1)?.trim() === '') others.pop();
  return [...others, `include_if_exists '${fileName}'`, ''].join('\n');
};

const SETTING = /^\s*([A-Za-z_][A-Za-z0-9_$.]*)\s*(=|\s)/;

/** The text without the lines that set one of `names` (lower case). A value never spans lines. */
export const withoutParameters = (text: string, names: ReadonlySet<string>): string =>
  text
    .split('\n')
    .filter((line) => {
      const name = SETTING.exec(line)?.[1]?.toLowerCase();
      return name === undefined || !names.has(name);
    })
    .join('\n');

/** What tells a standby where to get WAL and how far to go. All of it is ours to set. */
export const recoveryParameters: ReadonlySet<string> = new Set([
  'primary_conninfo',
  'primary_slot_name',
  'recovery_target',
  'recovery_target_action',
  'recovery_target_inclusive',
  'recovery_target_lsn',
  'recovery_target_name',
  'recovery_target_time',
  'recovery_target_timeline',
  'recovery_target_xid',
  'promote_trigger_file',
  'restore_command',
  'archive_cleanup_command',
  'recovery_end_command',
  'recovery_min_apply_delay',
]);
