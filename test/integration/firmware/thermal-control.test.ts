/** The firmware thermal-control on an emulated Uno with a heated block, in board time. */
import { readFileSync } from 'node:fs'
import type { SignalValue } from '@fernlab/edge/drivers/driver'
import { ThermalCircuit, thermalConfig } from '@fernlab/firmware-bridge/boards/circuits/thermal'
import type { LabError } from '@fernlab/shared/primitives/lab-error'
import * as assert from 'uvu/assert'
import { thermalControl } from '../../support/boards/thermal-control.ts'
import { type OnUno, withUno } from '../../support/boards/with-uno.ts'
import { suite } from '../../support/suite.ts'
import { LABS } from '../drivers/lab-runs.ts'

const test = suite('thermal-control on an emulated Uno', { timeoutMs: 120_000 })
const config = { ...thermalConfig('uno'), draughtK: 0 }
/** In K for each % of the heater. */
const GAIN = config.heaterW / config.blockToAirWPerK / 100

interface Bench extends OnUno {
  readonly circuit: ThermalCircuit
  read(name: string): Promise<number>
  set(values: Record<string, SignalValue>): Promise<void>
  reset(): Promise<void>
  /** The hottest that the block has been while so long passed. */
  pass(seconds: number): Promise<number>
}

/** The circuit may show another voltage than the thermistor's. */
async function onBench(work: (bench: Bench) => Promise<void>, broken: { volts?: number } = {}): Promise<void> {
  const circuit = new ThermalCircuit(config, 'uno')
  const wired = {
    i2c: circuit.i2c,
    volts: (pin: 'A0', timeS: number) => {
      const clean = circuit.volts(pin, timeS)
      return broken.volts ?? clean
    },
    driven: circuit.driven.bind(circuit),
    released: circuit.released.bind(circuit),
    passed: circuit.passed.bind(circuit),
  }
  const options = { firmware: thermalControl, circuit: wired as ThermalCircuit, bytesPerS: 50_000, stepMs: 2 }
  await withUno({ ...options, longestMs: 400_000 }, async (up) => {
    const { link, signals, signal, clock, uno } = up
    const actions = (await link.describe(signal)).actions
    const named = (name: string) => {
      const found = signals.find((each) => each.name === name)
      if (found === undefined) throw new Error(`the firmware has no ${name}`)
      return found
    }
    await clock.sleep(100, signal)
    await work({
      ...up,
      circuit,
      read: async (name) => (await link.read([named(name)], signal)).values[0] ?? Number.NaN,
      set: (values) =>
        link.set(
          Object.entries(values).map(([name, value]) => [named(name), value as number | boolean] as const),
          signal,
        ),
      reset: async () => {
        const [action] = actions
        if (action === undefined) throw new Error('the firmware has no action')
        await link.call(action, [], signal)
      },
      pass: async (seconds) => {
        let hottest = -Infinity
        const until = clock.monotonic() + 1000 * seconds
        while (clock.monotonic() < until) {
          await clock.sleep(50, signal)
          hottest = Math.max(hottest, circuit.blockC(uno.timeS))
        }
        return hottest
      },
    })
  })
}

const near = (got: number, wanted: number, within: number, what: string) =>
  assert.ok(Math.abs(got - wanted) <= within, `${what}: ${got} is not ${wanted} within ${within}`)

const refused = async (work: Promise<void>, what: string) => {
  const error = await work.then(
    () => undefined,
    (thrown: LabError) => thrown,
  )
  assert.ok(error, `${what} is refused`)
}

test('says what the demo node takes it for', () =>
  onBench(async ({ link, signal }) => {
    assert.equal(await link.describe(signal), JSON.parse(readFileSync(`${LABS}demo-node/thermal-control.json`, 'utf8')))
  }))

test('measures block and air, and its heater gives the power that it was told to', () =>
  onBench(async ({ read, set, pass, circuit, uno }) => {
    near(await read('temperature'), config.ambientC, 0.15, 'the cold block')
    near(await read('ambient'), config.ambientC, 0.6, 'the air')
    await set({ heater: 33.3 })
    await pass(120)
    near(circuit.blockC(uno.timeS), config.ambientC + 33.3 * GAIN, 0.02 * 33.3 * GAIN, 'the hot block')
    near(await read('temperature'), circuit.blockC(uno.timeS), 0.15, 'the thermistor')
    assert.is(await read('heater'), 33.3)
  }))

