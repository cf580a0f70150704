/**
 * The stream of everything done in a session: one row for each command, with who gave it; its first row says that the
 * session became active (`begin`), its last that it ended (`end`).
 */
export const COMMANDS_STREAM = 'commands'
/** The columns of that stream, all text. `value` is JSON. */
export const commandColumns = ['by', 'what', 'target', 'value', 'outcome'] as const
export type CommandRow = Readonly<Record<(typeof commandColumns)[number], string>>
