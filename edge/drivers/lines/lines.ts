/** The driver `lines`: an instrument that takes and gives lines of its own kind, as a description file says; see README.md. */
import { basename } from 'node:path'
import { LineSession } from '@fernlab/firmware-bridge/lines/session'
import { transportConfigSchema } from '@fernlab/firmware-bridge/transports/transport'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { checkArguments } from '@fernlab/shared/protocol/parameters'
import { finderOf } from '@fernlab/shared/protocol/patterns'
import * as z from 'zod'
import { configWrong } from '../config-wrong.ts'
import { describedEditorSchema, loadDescription, modelSchema, settingsSchema } from '../described/models.ts'
import { actionSpecs, signalSpecs } from '../described/specs.ts'
import type { Driver, DriverContext, Instrument } from '../driver.ts'
import { driverOf } from '../driver-of.ts'
import { transportClaims } from '../transport-claims.ts'
import { type LineAnswer, type LineCommand, type LineDescription, parseLineDescription } from './description.ts'
import { LinesInstrument } from './lines-instrument.ts'
import { bytesOf, LineMessages } from './messages.ts'
import { Unasked } from './unasked.ts'

const configSchema = z.strictObject({
  model: modelSchema.describe(
    'A model that comes with Fernlab (fern-hotplate), or a description beside node.yaml (./my-balance.yaml).',
  ),
  transport: transportConfigSchema.describe('The wire: a serial line, TCP, or an emulated instrument.'),
  settings: settingsSchema,
  timeoutMs: z
    .int()
    .min(10)
    .max(120_000)
    .describe("How long an answer may take, in milliseconds. Default: the description's.")
    .exactOptional(),
})

type End = LineDescription['connection']['terminator']
const TERMINATORS = { lf: '\n', crlf: '\r\n', cr: '\r', none: '' } as const
const BACK_OFF_MS = { first: 250, longest: 15_000 }

/** The driver for node.yaml's `driver: lines`. */
export function createLinesDriver(): Driver {
  return driverOf({
    kind: 'lines',
    schema: configSchema,
    editorSchema: () => describedEditorSchema('lines', configSchema, parseLineDescription),
    claims: ({ transport }) => transportClaims(transport, ['transport']),
    create,
  })
}

async function create(config: z.infer<typeof configSchema>, context: DriverContext): Promise<Instrument> {
  const description = await loadDescription('lines', config.model, context, parseLineDescription)
  const { values: settings, issues } = checkArguments(description.settings, config.settings, 'settings')
  if (issues.length > 0) throw configWrong(context.name, issues)
  const { name, clock, log, openTransport } = context
  const { terminator, answerTerminator, echo, ignore, quietMs, gapMs, startMs } = description.connection
  const timeoutMs = config.timeoutMs ?? description.connection.timeoutMs
  const messages = new LineMessages(name, description)
  const hello = messages.hello(settings)
  const unasked = unaskedOf(description, messages, hello === undefined, context)
  const isIgnored = ignore === undefined ? undefined : finderOf(ignore)
  return new LinesInstrument({
    spec: {
      name,
      driver: 'lines',
      model: basename(config.model, '.yaml'),
      signals: signalSpecs(description, settings),
      actions: actionSpecs(description.actions),
    },
    description,
    messages,
    timeoutMs,
    ...(unasked === undefined ? {} : { unasked }),
    settings,
    clock,
    log,
    connect: (initialise) =>
      new LineSession({
        instrument: name,
        transport: config.transport,
        openTransport,
        clock,
        log,
        terminator: ending(terminator),
        // Around a line, carriage returns and line feeds go in any case: one of them is enough to find its end.
        end: lineEnd(answerTerminator ?? (terminator === 'none' ? 'lf' : terminator)),
        ...(isIgnored === undefined ? {} : { ignores: (line: string) => isIgnored(line) !== undefined }),
        ...(unasked === undefined ? {} : { unasked }),
        echoes: echo,
        timeoutMs,
        quietMs,
        gapMs,
        startMs,
        backOffMs: BACK_OFF_MS,
        hello,
        unexpected: (text) => unexpected(name, description, text),
        initialise,
      }),
  })
}

/** For one that says something by itself. */
function unaskedOf(
  description: LineDescription,
  messages: LineMessages,
  isSilent: boolean,
  { name, clock, log }: DriverContext,
): Unasked | undefined {
  const signals = Object.values(description.signals)
  if (!signals.some(({ says }) => says !== undefined)) return undefined
  const commands = [description.initialise, description.shutdown, Object.values(description.actions)].flat(2)
  const answers = [...signals.map(({ answer }) => answer), ...commands.flatMap(answersOf)]
  const only =
    isSilent && description.acknowledge === undefined && answers.every((each) => each === undefined || each === 'none')
  return new Unasked({ instrument: name, description, messages, clock, log, only })
}

const answersOf = (given: LineCommand | { readonly commands: readonly LineCommand[] }): (LineAnswer | undefined)[] => {
  const commands = typeof given === 'object' && 'commands' in given ? given.commands : [given]
  return commands.map((command) => (typeof command === 'string' ? undefined : command.answer))
}

const ending = (end: End): string =>
  typeof end === 'string' ? TERMINATORS[end] : Buffer.from(bytesOf(end.hex)).toString('latin1')

const lineEnd = (end: End): string => (end === 'crlf' ? '\n' : ending(end))

function unexpected(instrument: string, { title }: LineDescription, text: string): LabError {
  const said = text.slice(0, 120)
  return new LabError({
    code: 'instrument-unexpected',
    kind: 'configuration',
    message: `${instrument} is not a ${title}: it says ${JSON.stringify(said)}; check the port in node.yaml`,
    studentMessage: 'This bench is wired to another instrument than expected. The staff has been told.',
    details: { instrument, identity: said },
  })
}
