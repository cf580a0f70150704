/** What every driver must do, as a suite to run on each: see edge/drivers/driver.ts. */
import type { Driver, DriverContext, Instrument, SignalValue } from '@fernlab/edge/drivers/driver'
import { instrumentSpecSchema } from '@fernlab/shared/capabilities/signals'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import * as assert from 'uvu/assert'
import { suite } from '../support/suite.ts'

/** One configured instrument for the suite, made anew for each test. */
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
  /** Cuts the connection; it can be opened again at once. */
  cut?(): void
}

/** Runs the contract; `make` prepares an instrument, `after` frees what all of them shared. */
export function driverContract(
  name: string,
  make: () => Promise<DriverUnderTest>,
  after: () => Promise<void> = async () => {},
): void {
  const test = suite(`driver contract: ${name}`, { timeoutMs: 15_000 })
  const open = async <T>(work: (instrument: Instrument, under: DriverUnderTest, signal: AbortSignal) => Promise<T>) => {
    const under = await make()
    const instrument = await under.driver.create(under.config, under.context)
    const { signal } = new AbortController()
    try {
      await instrument.open(signal)
      await work(instrument, under, signal)
    } finally {
      await instrument.close()
      await under.release()
    }
  }

  test('finds nothing wrong with a good config, and names the place in a bad one', async () => {
    const under = await make()
    try {
      assert.equal(under.driver.check(under.config), [])
      const [issue] = under.driver.check({ ...(under.config as object), colour: 'green' })
      assert.equal(issue?.path, 'colour')
      const error = await rejection(under.driver.create({ nonsense: true }, under.context))
      assert.is(error.kind, 'configuration')
      assert.ok(error.issues.length > 0)
    } finally {
      await under.release()
    }
  })

  test('announces a valid spec that holds the signals it is asked for', () =>
    open(async (instrument, under) => {
      assert.ok(instrumentSpecSchema.safeParse(instrument.spec).success)
      assert.is(instrument.spec.name, under.context.name)
      assert.is(instrument.spec.driver, under.driver.kind)
      const names = instrument.spec.signals.map((signal) => signal.name)
      for (const wanted of [under.settable?.name ?? [], ...under.readable].flat()) {
        assert.ok(names.includes(wanted), wanted)
      }
      const canBeSet = instrument.spec.signals.some(({ access }) => access === 'read-set')
      assert.is(under.settable !== undefined, canBeSet, 'what can be set and read is set and read here')
      assert.is(new Set(names).size, names.length)
    }))

  test('reads what it was set to', () =>
    open(async (instrument, { settable, readable }, signal) => {
      if (settable === undefined) {
        const [name = ''] = readable
        assert.is((await rejection(instrument.set(name, 1, signal))).kind, 'caller')
        return
      }
      for (const value of settable.values) {
        await instrument.set(settable.name, value, signal)
        const reading = (await instrument.read([settable.name], signal))[settable.name]
        if (typeof value === 'number')
          assert.ok(Math.abs(Number(reading?.value) - value) <= 1e-6 * Math.abs(value) + 1e-9)
        else assert.is(reading?.value, value)
      }
    }))

  test('reads several signals in one call, each finite and with its time', () =>
    open(async (instrument, { readable, context }, signal) => {
      const beforeS = context.clock.now() / 1000
      const readings = await instrument.read(readable, signal)
      const afterS = context.clock.now() / 1000
      assert.equal(Object.keys(readings).sort(), [...readable].sort())
      for (const reading of Object.values(readings)) {
        if (typeof reading.value === 'number') assert.ok(Number.isFinite(reading.value))
        assert.ok(reading.time >= beforeS - 0.01 && reading.time <= afterS + 0.01)
      }
    }))

  test('keeps answers apart when asked from several sides at once', () =>
    open(async (instrument, { settable, readable }, signal) => {
      const [alone = ''] = readable
      const { name, values } = settable ?? { name: alone, values: [undefined] }
      const [value] = values
      if (value !== undefined) await instrument.set(name, value, signal)
      const rounds = Array.from({ length: 10 }, async () => {
        const [own, all] = await Promise.all([instrument.read([name], signal), instrument.read(readable, signal)])
        assert.equal(Object.keys(own), [name])
        assert.equal(Object.keys(all).sort(), [...readable].sort())
        return own[name]?.value
      })
      for (const got of await Promise.all(rounds)) {
        if (value === undefined) assert.ok(got !== undefined)
        else assert.is(got, value)
      }
    }))

  test('refuses signals and actions that it lacks as the caller’s fault', () =>
    open(async (instrument, _, signal) => {
      for (const call of [
        () => instrument.read(['no_such'], signal),
        () => instrument.set('no_such', 1, signal),
        () => instrument.call('no_such', {}, signal),
      ]) {
        assert.is((await rejection(call())).kind, 'caller')
      }
    }))

  test('does nothing for a signal that has aborted, and goes on afterwards', () =>
    open(async (instrument, { settable, readable }, signal) => {
      const aborted = AbortSignal.abort(new LabError({ code: 'stopped', kind: 'caller', message: 'stopped' }))
      assert.is((await rejection(instrument.read(readable, aborted))).code, 'stopped')
      assert.equal(Object.keys(await instrument.read(readable, signal)).sort(), [...readable].sort())
      if (settable === undefined) return
      const [first, second] = settable.values
      await instrument.set(settable.name, first, signal)
      assert.is((await rejection(instrument.set(settable.name, second, aborted))).code, 'stopped')
      assert.is((await instrument.read([settable.name], signal))[settable.name]?.value, first)
    }))

  test('does its actions', () =>
    open(async (instrument, { action }, signal) => {
      if (action !== undefined) await instrument.call(action, {}, signal)
      assert.is(
        action === undefined,
        instrument.spec.actions.every((each) => Object.keys(each.arguments).length > 0),
      )
    }))

  test('streams samples in order and without a gap, and stops with its signal', () =>
    open(async (instrument, { readable }) => {
      if (instrument.stream === undefined) {
        assert.ok(instrument.spec.signals.length > 0)
        return
      }
      const controller = new AbortController()
      const times: number[] = []
      for await (const block of instrument.stream(readable, 1000, controller.signal)) {
        for (const column of Object.values(block.columns)) assert.is(column.length, block.time.length)
        assert.equal(Object.keys(block.columns).sort(), [...readable].sort())
        times.push(...block.time)
        if (times.length >= 200) controller.abort()
      }
      assert.ok(times.length >= 200)
      for (let i = 1; i < times.length; i++) {
        assert.ok(Math.abs((times[i] ?? 0) - (times[i - 1] ?? 0) - 0.001) < 1e-6, `sample ${i}`)
      }
    }))

  test('closes twice, promptly, and refuses what comes after or leaves it without effect', async () => {
    const under = await make()
    const instrument = await under.driver.create(under.config, under.context)
    try {
      await instrument.open(new AbortController().signal)
      const startedMs = performance.now()
      await Promise.all([instrument.close(), instrument.close()])
      await instrument.close()
      assert.ok(performance.now() - startedMs < 2000)
    } finally {
      await under.release()
    }
  })

  test('closes without ever having been opened', async () => {
    const under = await make()
    const instrument = await under.driver.create(under.config, under.context)
    await instrument.close()
    await under.release()
    assert.is(instrument.spec.name, under.context.name)
  })

  test('reports a lost connection, refuses meanwhile, reconnects by itself and reports that', () =>
    open(async (instrument, under, signal) => {
      if (under.cut === undefined || instrument.onConnection === undefined) {
        assert.is(under.cut, undefined)
        return
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
      assert.is((await rejection(instrument.read(under.readable, signal))).kind, 'link')
      await back
      assert.equal(seen, [false, true])
      assert.equal(Object.keys(await instrument.read(under.readable, signal)).sort(), [...under.readable].sort())
      if (under.settable === undefined) return
      const { name, values } = under.settable
      await instrument.set(name, values[0], signal)
      assert.is((await instrument.read([name], signal))[name]?.value, values[0])
    }))

  test.after(after)
  test.run()
}

/** The LabError that the promise rejects with. */
export async function rejection(promise: Promise<unknown>): Promise<LabError> {
  try {
    await promise
  } catch (error) {
    if (error instanceof LabError) return error
    throw error
  }
  throw new LabError({ code: 'no-rejection', kind: 'bug', message: 'the promise resolved; a rejection was expected' })
}

function deferred(): { promise: Promise<void>; resolve: () => void } {
  let resolve: () => void = () => {}
  const promise = new Promise<void>((done) => {
    resolve = done
  })
  return { promise, resolve }
}
