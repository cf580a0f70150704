/** The safe state of a SCPI instrument that hears but does not speak: on a clock that the test moves. */
import { driveToSafeState, type SafeResult } from '@fernlab/edge/benches/safe-state'
import { createScpiDriver } from '@fernlab/edge/drivers/scpi/scpi'
import { createInstrumentHandle } from '@fernlab/edge/instruments/instrument-handle'
import { createWorlds } from '@fernlab/firmware-bridge/emulated/worlds'
import { openEmulated } from '@fernlab/firmware-bridge/transports/emulated'
import type { Transport } from '@fernlab/firmware-bridge/transports/transport'
import { ManualClock } from '@fernlab/shared/primitives/clock'
import { silentLog } from '@fernlab/shared/primitives/log'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('the safe state of a SCPI instrument')
const never = new AbortController().signal

const make = async () => {
  const clock = new ManualClock()
  const device = createWorlds({ clock, latencyMs: 1 }).world('rc').device('psu')
  const sent: string[] = []
  /** Commands that arrive as something else. */
  const garble = new Set<string>()
  const openTransport = async (): Promise<Transport> => {
    const opened = openEmulated(device, clock)
    return {
      ...opened,
      write: (bytes) => {
        const line = new TextDecoder().decode(bytes).trimEnd()
        sent.push(line)
        return opened.write(garble.has(line) ? new TextEncoder().encode('NO:SUCH\n') : bytes)
      },
    }
  }
  const instrument = await createScpiDriver().create(
    { model: 'fern-psu', transport: { kind: 'emulated', world: 'rc', device: 'psu' } },
    { name: 'psu-1', clock, log: silentLog, openTransport, configFolder: '.' },
  )
  const handle = createInstrumentHandle({ name: 'psu-1', instrument, clock, log: silentLog })
  handle.start()
  await clock.advance(1000)
  assert.ok(handle.connection.online)
  const use = { signal: never }
  const during = async <T>(promise: Promise<T>): Promise<{ value: T; tookMs: number }> => {
    const began = clock.monotonic()
    let settled = false
    const watched = promise.finally(() => {
      settled = true
    })
    watched.catch(() => {})
    while (!settled && clock.monotonic() - began < 20_000) await clock.advance(1)
    return { value: await watched, tookMs: clock.monotonic() - began }
  }
  await during(handle.set('voltage', 4, use))
  await during(handle.set('output', true, use))
  sent.length = 0
  const taken: [string, unknown][] = []
  const drive = (safeState: Record<string, number | boolean>): Promise<{ value: SafeResult; tookMs: number }> =>
    during(
      driveToSafeState({
        bench: 'bench',
        safeState,
        parts: new Map([['psu', handle]]),
        moved: ['psu.voltage'],
        clock,
        onSet: (_instrument, signal, value) => taken.push([signal, value]),
      }),
    )
  return { clock, device, handle, sent, taken, garble, during, drive }
}

test('an instrument that hears but does not answer is told everything, twice, before it is let go of', async () => {
  const { clock, device, handle, sent, during, drive } = await make()
  device.setFault({ kind: 'silent' })
  // Why the run failed: the reply line died.
  const failed = await during(handle.read(['measured_voltage'], { signal: never }).catch((error: Error) => error))
  assert.instance(failed.value, Error)
  sent.length = 0
  const { value, tookMs } = await drive({ 'psu.current_limit': 0.1, 'psu.output': false, 'psu.voltage': 0 })
  assert.is(value.reached, false, 'an instrument that does not answer has not confirmed anything')
  assert.match(value.reached ? '' : value.error.message, /psu\.voltage: .*psu\.current_limit: .*psu\.output: /)
  assert.ok(tookMs <= 5000, `${tookMs} ms`)
  const told = sent.filter((line) => !line.includes('*ESE') && !line.includes('?'))
  assert.equal(told.slice(0, 3), ['VOLT 0.000', 'CURR 0.100', 'OUTP 0'])
  assert.equal(told.slice(3, 6), told.slice(0, 3))
  device.setFault(undefined)
  await clock.advance(20_000)
  const { value: readings } = await during(handle.read(['voltage', 'output'], { signal: never }))
  assert.is(readings.voltage?.value, 0)
  assert.is(readings.output?.value, false)
})

test('an instrument that answers is asked once about all, and again about each when it refused one', async () => {
  const { handle, sent, taken, garble, during, drive } = await make()
  const safeState = { 'psu.voltage': 0, 'psu.current_limit': 0.1, 'psu.output': false }
  const { value, tookMs } = await drive(safeState)
  assert.equal(value, { reached: true })
  assert.ok(tookMs < 100, `${tookMs} ms`)
  assert.equal(sent, ['VOLT 0.000', 'CURR 0.100', 'OUTP 0', 'SYST:ERR?'])
  assert.equal(taken, [
    ['voltage', 0],
    ['current_limit', 0.1],
    ['output', false],
  ])
  taken.length = 0
  await during(handle.set('output', true, { signal: never }))
  garble.add('CURR 0.100')
  const refused = (await drive(safeState)).value
  assert.is(refused.reached, false)
  const message = refused.reached ? '' : refused.error.message
  assert.match(message, /psu\.current_limit: .*refused CURR 0\.100/)
  assert.not.match(message, /psu\.(voltage|output):/)
  assert.equal(taken, [
    ['voltage', 0],
    ['output', false],
  ])
  const { value: readings } = await during(handle.read(['output'], { signal: never }))
  assert.is(readings.output?.value, false)
})

test.run()