test('its controller reaches the setpoint without much overshoot, though the heater is at its limit on the way', () =>
  onBench(async ({ read, set, pass, circuit, uno }) => {
    for (const setpoint of [45, 65]) {
      await set({ setpoint, control: true })
      await pass(2)
      assert.is(await read('heater'), 100)
      const hottest = await pass(58)
      assert.ok(hottest < setpoint + 2.5, `${hottest} °C on the way to ${setpoint}`)
      near(circuit.blockC(uno.timeS), setpoint, 0.3, 'after a minute')
    }
  }))

test('a new setpoint gives the derivative no kick, and a hand on the heater takes it from the controller', () =>
  onBench(async ({ read, set, pass }) => {
    await set({ heater: 40, kp: 0, ki: 0, kd: 50 })
    await pass(90)
    await set({ setpoint: 50, control: true })
    near(await read('heater'), 40, 0.1, 'taken over without a jump')
    await pass(5)
    const before = await read('heater')
    await set({ setpoint: 20 })
    await pass(0.2)
    near(await read('heater'), before, 4, 'the heater after a new setpoint')
    await set({ heater: 12 })
    assert.is(await read('control'), 0)
    assert.is(await read('heater'), 12)
    await set({ control: true })
    await set({ control: false })
    assert.is(await read('heater'), 0)
  }))

test('cuts the heater out above 80 °C until it is reset, which it can not be while it is hot', () =>
  onBench(async ({ read, set, pass, reset, circuit, uno }) => {
    await set({ heater: 100 })
    let hottest = 0
    while ((await read('tripped')) === 0) hottest = await pass(0.5)
    await refused(reset(), 'a reset')
    hottest = Math.max(hottest, await pass(2))
    assert.ok(hottest > 79 && hottest < 85, `${hottest} °C`)
    assert.is(await read('heater'), 0)
    await refused(set({ heater: 1 }), 'heat')
    await refused(set({ control: true }), 'control')
    await set({ heater: 0, control: false })
    while (circuit.blockC(uno.timeS) > 65) await pass(0.5)
    await reset()
    assert.is(await read('tripped'), 0)
    await set({ heater: 1 })
  }))

test('a thermistor that has come off, or is short, cuts the heater out', async () => {
  for (const volts of [5, 0]) {
    const broken: { volts?: number } = {}
    await onBench(async ({ read, set, pass }) => {
      await set({ setpoint: 40, control: true })
      await pass(1)
      assert.is(await read('tripped'), 0)
      broken.volts = volts
      await pass(0.2)
      assert.equal([await read('tripped'), await read('heater'), await read('control')], [1, 0, 0], `${volts} V`)
    }, broken)
  }
})

test('switches the heater off when no host is heard for 5 s, and does not switch it on by itself again', () =>
  onBench(async ({ uno, link, set, pass, circuit, clock, signal }) => {
    await set({ heater: 50 })
    await pass(4)
    let isHeating = false
    await link.close()
    const heatsWithin = async (seconds: number) => {
      isHeating = false
      const until = clock.monotonic() + 1000 * seconds
      while (clock.monotonic() < until) {
        await clock.sleep(4, signal)
        isHeating ||= uno.driven('D9') === true
      }
      return isHeating
    }
    assert.ok(await heatsWithin(3), 'for a while it goes on')
    await clock.sleep(3000, signal)
    assert.not.ok(await heatsWithin(5), 'then it is off')
    assert.ok(circuit.blockC(uno.timeS) < config.ambientC + 50 * GAIN)
  }))

test('streams at 20 Hz, each sample at its time', () =>
  onBench(async ({ link, signals, signal }) => {
    const wanted = signals.filter(({ name }) => ['temperature', 'heater', 'setpoint'].includes(name))
    const stream = await link.stream(wanted, 50_000, signal)
    const times: number[] = []
    while (times.length < 100) times.push(...(await stream.next(signal)).timeMs)
    assert.is(stream.lost, 0)
    for (const [i, time] of times.slice(1).entries()) near(time - (times[i] ?? 0), 50, 0.1, 'between two samples')
  }))

test.run()
