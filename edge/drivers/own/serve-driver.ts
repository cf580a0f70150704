/** A driver behind the messages of edge/drivers/process/README.md. */
import type { ActionSpec, InstrumentSpec, SignalSpec } from '@fernlab/shared/capabilities/signals'
import { asLabError, type Issue, LabError } from '@fernlab/shared/primitives/lab-error'
import { rpcNotification } from '@fernlab/shared/rpc/envelope'
import * as z from 'zod'
import type { Driver, DriverContext, Instrument } from '../driver.ts'
import { createLines } from '../process/lines.ts'

export interface ServeDriverOptions {
  readonly driver: Driver
  readonly context: DriverContext
  readonly send: (line: string) => void
}

export interface ServedDriver {
  /** What came of the node's messages, cut anywhere. */
  take(piece: Uint8Array): void
  /** Closes the instrument, if there is one. */
  close(): Promise<void>
}

const LINE_BYTES = 1_048_576
const METHOD_UNKNOWN = -32601
const PARAMETERS_WRONG = -32602
const REFUSED = -32000

const requestSchema = z.object({ id: z.int(), method: z.string(), params: z.unknown().optional() })
const cancelSchema = z.object({ method: z.literal('cancel'), params: z.object({ id: z.int() }) })
const value = z.union([z.number(), z.string(), z.boolean()])
const settingsSchema = z.object({ settings: z.record(z.string(), z.unknown()) })
const readSchema = z.object({ signals: z.array(z.string()) })
const setSchema = z.object({ signal: z.string(), value })
const callSchema = z.object({ action: z.string(), arguments: z.record(z.string(), value).default({}) })

/** Serves one instrument; it is made when the node first asks what it is. */
export function serveDriver({ driver, context, send }: ServeDriverOptions): ServedDriver {
  const underWay = new Map<number, AbortController>()
  const lines = createLines(LINE_BYTES)
  let made: Promise<Instrument> | undefined
  const instrumentFor = (settings: Record<string, unknown>) => {
    const issues = driver.check(settings)
    if (issues.length > 0) throw settingsWrong(issues)
    made ??= make(driver, settings, context, send)
    return made
  }
  const open = async () => {
    if (made === undefined)
      throw new LabError({ code: 'not-open', kind: 'link', message: `${context.name} is not open` })
    return await made
  }
  const methods: Readonly<Record<string, (params: unknown, signal: AbortSignal) => Promise<unknown>>> = {
    describe: async (params) =>
      describe((await instrumentFor(settingsSchema.parse(params).settings)).spec, driver.kind),
    open: async (params, signal) => {
      const instrument = await instrumentFor(settingsSchema.parse(params).settings)
      await instrument.open(signal)
      return (await instrument.identify?.(signal)) ?? null
    },
    identify: async (_, signal) => {
      const instrument = await open()
      if (instrument.identify === undefined) throw unknown('identify')
      return await instrument.identify(signal)
    },
    read: async (params, signal) => (await open()).read(readSchema.parse(params).signals, signal),
    set: async (params, signal) => {
      const { signal: name, value } = setSchema.parse(params)
      await (await open()).set(name, value, signal)
    },
    call: async (params, signal) => {
      const { action, arguments: given } = callSchema.parse(params)
      await (await open()).call(action, given, signal)
    },
    close: async () => (await made)?.close(),
  }
  const perform = async (id: number, method: string, params: unknown) => {
    const controller = new AbortController()
    underWay.set(id, controller)
    try {
      const work = Object.hasOwn(methods, method) ? methods[method] : undefined
      if (work === undefined) throw unknown(method)
      const result = (await work(params, controller.signal)) ?? null
      send(JSON.stringify({ jsonrpc: '2.0', id, result }))
    } catch (thrown) {
      send(JSON.stringify({ jsonrpc: '2.0', id, error: errorOf(thrown) }))
    } finally {
      underWay.delete(id)
    }
  }
  return {
    take: (piece) => {
      for (const line of lines.take(piece) ?? []) {
        const message: unknown = JSON.parse(line)
        const cancel = cancelSchema.safeParse(message)
        if (cancel.success) underWay.get(cancel.data.params.id)?.abort(givenUp())
        const request = requestSchema.safeParse(message)
        if (request.success) void perform(request.data.id, request.data.method, request.data.params)
      }
    },
    close: async () => {
      for (const controller of underWay.values()) controller.abort(givenUp())
      await (await made?.catch(() => undefined))?.close()
    },
  }
}

async function make(
  driver: Driver,
  settings: Record<string, unknown>,
  context: DriverContext,
  send: (line: string) => void,
): Promise<Instrument> {
  const instrument = await driver.create(settings, context)
  instrument.onConnection?.((up, reason) => send(rpcNotification('connection', { up, ...(reason ? { reason } : {}) })))
  return instrument
}

/** As a program says what it is. */
function describe({ model, signals, actions }: InstrumentSpec, kind: string): object {
  return {
    fernlab: 1,
    model: model ?? kind,
    signals: Object.fromEntries(signals.map(({ name, shape: _, ...rest }: SignalSpec) => [name, rest])),
    actions: Object.fromEntries(actions.map(({ name, ...rest }: ActionSpec) => [name, rest])),
  }
}

function errorOf(thrown: unknown): { code: number; message: string; data?: object } {
  if (!(thrown instanceof LabError)) {
    const words = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)
    process.stderr.write(`${words}\n`)
  }
  const { code, kind, message, issues } = asLabError(thrown)
  if (code === UNKNOWN) return { code: METHOD_UNKNOWN, message }
  const isCallers = kind === 'caller' || issues.length > 0
  return { code: isCallers ? PARAMETERS_WRONG : REFUSED, message, data: { kind, issues } }
}

const UNKNOWN = 'method-unknown'

const unknown = (method: string): LabError =>
  new LabError({ code: UNKNOWN, kind: 'caller', message: `there is no ${method}` })

function settingsWrong(issues: readonly Issue[]): LabError {
  return new LabError({
    code: 'settings-wrong',
    kind: 'configuration',
    message: 'the settings are wrong',
    issues: issues.map(({ path, message }) => ({ path: path === '' ? 'settings' : `settings.${path}`, message })),
  })
}

const givenUp = (): LabError =>
  new LabError({ code: 'given-up', kind: 'caller', message: 'nobody waits for it any more' })
