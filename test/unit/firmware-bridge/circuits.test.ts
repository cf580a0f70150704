/** The circuits against mathematics done another way: numerical integration, Lambert's W, Kirchhoff's laws. */
import { DiodeCircuit, type DiodeConfig } from '@fernlab/firmware-bridge/emulated/circuits/diode'
import { RcCircuit, type RcConfig } from '@fernlab/firmware-bridge/emulated/circuits/rc'
import { createWorlds } from '@fernlab/firmware-bridge/emulated/worlds'
import { ManualClock } from '@fernlab/shared/primitives/clock'
import * as assert from 'uvu/assert'
import { cpuMs } from '../../support/cpu-time.ts'
import { suite } from '../../support/suite.ts'

const test = suite('emulated circuits')

const rc: RcConfig = {
  resistanceOhm: 8200,
  capacitanceF: 47e-6,
  meterOhm: 1e6,
  supplyOhm: 0.1,
  generatorOhm: 50,
  supplySettlingS: 0.01,
}
const on = { on: true, volts: 5, limitAmps: 1 }

const near = (got: number, wanted: number, tolerance: number, what = '') =>
  assert.ok(Math.abs(got - wanted) <= tolerance, `${what} ${got} is not ${wanted} ± ${tolerance}`)

/** Runge–Kutta over the circuit's own differential equation, from a source given as a function of time. */
function integrate(source: (timeS: number) => number, resistance: number, config: RcConfig, endS: number): number {
  const slope = (t: number, v: number) => ((source(t) - v) / resistance - v / config.meterOhm) / config.capacitanceF
  const step = 1e-4
  let v = 0
  for (let i = 0; i < Math.round(endS / step); i++) {
    const t = i * step
    const a = slope(t, v)
    const b = slope(t + step / 2, v + (a * step) / 2)
    const c = slope(t + step / 2, v + (b * step) / 2)
    const d = slope(t + step, v + c * step)
    v += (step * (a + 2 * b + 2 * c + d)) / 6
  }
  return v
}

test('a step charges the capacitor as the differential equation says, settling supply included', () => {
  let nowS = 0
  const circuit = new RcCircuit(rc, () => nowS)
  circuit.setSupply(on)
  nowS = 3
  const source = (t: number) => 5 * (1 - Math.exp(-t / rc.supplySettlingS))
  for (const endS of [0.02, 0.2, 0.5, 1, 3]) {
    near(circuit.volts(endS), integrate(source, rc.resistanceOhm + rc.supplyOhm, rc, endS), 1e-6, `at ${endS} s`)
  }
})

test('sine and square waves come out as the differential equation says', () => {
  for (const shape of ['sine', 'square'] as const) {
    let nowS = 0
    const circuit = new RcCircuit(rc, () => nowS)
    circuit.setGenerator({ on: true, shape, frequencyHz: 1.25, amplitudeV: 3, offsetV: 0.5 })
    nowS = 4
    const source = (t: number) => {
      // Just before an edge belongs to the half that ends there.
      const part = (t * 1.25 + 1e-9) % 1
      return 0.5 + 3 * (shape === 'sine' ? Math.sin(2 * Math.PI * 1.25 * t) : part < 0.5 ? 1 : -1)
    }
    const resistance = rc.resistanceOhm + rc.supplyOhm + rc.generatorOhm
    for (const endS of [0.1, 0.77, 2.3, 4]) {
      near(
        circuit.volts(endS),
        integrate(source, resistance, rc, endS),
        shape === 'sine' ? 1e-6 : 2e-3,
        `${shape} ${endS}`,
      )
    }
  }
})

test('changing the frequency keeps voltage and phase continuous', () => {
  let nowS = 0
  const circuit = new RcCircuit(rc, () => nowS)
  const generator = { on: true, shape: 'sine', frequencyHz: 3, amplitudeV: 3, offsetV: 0 } as const
  circuit.setGenerator(generator)
  nowS = 1.234
  const before = [circuit.volts(nowS), circuit.amps(nowS)]
  const earlier = circuit.volts(0.6)
  circuit.setGenerator({ ...generator, frequencyHz: 0.7 })
  near(circuit.volts(nowS), before[0] ?? 0, 1e-12)
  near(circuit.amps(nowS), before[1] ?? 0, 1e-12)
  nowS = 2
  assert.is(circuit.volts(0.6), earlier, 'the past changed')
})

