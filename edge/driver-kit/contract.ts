/**
 * What every driver must do, as cases to run on each: see edge/drivers/driver.ts. `fernlab driver test` runs them on a lab
 * builder's own driver, the tests of Fernlab on those that come with it.
 *
 * INVARIANTS: each case makes an instrument of its own and leaves nothing open, however it ends.
 */
import { setMaxListeners } from 'node:events'
import { instrumentSpecSchema } from '@fernlab/shared/capabilities/signals'
import type { Driver, DriverContext, Instrument, SignalValue } from '../drivers/driver.ts'
import { broken, must, refusal } from './claims.ts'

/** One configured instrument for the contract, made anew for each case. */
export interface DriverUnderTest {
  readonly driver: Driver
  readonly config: unknown
  readonly context: DriverContext
  /** Frees what was started for it; the instrument is closed already. */
  release(): Promise<void>
  /** A signal that can be set and read, with two values that it can take; none for hardware that only reads. */
  readonly settable?: { readonly name: string; readonly values: readonly [SignalValue, SignalValue] }
  /** Signals that are read together. */
  readonly readable: readonly string[]
  /** An action that needs no arguments. */
  readonly action?: string
  /** How old a value may be, in seconds, of hardware that says it by itself; without, it is read when it is asked for. */
  readonly oldestS?: number
  /** Cuts the connection; it can be opened again at once. */
  cut?(): void
}

export interface ContractCase {
  readonly name: string
  /**
   * Rejects where the driver breaks the contract, or with the signal's reason; resolves with why, where the driver has
   * nothing to do with the case.
   */
  run(signal: AbortSignal): Promise<string | undefined>
}

type Work = (instrument: Instrument, under: DriverUnderTest, signal: AbortSignal) => Promise<string | undefined>

const SAMPLES = 200
const ROUNDS = 10
const CLOSE_MS = 2000

/** The contract; `make` prepares an instrument. */
export function contractCases(make: () => Promise<DriverUnderTest>): readonly ContractCase[] {
  const open = (name: string, work: Work): ContractCase => ({
    name,
    run: (signal) => opened(make, work, signal),
  })
  const made = (name: string, work: (under: DriverUnderTest, signal: AbortSignal) => Promise<void>): ContractCase => ({
    name,
    run: async (signal) => {
      const under = await make()
      try {
        await work(under, signal)
      } finally {
        await under.release()
      }
      return undefined
    },
  })
  return [
    made('finds nothing wrong with a good config, and names the place in a bad one', checksConfig),
    open('announces a valid spec that holds the signals it is asked for', announces),
    open('reads what it was set to', readsWhatWasSet),
    open('reads several signals in one call, each finite and with its time', readsTogether),
    open('keeps answers apart when asked from several sides at once', keepsApart),
    open('refuses signals and actions that it lacks as the caller’s fault', refusesUnknown),
    open('does nothing for a signal that has aborted, and goes on afterwards', heedsAborted),
    open('does its actions', doesActions),
    open('streams samples in order and without a gap, and stops with its signal', streams),
    made('closes twice, promptly, and refuses what comes after or leaves it without effect', closesTwice),
    made('closes without ever having been opened', closesUnopened),
    open('reports a lost connection, refuses meanwhile, reconnects by itself and reports that', comesBack),
  ]
}

async function opened(
  make: () => Promise<DriverUnderTest>,
  work: Work,
  signal: AbortSignal,
): Promise<string | undefined> {
  const under = await make()
  try {
    const instrument = await under.driver.create(under.config, under.context)
    try {
      await instrument.open(signal)
      return await work(instrument, under, signal)
    } finally {
      await instrument.close()
    }
  } finally {
    await under.release()
  }
}

async function checksConfig({ driver, config, context }: DriverUnderTest): Promise<void> {
  const issues = driver.check(config)
  must(issues.length === 0, `the config is wrong: ${issues[0]?.path}: ${issues[0]?.message}`)
  const [issue] = driver.check({ ...(config as object), colour: 'green' })
  must(issue?.path === 'colour', `of a key "colour" that there is not, the path told is ${issue?.path}`)
  const error = await refusal('create with a wrong config', driver.create({ nonsense: true }, context))
  must(error.kind === 'configuration', `a wrong config is refused as of kind ${error.kind}, not configuration`)
  must(error.issues.length > 0, 'a wrong config is refused without its issues')
}

