/** The emulated instruments on a clock that stands still: what they answer, refuse and measure. */
import type { RcCircuit } from '@fernlab/firmware-bridge/emulated/circuits/rc'
import type { WireDevice } from '@fernlab/firmware-bridge/emulated/wire-device'
import { createWorlds, type World } from '@fernlab/firmware-bridge/emulated/worlds'
import { type Clock, ManualClock } from '@fernlab/shared/primitives/clock'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('emulated instruments')

/** What the RC bench of these tests is made of, so that its truth can be told without asking the model. */
const PARTS = { resistanceOhm: 10e3, capacitanceF: 100e-6, generatorOhm: 50, supplySettlingS: 0.003 }
const TAU_S = 1

/** Sends a line and gives what came back by the time that everything due has been done. */
function talk(device: WireDevice) {
  let received = ''
  const wire = device.connect({ data: (bytes) => (received += new TextDecoder().decode(bytes)), hangUp: () => {} })
  return async (line: string): Promise<string> => {
    received = ''
    wire.receive(new TextEncoder().encode(`${line}\n`))
    for (let turn = 0; turn < 50; turn++) await Promise.resolve()
    return received.trimEnd()
  }
}

function bench(name = 'rc'): { clock: ManualClock; world: World } {
  const clock = new ManualClock()
  return { clock, world: createWorlds({ clock, instant: true, rc: PARTS }).world(name) }
}

const near = (got: number, wanted: number, tolerance: number) =>
  assert.ok(Math.abs(got - wanted) <= tolerance, `${got} is not ${wanted} ± ${tolerance}`)

test('understands short and long headers, any case, and paths after a semicolon', async () => {
  const psu = talk(bench().world.device('psu'))
  await psu(':SOURce:VOLTage:LEVel:IMMediate:AMPLitude 1.5')
  assert.is(await psu('volt?'), '1.500')
  await psu('SOUR:VOLT 2;CURR 0.25')
  assert.is(await psu('SOUR:VOLT?;CURR?'), '2.000;0.250')
  await psu('VOLT MAX')
  assert.is(await psu('VOLT?'), '30.000')
  assert.is(await psu('SYST:ERR?'), '0,"No error"')
})

test('queues errors in order, reports an overflow, and clears', async () => {
  const psu = talk(bench().world.device('psu'))
  await psu('VLT 5')
  await psu('VOLT 31')
  await psu('VOLT five')
  await psu('VOLT')
  await psu('OUTP PERHAPS')
  const codes: string[] = []
  for (let i = 0; i < 6; i++) codes.push((await psu('SYST:ERR?')).split(',')[0] ?? '')
  assert.equal(codes, ['-113', '-222', '-104', '-109', '-224', '0'])
  for (let i = 0; i < 40; i++) await psu('NO:SUCH')
  for (let i = 0; i < 19; i++) await psu('SYST:ERR?')
  assert.match(await psu('SYST:ERR?'), /-350/)
  await psu('NO:SUCH')
  await psu('*CLS')
  assert.is(await psu('SYST:ERR?'), '0,"No error"')
})

test('keeps the IEEE 488.2 registers', async () => {
  const psu = talk(bench().world.device('psu'))
  assert.is(await psu('*ESR?'), '128')
  await psu('*ESE 60;*OPC')
  assert.is(await psu('*ESE?'), '60')
  assert.is(await psu('*STB?'), '0')
  await psu('VOLT 99')
  assert.is(await psu('*STB?'), '36')
  assert.is(await psu('*ESR?'), '17')
  assert.is(await psu('*OPC?;*TST?'), '1;0')
})

test('takes bytes split anywhere and several lines at once', async () => {
  const device = bench().world.device('psu')
  let received = ''
  const wire = device.connect({ data: (bytes) => (received += new TextDecoder().decode(bytes)), hangUp: () => {} })
  for (const byte of new TextEncoder().encode('VOLT 3.3\r\nVOLT?\n*ID')) wire.receive(Uint8Array.of(byte))
  wire.receive(new TextEncoder().encode('N?\n'))
  for (let turn = 0; turn < 50; turn++) await Promise.resolve()
  assert.match(received, /^3\.300\nFernlab,FPS-3003,.*\n$/)
})