test('the current limit charges in a straight line, then lets go', () => {
  let nowS = 0
  const circuit = new RcCircuit(rc, () => nowS)
  const limitAmps = 2e-4
  circuit.setSupply({ ...on, limitAmps })
  nowS = 5
  // Until the resistor alone asks for less than the limit; the meter's own current is a hundredth of it at most.
  const letGoS = (rc.capacitanceF * (5 - limitAmps * rc.resistanceOhm)) / limitAmps
  near(circuit.amps(letGoS / 2), limitAmps, 1e-12)
  near(circuit.volts(letGoS / 2), (limitAmps * letGoS) / 2 / rc.capacitanceF, 0.02)
  assert.ok(circuit.amps(5) < limitAmps)
  const kirchhoff = circuit.supplyVolts(5) - circuit.amps(5) * rc.resistanceOhm - circuit.volts(5)
  near(kirchhoff, 0, 1e-9)
})

test('benches that have not been looked at for a day answer at once', () => {
  let nowS = 0
  const circuit = new RcCircuit(rc, () => nowS)
  circuit.setGenerator({ on: true, shape: 'sine', frequencyHz: 3, amplitudeV: 3, offsetV: 0 })
  nowS = 86_400
  const startedMs = cpuMs()
  assert.ok(Number.isFinite(circuit.volts(nowS)))
  assert.ok(cpuMs() - startedMs < 1000)
})

const diode: DiodeConfig = {
  saturationCurrentA: 4e-9,
  idealityFactor: 1.9,
  temperatureK: 300,
  seriesOhm: 0.8,
  resistorOhm: 220,
  burdenOhm: 2,
  supplySettlingS: 0.001,
}

/** Principal branch by Halley's iteration. */
function lambertW(x: number): number {
  let w = x < 1 ? x : Math.log(x) - Math.log(Math.log(x) + 1)
  for (let i = 0; i < 50; i++) {
    const e = Math.exp(w)
    const f = w * e - x
    w -= f / (e * (w + 1) - ((w + 2) * f) / (2 * w + 2))
  }
  return w
}

test('the diode carries the current that Lambert’s W gives', () => {
  for (const volts of [0.05, 0.2, 0.4, 0.6, 0.8, 1.5, 3]) {
    let nowS = 0
    const circuit = new DiodeCircuit(diode, () => nowS)
    circuit.setSupply({ on: true, volts, limitAmps: 1 })
    nowS = 1
    const resistance = diode.resistorOhm + diode.burdenOhm + diode.seriesOhm
    const thermal = (diode.idealityFactor * 1.380649e-23 * diode.temperatureK) / 1.602176634e-19
    const is = diode.saturationCurrentA
    const factor = (is * resistance) / thermal
    const truth = (thermal / resistance) * lambertW(factor * Math.exp((volts + is * resistance) / thermal)) - is
    near(circuit.amps(1) / truth, 1, 1e-6, `${volts} V:`)
    const kirchhoff = circuit.volts(1) + circuit.amps(1) * (diode.resistorOhm + diode.burdenOhm)
    near(kirchhoff, volts, 1e-9)
    near(circuit.supplyVolts(1), volts, 1e-9)
  }
})

test('the supply’s limit holds the diode’s current, and off means off', () => {
  let nowS = 0
  const circuit = new DiodeCircuit(diode, () => nowS)
  circuit.setSupply({ on: true, volts: 5, limitAmps: 0.002 })
  nowS = 1
  near(circuit.amps(1), 0.002, 1e-12)
  assert.ok(circuit.supplyVolts(1) < 2)
  circuit.setSupply({ on: false, volts: 5, limitAmps: 0.002 })
  nowS = 2
  near(circuit.amps(2), 0, 1e-12)
})

test('tolerances differ from bench to bench, are the same in every process, and keep tau within 2 % of 1 s', () => {
  const values = new Set<number>()
  for (let i = 0; i < 200; i++) {
    const make = () => createWorlds({ clock: new ManualClock() }).world(`rc-${i}`).circuit as RcCircuit
    const { resistanceOhm, capacitanceF } = make().config
    assert.equal(make().config, { ...make().config, resistanceOhm, capacitanceF })
    near(resistanceOhm * capacitanceF, 1, 0.02)
    values.add(resistanceOhm)
  }
  assert.ok(values.size > 190)
})

test('an unknown bench or instrument is refused with what there is', () => {
  const worlds = createWorlds({ clock: new ManualClock() })
  assert.throws(
    () => worlds.world('moon'),
    /rc, diode, uno, leonardo, heat, weigh, firmata, esp32, esp32-s3 or esp32-c3/,
  )
  assert.throws(() => worlds.world('rc').device('laser'), /psu, dmm, fgen/)
})

test.run()
