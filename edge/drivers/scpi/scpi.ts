/** The driver `scpi`: any instrument that a description file describes, on any transport. */
import { basename } from 'node:path'
import { ScpiSession } from '@fernlab/firmware-bridge/scpi/session'
import { messageTransportConfigSchema } from '@fernlab/firmware-bridge/transports/transport'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { checkArguments } from '@fernlab/shared/protocol/parameters'
import { matchesPattern } from '@fernlab/shared/protocol/patterns'
import * as z from 'zod'
import { configWrong } from '../config-wrong.ts'
import { describedEditorSchema, loadDescription, modelSchema, settingsSchema } from '../described/models.ts'
import { actionSpecs, signalSpecs } from '../described/specs.ts'
import type { Driver, DriverContext, Instrument } from '../driver.ts'
import { driverOf } from '../driver-of.ts'
import { transportClaims } from '../transport-claims.ts'
import { parseDescription, type ScpiDescription } from './description.ts'
import { ScpiInstrument } from './scpi-instrument.ts'

const configSchema = z.strictObject({
  model: modelSchema.describe(
    'A model that comes with Fernlab (fern-psu), or a description beside node.yaml (./my-meter.yaml).',
  ),
  transport: messageTransportConfigSchema.describe('The wire: a serial line, USB, TCP, or an emulated instrument.'),
  settings: settingsSchema,
  timeoutMs: z
    .int()
    .min(10)
    .max(120_000)
    .describe("How long an answer may take, in milliseconds. Default: the description's.")
    .exactOptional(),
})

const TERMINATORS = { lf: '\n', crlf: '\r\n', cr: '\r' } as const
const BACK_OFF_MS = { first: 250, longest: 15_000 }

/** The driver for node.yaml's `driver: scpi`. */
export function createScpiDriver(): Driver {
  return driverOf({
    kind: 'scpi',
    schema: configSchema,
    editorSchema: () => describedEditorSchema('scpi', configSchema, parseDescription),
    claims: ({ transport }) => transportClaims(transport, ['transport']),
    create,
  })
}

async function create(value: z.infer<typeof configSchema>, context: DriverContext): Promise<Instrument> {
  const description = await loadDescription('scpi', value.model, context, parseDescription)
  const { values: settings, issues: wrong } = checkArguments(description.settings, value.settings, 'settings')
  if (wrong.length > 0) throw configWrong(context.name, wrong)
  const { name, clock, log, openTransport } = context
  const { connection, errors } = description
  return new ScpiInstrument({
    spec: {
      name,
      driver: 'scpi',
      model: basename(value.model, '.yaml'),
      signals: signalSpecs(description, settings),
      actions: actionSpecs(description.actions),
    },
    description,
    settings,
    clock,
    log,
    connect: (initialise) =>
      new ScpiSession({
        instrument: name,
        transport: value.transport,
        openTransport,
        clock,
        log,
        terminator: TERMINATORS[connection.terminator],
        timeoutMs: value.timeoutMs ?? connection.timeoutMs,
        synchroniseBy: connection.synchroniseBy,
        quietMs: connection.quietMs,
        errorQuery: errors === 'none' ? undefined : errors.query,
        backOffMs: BACK_OFF_MS,
        checkIdentity: (identity) => checkIdentity(name, description, identity),
        initialise,
      }),
  })
}

function checkIdentity(name: string, description: ScpiDescription, identity: string): void {
  if (matchesPattern(description.identity, identity)) return
  throw new LabError({
    code: 'instrument-unexpected',
    kind: 'configuration',
    message: `${name} is not a ${description.title}: it says ${JSON.stringify(identity.slice(0, 120))}; check the address in node.yaml`,
    studentMessage: 'This bench is wired to another instrument than expected. The staff has been told.',
    details: { instrument: name, identity: identity.slice(0, 120) },
  })
}
