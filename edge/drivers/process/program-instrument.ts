/** An instrument that a program drives, made by asking the program what it is. */
import { withDeadline } from '@fernlab/shared/primitives/deadline'
import { asLabError } from '@fernlab/shared/primitives/lab-error'
import { configWrong } from '../config-wrong.ts'
import type { DriverContext, Instrument } from '../driver.ts'
import { ProcessInstrument } from './process-instrument.ts'
import { type ProgramListeners, startProgram } from './program.ts'

export interface ProgramInstrumentOptions {
  /** The driver's kind in node.yaml, and the key of its config that names the program. */
  readonly driver: string
  readonly key: string
  readonly command: readonly [string, ...string[]]
  /** What the program is called in messages. Default: its command. */
  readonly called?: string
  readonly settings: Readonly<Record<string, unknown>>
  readonly env: Readonly<Record<string, string>>
  readonly describeMs: number
  readonly context: DriverContext
}

/**
 * Runs the program once to ask what it is: a bench's limits and safe state are checked against that as the node starts.
 * Rejects with `driver-config-wrong` where it can not say, or where it says that its settings are wrong.
 */
export async function programInstrument(options: ProgramInstrumentOptions): Promise<Instrument> {
  const { driver, command, called, settings, env, context } = options
  const { name, clock, log, configFolder: folder } = context
  const start = (listeners: ProgramListeners) =>
    startProgram({ instrument: name, driver, settings, command, called, env, folder, clock, log }, listeners)
  return new ProcessInstrument({ spec: await describe(options, start), settings, start, clock })
}

/** Codes of a program that ended, or answered with an error, when it was asked what it is. */
const notDescribing = new Set(['program-ended', 'program-cannot', 'instrument-refused', 'instrument-away'])

async function describe(
  { context: { name, clock }, key, describeMs }: ProgramInstrumentOptions,
  start: (listeners: ProgramListeners) => ReturnType<typeof startProgram>,
) {
  const program = start({ onEnd: () => {}, onConnection: () => {} })
  const late = () => notDescribed(`it did not describe itself within ${describeMs / 1000} s`)
  const notDescribed = (why: string) => configWrong(name, [{ path: key, message: why }])
  try {
    return await withDeadline(clock, describeMs, undefined, late, (signal) => program.describe(signal))
  } catch (thrown) {
    const { code, message, issues } = asLabError(thrown)
    if (code === 'program-cannot' && issues.length > 0) throw configWrong(name, issues)
    throw notDescribing.has(code) ? notDescribed(message) : thrown
  } finally {
    await program.stop()
  }
}