const announces: Work = async ({ spec }, { context, driver, settable, readable }) => {
  const read = instrumentSpecSchema.safeParse(spec)
  must(read.success, `the spec is wrong: ${read.error?.issues[0]?.path.join('.')}: ${read.error?.issues[0]?.message}`)
  must(spec.name === context.name, `the spec is of ${spec.name}, not of ${context.name}`)
  must(spec.driver === driver.kind, `the spec is of the driver ${spec.driver}, not of ${driver.kind}`)
  const names = spec.signals.map((signal) => signal.name)
  for (const wanted of [settable?.name ?? [], ...readable].flat())
    must(names.includes(wanted), `there is no signal ${wanted}; there are ${names.join(', ') || 'none'}`)
  must(new Set(names).size === names.length, 'two signals have the same name')
  const canBeSet = spec.signals.filter(({ access }) => access === 'read-set').map(({ name }) => name)
  must(
    settable !== undefined || canBeSet.length === 0,
    `${canBeSet.join(', ')} can be set and read, but no signal to set is named here`,
  )
  must(settable === undefined || canBeSet.length > 0, `no signal can be set and read, but ${settable?.name} is named`)
  return undefined
}

const readsWhatWasSet: Work = async (instrument, { settable, readable }, signal) => {
  if (settable === undefined) {
    const [name = ''] = readable
    const error = await refusal(`set of ${name}, which can only be read,`, instrument.set(name, 1, signal))
    must(error.kind === 'caller', `a set of ${name} is refused as of kind ${error.kind}, not caller`)
    return undefined
  }
  const { name, values } = settable
  for (const value of values) {
    await instrument.set(name, value, signal)
    const got = (await instrument.read([name], signal))[name]?.value
    const isSame =
      typeof value === 'number' ? Math.abs(Number(got) - value) <= 1e-6 * Math.abs(value) + 1e-9 : got === value
    must(isSame, `${name} was set to ${value}, and reads ${got}`)
  }
  return undefined
}

const readsTogether: Work = async (instrument, { readable, context, oldestS = 0 }, signal) => {
  const beforeS = context.clock.now() / 1000 - oldestS
  const readings = await instrument.read(readable, signal)
  const afterS = context.clock.now() / 1000
  mustName(readings, readable)
  for (const [name, { value, time }] of Object.entries(readings)) {
    must(typeof value !== 'number' || Number.isFinite(value), `${name} reads ${value}`)
    const isDuring = time >= beforeS - 0.01 && time <= afterS + 0.01
    must(isDuring, `${name} has the time ${time}, but was read from ${beforeS} to ${afterS}`)
  }
  return undefined
}

const keepsApart: Work = async (instrument, { settable, readable }, signal) => {
  const name = settable?.name ?? readable[0] ?? ''
  const value = settable?.values[0]
  if (value !== undefined) await instrument.set(name, value, signal)
  // Each call listens to it while it is under way.
  setMaxListeners(4 * ROUNDS, signal)
  const rounds = Array.from({ length: ROUNDS }, async () => {
    const [own, all] = await Promise.all([instrument.read([name], signal), instrument.read(readable, signal)])
    mustName(own, [name])
    mustName(all, readable)
    return own[name]?.value
  })
  for (const got of await Promise.all(rounds)) {
    if (value === undefined) must(got !== undefined, `${name} has no value`)
    else must(got === value, `${name} was set to ${value}, and reads ${got} among other calls`)
  }
  return undefined
}

const refusesUnknown: Work = async (instrument, _, signal) => {
  const calls = {
    'read of a signal no_such': () => instrument.read(['no_such'], signal),
    'set of a signal no_such': () => instrument.set('no_such', 1, signal),
    'call of an action no_such': () => instrument.call('no_such', {}, signal),
  }
  for (const [what, call] of Object.entries(calls)) {
    const { kind, message } = await refusal(what, call())
    must(kind === 'caller', `a ${what} is refused as of kind ${kind}, not caller: ${message}`)
  }
  return undefined
}

const heedsAborted: Work = async (instrument, { settable, readable }, signal) => {
  const { aborted, isOwn } = abortedSignal()
  const read = await refusal('read with a signal that has aborted', instrument.read(readable, aborted))
  must(
    isOwn(read),
    `a read with a signal that has aborted rejects with something else than its reason: ${read.message}`,
  )
  mustName(await instrument.read(readable, signal), readable)
  if (settable === undefined) return undefined
  const { name, values } = settable
  await instrument.set(name, values[0], signal)
  const set = await refusal('set with a signal that has aborted', instrument.set(name, values[1], aborted))
  must(isOwn(set), `a set with a signal that has aborted rejects with something else than its reason: ${set.message}`)
  const got = (await instrument.read([name], signal))[name]?.value
  must(got === values[0], `a set with a signal that has aborted was done: ${name} reads ${got}`)
  return undefined
}

