/** The lab thermal-control on the demo node: the node flashes its emulated Uno, whose firmware then does what the lab says. */
import { join } from 'node:path'
import { thermalConfig } from '@fernlab/firmware-bridge/boards/circuits/thermal'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'
import { LABS, type LabNode, type LabRun, startLabNode } from './lab-runs.ts'

const test = suite('thermal-control on the demo node', { timeoutMs: 200_000, fileTimeoutMs: 400_000 })
const config = thermalConfig('uno')
/** In K for each %. */
const GAIN = config.heaterW / config.blockToAirWPerK / 100
/** The time constants of heater and block, from the eigenvalues of the two heat equations. */
const [FAST_S, TAU_S] = (() => {
  const { heaterJPerK: cr, blockJPerK: cb, heaterToBlockWPerK: g, blockToAirWPerK: ga } = config
  const half = (g / cr + (g + ga) / cb) / 2
  const root = Math.sqrt(half * half - (g * ga) / (cr * cb))
  return [1 / (half + root), 1 / (half - root)] as const
})()
/** How far the tail of the slow exponential is shifted by the fast one and the thermistor. */
const DEAD_S = -TAU_S * (Math.log(1 - FAST_S / TAU_S) + Math.log(1 - config.sensorLagS / TAU_S))
let node: LabNode

test.before(async () => {
  node = await startLabNode('demo', { file: join(LABS, 'demo-node/node.yaml') })
})
test.after(() => node.close())

const near = (got: number, wanted: number, within: number, what: string) =>
  assert.ok(Math.abs(got - wanted) <= within, `${what}: ${got} is not ${wanted} within ${within}`)

function output({ stop }: LabRun, name: string): number {
  assert.is(stop.state, 'succeeded', `${stop.reason} ${JSON.stringify(stop.missingOutputs)}`)
  assert.ok(stop.safeState.reached)
  const found = stop.outputs[name]
  assert.ok(found, JSON.stringify(stop.missingOutputs))

  return found.value
}

test('a step of the heater tells gain, time constant and dead time of the block', async () => {
  const run = await node.run('uno', 'thermal-control/step-response')
  near(output(run, 'gain'), GAIN, 0.05 * GAIN, 'gain')
  near(output(run, 'tau'), TAU_S, 0.1 * TAU_S, 'time constant')
  near(output(run, 'dead_time'), DEAD_S, 0.6, 'dead time')
  for (const name of ['gain', 'tau', 'dead_time']) {
    const { value = 0, uncertainty } = run.stop.outputs[name] ?? {}
    assert.ok(uncertainty !== undefined && uncertainty > 0 && uncertainty < 0.1 * value, `${name} ± ${uncertainty}`)
  }
  // The board samples by its own clock.
  assert.ok(run.column('step', 'block.temperature').length >= 440)
})

test('the controller reaches its setpoint, and holds it with the power that the block loses', async () => {
  const run = await node.run('uno', 'thermal-control/closed-loop', { setpoint: 50, duration: 30 })
  assert.ok(output(run, 'overshoot') < 2.5)
  const settled = output(run, 'settling_time')
  assert.ok(settled > 3 && settled < 30, `${settled} s`)
  near(output(run, 'steady_error'), 0, 0.2, 'the error at the end')
  const power = (50 - config.ambientC) / GAIN
  near(output(run, 'holding_power'), power, 0.06 * power, 'the power that holds it')
})

test.run()
