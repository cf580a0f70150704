/** The driver `board`: a microcontroller that introduces itself; what it is comes from it, or from a file. */
import { createDescribedBoard } from '@fernlab/firmware-bridge/emulated/described/described-board'
import { openEmulated } from '@fernlab/firmware-bridge/transports/emulated'
import { type TransportConfig, transportConfigSchema } from '@fernlab/firmware-bridge/transports/transport'
import type { Finding } from '@fernlab/shared/contracts/yaml-file'
import { asLabError, LabError } from '@fernlab/shared/primitives/lab-error'
import * as z from 'zod'
import type { Driver, DriverContext, Instrument } from '../driver.ts'
import { driverOf } from '../driver-of.ts'
import { transportClaims } from '../transport-claims.ts'
import { askBoard } from './board-connection.ts'
import { BoardInstrument } from './board-instrument.ts'
import { type KnownBoard, keepDescription, keptDescription, pinnedDescription } from './description-file.ts'

const configSchema = z.strictObject({
  transport: transportConfigSchema
    .describe('Where the board is; its firmware names the speed of a serial line.')
    .exactOptional(),
  emulated: z
    .string()
    .regex(/^[a-z0-9-]+$/, 'must be small letters, digits and -')
    .describe(
      'In place of `transport`: an emulated board of that name, made of `description` alone. The name decides its values.',
    )
    .exactOptional(),
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
    findings,
    claims: ({ transport }) => (transport === undefined ? [] : transportClaims(transport, ['transport'])),
    failsAlone: ({ code }) => code === neverSeenCode,
    create,
  })
}

function findings({ transport, emulated, description }: BoardConfig): Finding[] {
  if (transport === undefined && emulated === undefined)
    return [{ path: ['transport'], message: 'is missing: where the board is, or `emulated` in its place' }]
  if (transport !== undefined && emulated !== undefined)
    return [{ path: ['emulated'], message: 'is in place of `transport`, not beside it' }]
  if (emulated !== undefined && description === undefined)
    return [{ path: ['description'], message: 'is missing: an emulated board is what its description says' }]
  return []
}

async function create(config: BoardConfig, context: DriverContext): Promise<Instrument> {
  const { transport, emulated } = config
  if (transport !== undefined)
    return new BoardInstrument({ known: await known({ ...config, transport }, context), transport, context })
  const board = await pinnedDescription(config.description ?? '', context)
  const name = emulated ?? context.name
  const { clock } = context
  const device = createDescribedBoard({ name, description: board.description, clock })
  return new BoardInstrument({
    known: board,
    transport: { kind: 'emulated', world: name, device: 'board' },
    context: { ...context, openTransport: async () => openEmulated(device, clock) },
  })
}

/** A bench's limits and safe state are checked as the node starts, against this. */
async function known(
  config: BoardConfig & { readonly transport: TransportConfig },
  context: DriverContext,
): Promise<KnownBoard> {
  if (config.description !== undefined) return await pinnedDescription(config.description, context)
  try {
    const description = await askBoard(config.transport, context)
    await keepDescription(description, context)
    return { description, from: 'the board' }
  } catch (thrown) {
    const { message } = asLabError(thrown)
    const kept = await keptDescription(context)
    if (kept === undefined) throw neverSeen(context.name, message)
    context.log.warn({ instrument: context.name, reason: message }, 'a board is taken for what it was before')
    return kept
  }
}

const neverSeenCode = 'board-never-seen'

function neverSeen(instrument: string, why: string): LabError {
  const message = `${why}; this node has never seen the board, so it cannot know what it is: plug it in, or name its description`
  return new LabError({
    code: neverSeenCode,
    kind: 'configuration',
    message: `${instrument}: ${message}`,
    issues: [{ path: 'config.transport', message }],
  })
}
