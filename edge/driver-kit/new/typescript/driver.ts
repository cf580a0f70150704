/**
 * new-driver: an oven that takes lines over a serial line or TCP.
 * "POWER 12.5" is answered "OK", "POWER?" is answered "12.5", "TEMP?" is answered "23.41", all else "ERR and why".
 */
import {
  driverOf,
  type Instrument,
  type InstrumentSpec,
  LabError,
  type LineExchange,
  type LineSession,
  type Log,
  lineSession,
  type Reading,
  type SignalSpec,
  type SignalValue,
  transportConfigSchema,
  z,
} from '@fernlab/driver'
import { openEmulated } from './emulated.ts'

/** `settings` in node.yaml; what is wrong there stops the start of the node, with its place. */
const settingsSchema = z.strictObject({
  transport: transportConfigSchema
    .describe('Where the oven is: { kind: serial, path: /dev/serial/by-id/… }')
    .optional(),
  emulated: z
    .strictObject({
      instant: z.boolean().default(false),
      roomCel: z.number().default(20),
      fault: z.enum(['silent', 'sensor']).optional(),
    })
    .describe('An emulated oven instead: {}')
    .optional(),
})

const signals: readonly SignalSpec[] = [
  {
    name: 'power',
    title: 'Heater',
    unit: 'W',
    dtype: 'number',
    shape: [],
    kind: 'configuration',
    access: 'read-set',
    limits: { low: 0, high: 40 },
  },
  {
    name: 'temperature',
    title: 'Temperature',
    unit: 'Cel',
    dtype: 'number',
    shape: [],
    kind: 'reading',
    access: 'read',
    precision: 2,
  },
]

const queries: Readonly<Record<string, string>> = { power: 'POWER?', temperature: 'TEMP?' }
const CLOSE_MS = 1000

export default driverOf({
  kind: 'new-driver',
  schema: settingsSchema,
  findings: ({ transport, emulated }) =>
    (transport === undefined) === (emulated === undefined)
      ? [{ path: ['transport'], message: 'is needed, or emulated: {}; one of both' }]
      : [],
  create: async ({ transport, emulated }, context) => {
    const session = lineSession({
      context,
      open: async (signal) => {
        if (transport !== undefined) return await context.openTransport(transport, signal)
        return await openEmulated({ instant: false, roomCel: 20, ...emulated })
      },
      hello: { message: '*IDN?', parse: (text) => text },
    })
    const spec = { name: context.name, driver: 'own', model: 'new-driver', signals, actions: [stop] }
    return new Oven(spec, session, context.log)
  },
})

const stop = { name: 'stop', title: 'Heater off', arguments: {} }

class Oven implements Instrument {
  readonly spec: InstrumentSpec
  readonly #session: LineSession
  readonly #log: Log
  #closed: Promise<void> | undefined

  constructor(spec: InstrumentSpec, session: LineSession, log: Log) {
    this.spec = spec
    this.#session = session
    this.#log = log
  }

  open(signal: AbortSignal): Promise<void> {
    return this.#session.open(signal)
  }

  onConnection(listener: (up: boolean, reason?: string) => void): void {
    this.#session.onConnection(listener)
  }

  async identify(signal: AbortSignal): Promise<string> {
    return await this.#session.exchange((line) => line.ask({ message: '*IDN?', parse: (text) => text }), signal)
  }

  async read(names: readonly string[], signal: AbortSignal): Promise<Record<string, Reading>> {
    const asked = names.map((name) => [name, queries[name] ?? this.#cannot(`read ${name}`)] as const)
    return await this.#session.exchange(async (line) => {
      const readings: Record<string, Reading> = {}
      for (const [name, message] of asked) {
        const beforeMs = Date.now()
        const value = await line.ask({ message, parse: numberIn })
        // When the value was true is nearest to the middle of question and answer.
        readings[name] = { value, time: (beforeMs + Date.now()) / 2000 }
      }
      return readings
    }, signal)
  }

  async set(name: string, value: SignalValue, signal: AbortSignal): Promise<void> {
    if (name !== 'power' || typeof value !== 'number') this.#cannot(`set ${name}`)
    await this.#session.exchange((line) => heat(line, Number(value)), signal)
  }

  async call(action: string, _arguments: object, signal: AbortSignal): Promise<void> {
    if (action !== 'stop') this.#cannot(`do ${action}`)
    await this.#session.exchange((line) => heat(line, 0), signal)
  }

  close(): Promise<void> {
    this.#closed ??= this.#shutDown()
    return this.#closed
  }

  async #shutDown(): Promise<void> {
    try {
      if (this.#session.connected) await this.#session.exchange((line) => heat(line, 0), AbortSignal.timeout(CLOSE_MS))
    } catch (error) {
      this.#log.error({}, `the heater was not switched off: ${String(error)}`)
    } finally {
      await this.#session.close()
    }
  }

  #cannot(what: string): never {
    throw new LabError({ code: 'signal-unknown', kind: 'caller', message: `${this.spec.name} can not ${what}` })
  }
}

const heat = (line: LineExchange, watts: number): Promise<string> =>
  line.ask({ message: `POWER ${Number(watts.toFixed(9))}`, parse: acknowledged })

/** An answer that can not be read throws: the call is refused with these words. */
function numberIn(text: string): number {
  if (text.trim() !== '' && Number.isFinite(Number(text))) return Number(text)
  throw refused(text)
}

function acknowledged(text: string): string {
  if (text === 'OK') return text
  throw refused(text)
}

const refused = (text: string): LabError =>
  new LabError({ code: 'oven-refused', kind: 'instrument', message: `the oven answers ${text}` })
