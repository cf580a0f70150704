/** A bench in a process of its own, on ptys and TCP; a node.yaml that points at it; its diode's curve comes back. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { type ServedBench, serveBench } from '../../contract/drivers/served-bench.ts'
import { suite } from '../../support/suite.ts'
import { type LabNode, startLabNode } from './lab-runs.ts'

const test = suite('a bench on ptys', { timeoutMs: 60_000, fileTimeoutMs: 180_000 })
let folder: string
let bench: ServedBench
let node: LabNode

test.before.each(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fernlab-pty-'))
  bench = await serveBench('diode', {
    psu: `pty:${join(folder, 'psu')}`,
    voltmeter: `pty:${join(folder, 'voltmeter')}`,
    ammeter: 'tcp:127.0.0.1:0',
  })
  const meter = (device: string) =>
    `{ model: fern-dmm, transport: ${JSON.stringify(bench.transports[device])}, settings: { nplc: 1 } }`
  const file = join(folder, 'node.yaml')
  await writeFile(
    file,
    `node: remote
hub: { url: in-process }
instruments:
  supply: { driver: scpi, config: { model: fern-psu, transport: ${JSON.stringify(bench.transports.psu)} } }
  voltmeter: { driver: scpi, config: ${meter('voltmeter')} }
  ammeter: { driver: scpi, config: ${meter('ammeter')} }
benches:
  diode:
    parts: { psu: supply, voltmeter: voltmeter, ammeter: ammeter }
    safeState: { psu.output: false, psu.voltage: 0 }
`,
  )
  node = await startLabNode('remote', { file })
})
test.after.each(async () => {
  await node.close()
  await bench.stop()
  await rm(folder, { recursive: true, force: true })
})

/** A diode like a 1N4148 at 25 °C: 2.5 nA (±20 %), 1.75 (±2 %), 0.6 Ω. */
const SATURATION_CURRENT_A = 2.5e-9
const IDEALITY_FACTOR = 1.75
const SERIES_OHM = 0.6
/** kT/q: Boltzmann's constant and the elementary charge as the SI has them. */
const THERMAL_V = (1.380649e-23 * 298.15) / 1.602176634e-19

test('the diode’s curve comes back, and so do its two numbers', async () => {
  const { stop, column } = await node.run('diode', 'diode-iv/iv-curve', { points: 40 })
  assert.is(stop.state, 'succeeded', stop.reason)
  assert.ok(stop.safeState.reached)
  const ideality = stop.outputs.ideality_factor?.value ?? Number.NaN
  const saturationA = stop.outputs.saturation_current?.value ?? Number.NaN
  assert.ok(Math.abs(ideality / IDEALITY_FACTOR - 1) < 0.02 + 0.01, `ideality factor ${ideality}`)
  assert.ok(Math.abs(saturationA / SATURATION_CURRENT_A - 1) < 0.2 + 0.1, `saturation current ${saturationA} A`)
  const [volts, amps] = [column('primary', 'voltmeter.voltage'), column('primary', 'ammeter.current')]
  assert.is(volts.length, 40)
  let compared = 0
  for (const [i, current] of amps.entries()) {
    if (current < 1e-6) continue
    // Shockley's equation with the two numbers of this diode, and the resistance that the fit leaves out.
    const wanted = ideality * THERMAL_V * Math.log1p(current / saturationA) + current * SERIES_OHM
    assert.ok(Math.abs((volts[i] ?? 0) - wanted) < 2e-3, `${current} A: ${volts[i]} V, not ${wanted} V`)
    compared += 1
  }
  assert.ok(compared > 20)
})

for (const [what, fault, pattern] of [
  ['falls silent', { kind: 'silent' }, /voltmeter did not answer READ\? within 1000 ms/],
  ['answers too late', { kind: 'slow', ms: 3000 }, /voltmeter did not answer READ\? within 1000 ms/],
  ['answers garbage', { kind: 'garbage' }, /voltmeter.*READ\?/],
  ['hangs up', { kind: 'disconnect' }, /voltmeter/],
] as const) {
  test(`an instrument that ${what} in the middle of a run fails it by name, keeps the data, and the supply goes off`, async () => {
    await node.free('diode')
    const runId = await node.begin('diode', 'diode-iv/iv-curve', { points: 400 })
    await node.hub.until(
      'some points were read',
      () => node.hub.documents(runId).some(({ name }) => name === 'event_page'),
      20_000,
    )
    await bench.setFault('voltmeter', fault)
    const { stop, column } = await node.finished(runId)
    assert.is(stop.state, 'failed')
    if (!pattern.test(stop.error?.message ?? '')) assert.unreachable(JSON.stringify(stop.error))
    assert.is(stop.error?.details?.instrument, 'voltmeter')
    assert.type(stop.error?.details?.elapsedMs, 'number')
    assert.ok(stop.safeState.reached)
    const kept = column('primary', 'ammeter.current').length
    assert.ok(kept > 0 && kept < 400, `${kept} rows`)
    assert.is(stop.rows.primary, kept)
    if (fault.kind !== 'disconnect') return
    const lines = (text: RegExp) => node.log.lines.filter((line) => line.level !== 'debug' && text.test(line.message))
    assert.is(lines(/is offline/).length, 1)
    await bench.setFault('voltmeter', undefined)
    await node.hub.until('the voltmeter is back', () => lines(/is back/).length > 0, 20_000)
    assert.is(lines(/is offline/).length, 1)
    assert.is(lines(/is back/).length, 1)
    await node.free('diode')
  })
}

test.run()
