/** The demo node runs its labs through engine, scpi driver and wire; outputs against what the parts' values imply. */
import { join } from 'node:path'
import type { DiodeCircuit } from '@fernlab/firmware-bridge/emulated/circuits/diode'
import type { RcCircuit } from '@fernlab/firmware-bridge/emulated/circuits/rc'
import { createWorlds } from '@fernlab/firmware-bridge/emulated/worlds'
import { systemClock } from '@fernlab/shared/primitives/clock'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'
import { LABS, type LabNode, type LabRun, startLabNode } from './lab-runs.ts'

const test = suite('demo node', { timeoutMs: 120_000, fileTimeoutMs: 300_000 })
const worlds = createWorlds({ clock: systemClock })
let node: LabNode

test.before(async () => {
  node = await startLabNode('demo', { file: join(LABS, 'demo-node/node.yaml') }, worlds)
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

test('charge curves on both benches at once give each bench its own tau', async () => {
  const benches = ['rc-1', 'rc-2']
  const runs = await Promise.all(benches.map((bench) => node.run(bench, 'rc-circuit/charge-curve')))
  for (const [i, run] of runs.entries()) {
    const { resistanceOhm, capacitanceF } = (worlds.world(benches[i] ?? '').circuit as RcCircuit).config
    near(output(run, 'tau'), resistanceOhm * capacitanceF, 0.01, `${benches[i]}: tau`)
    near(output(run, 'final_voltage'), 5, 0.005, `${benches[i]}: final voltage`)
    const { tau } = run.stop.outputs
    assert.ok(tau?.uncertainty !== undefined && tau.uncertainty < 0.02)
    const rows = run.column('charge', 'dmm.voltage')
    // Polled: on a busy machine some readings of the hundred fall out, and the fit does not mind.
    assert.ok(rows.length > 50 && rows.length <= 102, `${rows.length} rows`)
  }
})

test('the frequency response gives the cut-off of the filter', async () => {
  const run = await node.run('rc-2', 'rc-circuit/frequency-response', { lowest: 0.25, highest: 2, points: 4 })
  const { resistanceOhm, generatorOhm, capacitanceF } = (worlds.world('rc-2').circuit as RcCircuit).config
  const cutoff = 1 / (2 * Math.PI * (resistanceOhm + generatorOhm) * capacitanceF)
  near(output(run, 'cutoff'), cutoff, 0.05, 'cut-off')
  const [frequencies, gains] = [run.column('primary', 'frequency'), run.column('primary', 'gain')]
  assert.is(frequencies.length, 4)
  for (const [i, frequency] of frequencies.entries()) {
    near(gains[i] ?? 0, 1 / Math.hypot(1, frequency / cutoff), 0.05, `${frequency} Hz`)
  }
})

test('the diode’s curve gives saturation current and ideality factor', async () => {
  const run = await node.run('diode-1', 'diode-iv/iv-curve')
  const { saturationCurrentA, idealityFactor } = (worlds.world('diode-1').circuit as DiodeCircuit).config
  near(output(run, 'ideality_factor'), idealityFactor, 0.01, 'ideality factor')
  near(output(run, 'saturation_current'), saturationCurrentA, 0.1, 'saturation current')
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
