/** What nodes and hubs tell each other of a session; light, since every protocol check looks at it. */
import * as z from 'zod'

/** Where a node is in a session. */
export const sessionStages = ['preparing', 'active', 'finishing'] as const
export const sessionStageSchema = z.enum(sessionStages)
export type SessionStage = z.infer<typeof sessionStageSchema>

/**
 * The stream of everything done in a session: one row for each command, with who gave it; its first row says that the
 * session became active (`begin`), its last that it ended (`end`).
 */
export const COMMANDS_STREAM = 'commands'
/** What `end` says of a session that something else ended than its person, its time or its lab. */
export const WAS_STOPPED = 'it was stopped'
/** The columns of that stream, all text. `value` is JSON. */
export const commandColumns = ['by', 'what', 'target', 'value', 'outcome'] as const
export type CommandRow = Readonly<Record<(typeof commandColumns)[number], string>>
