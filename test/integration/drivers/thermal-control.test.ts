/** The lab thermal-control on the demo node: the node flashes its emulated Uno, whose firmware then does what the lab says. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { thermalConfig } from '@fernlab/firmware-bridge/boards/circuits/thermal'
import type { BenchStatus } from '@fernlab/shared/contracts/node-status'
import * as assert from 'uvu/assert'
import { protocolOf } from '../../support/edge/node.ts'
import { assignmentOf, SITE } from '../../support/edge/scripted-hub.ts'
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
  const folder = join(LABS, 'demo-node')
  // The demo's own lets go by itself, for nobody looks after it; here somebody does.
  const text = (await readFile(join(folder, 'node.yaml'), 'utf8')).replace('latch: false', 'latch: true')
  assert.match(text, /latch: true/)
  node = await startLabNode('demo', { text, folder })
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

test('full power for too long trips the interlock: heater off, bench out of use until it is reset', async () => {
  const bench = (): Partial<BenchStatus> =>
    JSON.parse(node.hub.retained.get(`fernlab/v1/${SITE}/nodes/demo/benches/uno`) ?? '{}')
  const interlock = () => bench().interlocks?.find(({ name }) => name === 'too-hot')
  await node.hub.until('uno is free', () => bench().state === 'free', 60_000)
  const steps =
    '  - set: {block.heater: 100}\n  - record: {signals: [block.temperature, block.heater], rate: 2, for: 100, stream: primary}'
  const assignment = assignmentOf(protocolOf(steps), { bench: 'uno', maxSeconds: 110 })
  await node.hub.assign(assignment)
  const { stop, column } = await node.finished(assignment.runId)
  assert.equal([stop.state, stop.error?.code], ['failed', 'interlock-tripped'])
  assert.match(stop.reason, /block\.temperature.* 75/)
  assert.ok(stop.safeState.reached)
  // It acted at the limit: the 80 degrees at which the board cuts its heater out itself were not needed.
  const hottest = Math.max(...column('primary', 'block.temperature'))
  assert.ok(hottest > 70 && hottest < 80, `${hottest} Cel`)
  await node.hub.until('it has cooled down', () => interlock()?.holds === false, 60_000)
  assert.equal([bench().state, interlock()?.state, interlock()?.latched], ['fault', 'tripped', true])
  await node.hub.call('bench.reset-interlock', { bench: 'uno', interlock: 'too-hot' })
  const isWell = () => interlock()?.state === 'clear' && bench().state === 'free'
  await node.hub.until('the bench is in use again', isWell, 60_000)
})

test.run()
