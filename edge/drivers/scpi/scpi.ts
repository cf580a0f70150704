/** The driver `scpi`: any instrument that a description file describes, on any transport. */
import { access, readdir, readFile } from 'node:fs/promises'
import { basename, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ScpiSession } from '@fernlab/firmware-bridge/scpi/session'
import { transportConfigSchema } from '@fernlab/firmware-bridge/transports/transport'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { checkArguments, matchesPattern, parameterSchema } from '@fernlab/shared/protocol/parameters'
import * as z from 'zod'
import { configWrong } from '../config-wrong.ts'
import type { Driver, DriverContext, Instrument } from '../driver.ts'
import { driverOf } from '../driver-of.ts'
import { serialClaims } from '../serial-claims.ts'
import { actionSpecs, parseDescription, type ScpiDescription, signalSpecs } from './description.ts'
import { ScpiInstrument } from './scpi-instrument.ts'

const configSchema = z.strictObject({
  model: z
    .string()
    .regex(/^([a-z0-9][a-z0-9-]*|\.\/[\w./-]+\.yaml)$/, 'must be a model name, or ./file.yaml')
    .describe('A model that comes with Fernlab (fern-psu), or a description beside node.yaml (./my-meter.yaml).'),
  transport: transportConfigSchema.describe('The wire: a serial line, TCP, or an emulated instrument.'),
  settings: z
    .record(z.string(), z.union([z.number(), z.string(), z.boolean()]))
    .default({})
    .describe("What the model's description lets one choose."),
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
    editorSchema,
    claims: ({ transport }) => serialClaims(transport, ['transport', 'path']),
    create,
  })
}

async function editorSchema(): Promise<z.ZodType> {
  const { model, settings } = configSchema.shape
  const files = (await readdir(await modelsFolder())).sort()
  const known = await Promise.all(
    files.map(async (file) => {
      const name = basename(file, '.yaml')
      const description = await loadDescription(name, { name: 'scpi', configFolder: '' })
      return configSchema.extend({
        model: z.literal(name).describe(description.title),
        settings: settingsSchema(description).describe(settings.description ?? ''),
      })
    }),
  )
  const own = z
    .string()
    .regex(/^\.\/[\w./-]+\.yaml$/)
    .describe(model.description ?? '')
  return z.union([...known, configSchema.extend({ model: own })])
}

/** The settings of one model, as JSON Schema says what a parameter may be. */
function settingsSchema({ settings }: ScpiDescription): z.ZodType {
  const { $schema: _, required, ...schema } = parameterSchema({ parameters: settings })
  const mapping = z.unknown().meta({ ...schema, required })
  return (required as string[]).length > 0 ? mapping : mapping.exactOptional()
}

async function create(value: z.infer<typeof configSchema>, context: DriverContext): Promise<Instrument> {
  const description = await loadDescription(value.model, context)
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
      actions: actionSpecs(description),
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

/** Reads the description of a model; throws `description-missing` or `description-wrong` with issues. */
export async function loadDescription(
  model: string,
  context: Pick<DriverContext, 'name' | 'configFolder'>,
): Promise<ScpiDescription> {
  const file = model.startsWith('./')
    ? resolve(context.configFolder, model)
    : resolve(await modelsFolder(), `${model}.yaml`)
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new LabError({
      code: 'description-missing',
      kind: 'configuration',
      message: `${context.name}: there is no description of the model ${model}${model.startsWith('./') ? ` (${file})` : ''}`,
      issues: [{ path: 'model', message: `no description of ${model}` }],
      cause,
    })
  })
  const shown = model.startsWith('./') ? model : `${model}.yaml`
  const { description, issues } = parseDescription(text, { file: shown })
  if (description === undefined) {
    throw new LabError({
      code: 'description-wrong',
      kind: 'configuration',
      message: `${context.name}: the description ${shown} is wrong in ${issues.length} ${issues.length === 1 ? 'place' : 'places'}`,
      issues,
    })
  }
  return description
}

/** Where the descriptions are: beside this file in the sources, three folders up from it once compiled. */
export async function modelsFolder(): Promise<string> {
  const beside = fileURLToPath(new URL('./models/', import.meta.url))
  const isThere = await access(beside).then(
    () => true,
    () => false,
  )
  return isThere ? beside : fileURLToPath(new URL('../../../drivers/scpi/models/', import.meta.url))
}
