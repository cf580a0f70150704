/** The driver `board`: a microcontroller that introduces itself; what it is comes from it, or from a file. */
import { transportConfigSchema } from '@fernlab/firmware-bridge/transports/transport'
import { asLabError } from '@fernlab/shared/primitives/lab-error'
import * as z from 'zod'
import { configWrong } from '../config-wrong.ts'
import type { Driver, DriverContext, Instrument } from '../driver.ts'
import { driverOf } from '../driver-of.ts'
import { serialClaims } from '../serial-claims.ts'
import { askBoard } from './board-connection.ts'
import { BoardInstrument } from './board-instrument.ts'
import { type KnownBoard, keepDescription, keptDescription, pinnedDescription } from './description-file.ts'

const configSchema = z.strictObject({
  transport: transportConfigSchema.describe('Where the board is; its firmware names the speed of a serial line.'),
  description: z
    .string()
    .regex(/^\.\/[\w./-]+\.json$/, 'must be ./file.json')
    .describe(
      'What the board must be, as a file beside node.yaml; without, the board is asked as the node starts, and a board that is away then is what it was when it was last there.',
    )
    .exactOptional(),
})
type BoardConfig = z.infer<typeof configSchema>

/** The driver for node.yaml's `driver: board`. */
export function createBoardDriver(): Driver {
  return driverOf({
    kind: 'board',
    schema: configSchema,
    claims: ({ transport }) => serialClaims(transport, ['transport', 'path']),
    create,
  })
}

async function create(config: BoardConfig, context: DriverContext): Promise<Instrument> {
  return new BoardInstrument({ known: await known(config, context), transport: config.transport, context })
}

/** A bench's limits and safe state are checked as the node starts, against this. */
async function known(config: BoardConfig, context: DriverContext): Promise<KnownBoard> {
  if (config.description !== undefined) return await pinnedDescription(config.description, context)
  try {
    const description = await askBoard(config.transport, context)
    await keepDescription(description, context)
    return { description, from: 'the board' }
  } catch (thrown) {
    const { message } = asLabError(thrown)
    const kept = await keptDescription(context)
    if (kept === undefined) throw configWrong(context.name, [{ path: 'transport', message: neverSeen(message) }])
    context.log.warn({ instrument: context.name, reason: message }, 'a board is taken for what it was before')
    return kept
  }
}

const neverSeen = (why: string) =>
  `${why}; this node has never seen the board, so it cannot know what it is: plug it in and start again, or name its description`