function abortedSignal() {
  const reason = broken('nobody waits for this')
  return { aborted: AbortSignal.abort(reason), isOwn: (error: Error) => error === reason }
}

const doesActions: Work = async (instrument, { action }, signal) => {
  const bare = instrument.spec.actions.filter((each) => Object.keys(each.arguments).length === 0)
  if (action === undefined) {
    must(bare.length === 0, `${bare[0]?.name} needs no arguments, but no action to call is named here`)
    return 'it has no action without arguments'
  }
  await instrument.call(action, {}, signal)
  must(bare.length > 0, `${action} is named here, but no action can be called without arguments`)
  return undefined
}

const streams: Work = async (instrument, { readable }, signal) => {
  if (instrument.stream === undefined) {
    must(instrument.spec.signals.length > 0, 'it has no signals')
    return 'it does not sample by itself'
  }
  const controller = new AbortController()
  const times: number[] = []
  for await (const block of instrument.stream(readable, 1000, AbortSignal.any([signal, controller.signal]))) {
    for (const [name, { length }] of Object.entries(block.columns))
      must(length === block.time.length, `${name} has ${length} samples in a block of ${block.time.length}`)
    mustName(block.columns, readable)
    times.push(...block.time)
    if (times.length >= SAMPLES) controller.abort()
  }
  must(times.length >= SAMPLES, `the stream ended after ${times.length} samples`)
  for (let i = 1; i < times.length; i++) {
    const step = (times[i] ?? 0) - (times[i - 1] ?? 0)
    must(Math.abs(step - 0.001) < 1e-6, `sample ${i} comes ${step} s after the one before, not 0.001 s`)
  }
  return undefined
}

async function closesTwice({ driver, config, context }: DriverUnderTest, signal: AbortSignal): Promise<void> {
  const instrument = await driver.create(config, context)
  try {
    await instrument.open(signal)
  } catch (thrown) {
    await instrument.close()
    throw thrown
  }
  const startedMs = performance.now()
  await Promise.all([instrument.close(), instrument.close()])
  await instrument.close()
  const tookMs = performance.now() - startedMs
  must(tookMs < CLOSE_MS, `it took ${Math.round(tookMs)} ms to close; ${CLOSE_MS} ms are the most`)
}

async function closesUnopened({ driver, config, context }: DriverUnderTest): Promise<void> {
  const instrument = await driver.create(config, context)
  await instrument.close()
  must(instrument.spec.name === context.name, `the spec is of ${instrument.spec.name}, not of ${context.name}`)
}

const comesBack: Work = async (instrument, under, signal) => {
  if (under.cut === undefined || instrument.onConnection === undefined) {
    must(under.cut === undefined, 'its connection can be cut, but it tells nobody')
    return 'its connection is not cut here'
  }
  const seen: boolean[] = []
  const { promise: back, resolve } = deferred()
  const { promise: lost, resolve: lose } = deferred()
  instrument.onConnection((up) => {
    seen.push(up)
    if (up) resolve()
    else lose()
  })
  under.cut()
  await lost
  const { kind } = await refusal('read without a connection', instrument.read(under.readable, signal))
  must(kind === 'link', `without a connection a read is refused as of kind ${kind}, not link`)
  await back
  must(seen.join() === 'false,true', `of one loss it was told: ${seen.map((up) => (up ? 'up' : 'down')).join(', ')}`)
  mustName(await instrument.read(under.readable, signal), under.readable)
  if (under.settable === undefined) return undefined
  const { name, values } = under.settable
  await instrument.set(name, values[0], signal)
  const got = (await instrument.read([name], signal))[name]?.value
  must(got === values[0], `back again, ${name} was set to ${values[0]}, and reads ${got}`)
  return undefined
}

function mustName(given: object, wanted: readonly string[]): void {
  const names = Object.keys(given).sort().join(', ')
  must(names === [...wanted].sort().join(', '), `asked for ${[...wanted].sort().join(', ')}, it answers ${names}`)
}

function deferred(): { promise: Promise<void>; resolve: () => void } {
  let resolve: () => void = () => {}
  const promise = new Promise<void>((done) => {
    resolve = done
  })
  return { promise, resolve }
}