test('the meter reads the charging capacitor within its accuracy', async () => {
  const { clock, world } = bench()
  const [psu, dmm] = [talk(world.device('psu')), talk(world.device('dmm'))]
  await dmm('VOLT:DC:NPLC 0.02')
  await psu('VOLT 5;OUTP ON')
  for (let i = 1; i <= 4; i++) {
    await clock.advance(500)
    const wanted = 5 * (1 - Math.exp((-0.5 * i) / TAU_S))
    near(Number(await dmm('MEAS:VOLT:DC?')), wanted, 0.012)
  }
  await psu('OUTP OFF')
  await clock.advance(20_000)
  near(Number(await dmm('READ?')), 0, 1e-3)
})

test('a longer aperture makes a quieter reading, and digits end where the meter’s do', async () => {
  const { clock, world } = bench()
  const dmm = talk(world.device('dmm'))
  await talk(world.device('psu'))('VOLT 1;OUTP ON')
  await clock.advance(60_000)
  const spread = async (cycles: number) => {
    await dmm(`VOLT:DC:NPLC ${cycles}`)
    const values: number[] = []
    for (let i = 0; i < 200; i++) values.push(Number(await dmm('READ?')))
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length
    return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length)
  }
  const [quick, slow] = [await spread(0.02), await spread(10)]
  assert.ok(slow < quick / 2, `${slow} ${quick}`)
  const step = 2 / 200_000
  const reading = Number(await dmm('READ?')) / step
  near(reading, Math.round(reading), 1e-6)
})

test('the meter overloads beyond its range, and by itself finds the right one', async () => {
  const { clock, world } = bench()
  const dmm = talk(world.device('dmm'))
  await talk(world.device('psu'))('VOLT 5;OUTP ON')
  await clock.advance(60_000)
  await dmm('VOLT:DC:RANG 2')
  assert.is(await dmm('READ?'), '+9.90000000E+37')
  await dmm('VOLT:DC:RANG:AUTO ON')
  near(Number(await dmm('READ?')), 5, 0.01)
})

test('true RMS of a sine behind the filter is its amplitude over the square root of two', async () => {
  const { clock, world } = bench()
  const [dmm, fgen] = [talk(world.device('dmm')), talk(world.device('fgen'))]
  await fgen('FUNC SIN;FREQ 0.5;VOLT 4;VOLT:OFFS 1;:OUTP 1')
  assert.is(await fgen('SYST:ERR?'), '0,"No error"')
  await dmm('CONF:VOLT:AC;:VOLT:AC:WIND 2')
  await clock.advance(60_000)
  const gain = 1 / Math.hypot(1, 2 * Math.PI * 0.5 * 10_050 * 100e-6)
  near(Number(await dmm('READ?')), (2 * gain) / Math.SQRT2, 0.003)
})

test('the generator refuses what would leave its range', async () => {
  const fgen = talk(bench().world.device('fgen'))
  await fgen('VOLT 18;VOLT:OFFS 2')
  assert.match(await fgen('SYST:ERR?'), /^-221/)
  assert.is(Number(await fgen('VOLT:OFFS?')), 0)
  await fgen('FUNC TRIANGLE')
  assert.match(await fgen('SYST:ERR?'), /^-224/)
  assert.is(await fgen('FUNC?'), 'SIN')
})

test('a process that wakes late does not move the moment of a measurement', async () => {
  const clock = new ManualClock()
  const late: Clock = {
    now: () => clock.now(),
    monotonic: () => clock.monotonic(),
    sleep: (ms, signal) => clock.sleep(ms + 80, signal),
    after: (ms, callback) => clock.after(ms, callback),
  }
  const world = createWorlds({ clock: late, latencyMs: 1, rc: PARTS }).world('rc')
  const circuit = world.circuit as RcCircuit
  circuit.setSupply({ on: true, volts: 5, limitAmps: 1 })
  await clock.advance(300)
  let received = ''
  const wire = world
    .device('dmm')
    .connect({ data: (bytes) => (received += new TextDecoder().decode(bytes)), hangUp: () => {} })
  wire.receive(new TextEncoder().encode('VOLT:DC:NPLC 1;:READ?\n'))
  await clock.advance(1000)
  // 1 ms to take the message, then 20 ms of integration: the middle is 11 ms after it came.
  const wanted = 5 * (1 - Math.exp(-(0.311 - PARTS.supplySettlingS) / TAU_S))
  near(Number(received), wanted, 0.002)
})

test('state outlives a connection; *RST does not let it', async () => {
  const device = bench().world.device('psu')
  await talk(device)('VOLT 7;OUTP ON')
  const again = talk(device)
  assert.is(await again('VOLT?;OUTP?'), '7.000;1')
  await again('*RST')
  assert.is(await again('VOLT?;OUTP?'), '0.000;0')
})

test.run()
