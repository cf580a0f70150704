/** Runs the contract on a lab builder's driver. */
import { resolve } from 'node:path'
import { createOpenTransport } from '@fernlab/firmware-bridge/transports/open-transport'
import type { InstrumentSpec } from '@fernlab/shared/capabilities/signals'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { withDeadline } from '@fernlab/shared/primitives/deadline'
import { asLabError, LabError } from '@fernlab/shared/primitives/lab-error'
import { type Log, type LogLine, recordingLog } from '@fernlab/shared/primitives/log'
import { didYouMean } from '@fernlab/shared/primitives/nearest'
import type { Driver } from '../drivers/driver.ts'
import { builtInDrivers } from '../drivers/drivers.ts'
import { broken } from './claims.ts'
import { type ContractCase, contractCases, type DriverUnderTest } from './contract.ts'
import { readTestFile, TEST_FILE, type TestEntry } from './test-file.ts'

export interface TestDriver {
  readonly folder: string
  /** Which entry of the folder's driver-test.yaml; `emulated` unless given. */
  readonly on?: string
  /** Instead of those that come with Fernlab. */
  readonly drivers?: readonly Driver[]
  readonly clock: Clock
  readonly signal: AbortSignal
  /** Told what the driver is, before it is tried. */
  readonly onSpec?: (spec: InstrumentSpec, on: string) => void
  /** Told each outcome as it comes. */
  readonly onOutcome?: (outcome: CaseOutcome) => void
}

export type CaseOutcome = {
  readonly case: string
} & (
  | { readonly outcome: 'passed' }
  | { readonly outcome: 'not-for-this-one'; readonly why: string }
  | { readonly outcome: 'failed'; readonly why: string; readonly said: readonly string[] }
)

export interface TestedDriver {
  readonly folder: string
  readonly on: string
  /** Other entries, which were not tried. */
  readonly others: readonly string[]
  readonly spec: InstrumentSpec
  readonly outcomes: readonly CaseOutcome[]
}

/** A case that takes longer has failed. */
const CASE_MS = 15_000
const SAID_LINES = 10

/** Rejects where there is nothing to try: no such folder, a wrong file, a driver that can not say what it is, or be opened. */
export async function testDriver(asked: TestDriver): Promise<TestedDriver> {
  const { folder, drivers = builtInDrivers(), signal } = asked
  const entries = await readTestFile(folder, drivers)
  const on = asked.on ?? ('emulated' in entries ? 'emulated' : (Object.keys(entries)[0] ?? ''))
  const entry = Object.hasOwn(entries, on) ? entries[on] : undefined
  if (entry === undefined) throw noEntry(folder, on, Object.keys(entries))
  let log = recordingLog()
  const make = async () => under(asked, drivers, entry, log)
  const spec = await specOf(await make(), asked)
  asked.onSpec?.(spec, on)
  const outcomes: CaseOutcome[] = []
  for (const each of contractCases(make)) {
    signal.throwIfAborted()
    log = recordingLog()
    const outcome = await outcomeOf(each, asked, log.lines)
    outcomes.push(outcome)
    asked.onOutcome?.(outcome)
  }
  return { folder, on, others: Object.keys(entries).filter((name) => name !== on), spec, outcomes }
}

async function outcomeOf(
  { name, run }: ContractCase,
  { clock, signal }: TestDriver,
  lines: readonly LogLine[],
): Promise<CaseOutcome> {
  const late = () => broken(`it was not done within ${CASE_MS / 1000} s`)
  try {
    const why = await withDeadline(clock, CASE_MS, signal, late, run)
    return why === undefined ? { case: name, outcome: 'passed' } : { case: name, outcome: 'not-for-this-one', why }
  } catch (thrown) {
    signal.throwIfAborted()
    return {
      case: name,
      outcome: 'failed',
      why: asLabError(thrown).message,
      said: saidIn(lines),
    }
  }
}

/** The last lines as a person reads them: what a program wrote, else what the driver noted. */
function saidIn(lines: readonly LogLine[]): string[] {
  const grave = lines.filter(({ level }) => level !== 'debug').slice(-SAID_LINES)
  return grave.map(({ fields, message }) => ('said' in fields ? String(fields.said) : message))
}

/** Rejects where it can not be opened at all: then there is nothing to try. */
async function specOf(
  { driver, config, context }: DriverUnderTest,
  { clock, signal }: TestDriver,
): Promise<InstrumentSpec> {
  const instrument = await driver.create(config, context)
  const late = () => broken(`it was not open within ${CASE_MS / 1000} s`)
  try {
    await withDeadline(clock, CASE_MS, signal, late, (within) => instrument.open(within))
  } finally {
    await instrument.close()
  }
  return instrument.spec
}

function under({ folder, clock }: TestDriver, drivers: readonly Driver[], entry: TestEntry, log: Log): DriverUnderTest {
  const driver = drivers.find(({ kind }) => kind === entry.driver)
  if (driver === undefined) throw broken(`unknown driver ${entry.driver}`)
  const [settable] = Object.entries(entry.settable ?? {})
  const openTransport = createOpenTransport({ clock, log })
  return {
    driver,
    config: entry.config,
    context: { name: 'tested', clock, log, openTransport, configFolder: resolve(folder) },
    readable: entry.readable,
    ...(settable === undefined ? {} : { settable: { name: settable[0], values: settable[1] } }),
    ...(entry.action === undefined ? {} : { action: entry.action }),
    release: async () => {},
  }
}

function noEntry(folder: string, on: string, known: readonly string[]): LabError {
  return new LabError({
    code: 'driver-test-unknown',
    kind: 'caller',
    message: `${folder}/${TEST_FILE} has no entry ${on}${didYouMean(on, known)}; it has ${known.join(', ')}`,
  })
}
