/** The demo node runs its labs through engine, scpi driver and wire; outputs against what is printed on the parts, within their tolerances. */
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'
import { LABS, type LabNode, type LabRun, startLabNode } from './lab-runs.ts'

const test = suite('demo node', { timeoutMs: 120_000, fileTimeoutMs: 300_000 })
/** 10 kΩ (±1 %) and 100 µF (±0.9 %); the generator adds its 50 Ω. */
const TAU_S = 10e3 * 100e-6
const CUTOFF_HZ = 1 / (2 * Math.PI * (10e3 + 50) * 100e-6)
const PARTS = 0.019
/** A diode like a 1N4148: 2.5 nA (±20 %) and 1.75 (±2 %). */
const SATURATION_CURRENT_A = 2.5e-9
const IDEALITY_FACTOR = 1.75
let node: LabNode

test.before(async () => {
  node = await startLabNode('demo', { file: join(LABS, 'demo-node/node.yaml') })
})
test.after(() => node.close())

const near = (got: number, wanted: number, relative: number, what: string) =>
  assert.ok(Math.abs(got / wanted - 1) <= relative, `${what}: ${got} is not ${wanted} within ${100 * relative} %`)

function output({ stop }: LabRun, name: string): number {
  assert.is(stop.state, 'succeeded', `${stop.reason} ${JSON.stringify(stop.missingOutputs)}`)
  assert.ok(stop.safeState.reached)
  const found = stop.outputs[name]
  assert.ok(found, JSON.stringify(stop.missingOutputs))
  return found.value
}

test('charge curves on both benches at once, and the frequency response of one, are those of their parts', async () => {
  const benches = ['rc-1', 'rc-2']
  const runs = await Promise.all(benches.map((bench) => node.run(bench, 'rc-circuit/charge-curve')))
  for (const [i, run] of runs.entries()) {
    near(output(run, 'tau'), TAU_S, PARTS + 0.01, `${benches[i]}: tau`)
    near(output(run, 'final_voltage'), 5, 0.005, `${benches[i]}: final voltage`)
    const { tau } = run.stop.outputs
    assert.ok(tau?.uncertainty !== undefined && tau.uncertainty < 0.02)
    const rows = run.column('charge', 'dmm.voltage')
    // Polled: on a busy machine some readings of the hundred fall out, and the fit does not mind.
    assert.ok(rows.length > 50 && rows.length <= 102, `${rows.length} rows`)
  }

  const response = await node.run('rc-2', 'rc-circuit/frequency-response', { lowest: 0.25, highest: 2, points: 4 })
  const cutoff = output(response, 'cutoff')
  near(cutoff, CUTOFF_HZ, PARTS + 0.05, 'cut-off')
  // Step and sine look at the same two parts, whatever their tolerances are.
  near(2 * Math.PI * cutoff * output(runs[1] as LabRun, 'tau'), 10e3 / (10e3 + 50), 0.05, 'cut-off times tau')
  const [frequencies, gains] = [response.column('primary', 'frequency'), response.column('primary', 'gain')]
  assert.is(frequencies.length, 4)
  for (const [i, frequency] of frequencies.entries()) {
    near(gains[i] ?? 0, 1 / Math.hypot(1, frequency / CUTOFF_HZ), PARTS + 0.05, `${frequency} Hz`)
  }
})

test('the diode’s curve gives saturation current and ideality factor', async () => {
  const run = await node.run('diode-1', 'diode-iv/iv-curve')
  near(output(run, 'ideality_factor'), IDEALITY_FACTOR, 0.02 + 0.01, 'ideality factor')
  near(output(run, 'saturation_current'), SATURATION_CURRENT_A, 0.2 + 0.1, 'saturation current')
})

test('the membrane fires at the rate that is published for 10 uA/cm2, and not without current', async () => {
  const run = await node.run('membrane-1', 'membrane/step-current')
  near(output(run, 'firing_rate'), 68.3, 0.03, 'firing rate')
  near(output(run, 'resting_potential'), -65, 0.01, 'resting potential')
  assert.ok(run.column('trace', 'cell.potential').length > 2500)
  const quiet = await node.run('membrane-1', 'membrane/step-current', { current: 2 })
  assert.is(output(quiet, 'firing_rate'), 0)
})

test('two pulses find the refractory period', async () => {
  const run = await node.run('membrane-1', 'membrane/s1-s2', { points: 9 })
  const period = output(run, 'refractory_period')
  assert.ok(period >= 10 && period <= 12, `${period} ms`)
  const peaks = run.column('primary', 'cell.peak')
  assert.ok((peaks[0] ?? 0) < 0 && (peaks.at(-1) ?? 0) > 30)
})

test.run()
