/** Plans are remembered for what was checked, and for nothing else. */
import type { Bench } from '@fernlab/edge/benches/bench'
import { createRunPlans, planRun } from '@fernlab/edge/engine/plan'
import type { InstrumentHandle } from '@fernlab/edge/instruments/instrument-handle'
import type { InstrumentSpec } from '@fernlab/shared/capabilities/signals'
import * as assert from 'uvu/assert'
import { memorySignals } from '../../support/edge/memory-driver.ts'
import { protocolOf } from '../../support/edge/node.ts'
import { assignmentOf } from '../../support/edge/scripted-hub.ts'
import { suite } from '../../support/suite.ts'

const test = suite('run plans')

const specOf = (): InstrumentSpec => ({ name: 'psu-1', driver: 'memory', signals: memorySignals, actions: [] })

function benchOf(handle: { spec: InstrumentSpec }): Bench {
  const parts = new Map([['psu', handle as InstrumentHandle]])
  return { name: 'bench-1', parts, specs: () => ({ psu: handle.spec }) } as unknown as Bench
}

const waits = (seconds: number) => protocolOf(`  - wait: ${seconds} s`)

test('an equal assignment finds the plan, also as another object', () => {
  const plans = createRunPlans()
  const bench = benchOf({ spec: specOf() })
  assert.is(plans.find(assignmentOf(waits(2)), bench), undefined)
  plans.keep(assignmentOf(waits(2)), bench)
  assert.is(plans.find(assignmentOf(waits(2)), bench)?.seconds, 2)
})

test('two definitions under one digest are two', () => {
  const plans = createRunPlans()
  const bench = benchOf({ spec: specOf() })
  plans.keep(assignmentOf(waits(2), { protocolDigest: 'same' }), bench)
  assert.is(plans.find(assignmentOf(waits(3), { protocolDigest: 'same' }), bench), undefined)
})

test('other parameters, limits, bench or specifications are not equal', () => {
  const plans = createRunPlans()
  const handle = { spec: specOf() }
  const bench = benchOf(handle)
  plans.keep(assignmentOf(waits(2)), bench)
  assert.is(plans.find(assignmentOf(waits(2), { parameters: { a: 1 } }), bench), undefined)
  assert.is(plans.find(assignmentOf(waits(2), { limits: { 'psu.voltage': { high: 1 } } }), bench), undefined)
  assert.is(plans.find(assignmentOf(waits(2), { bench: 'bench-2' }), bench), undefined)
  assert.is.not(plans.find(assignmentOf(waits(2)), bench), undefined)
  handle.spec = specOf()
  assert.is(plans.find(assignmentOf(waits(2)), bench), undefined)
})

test('the longest unused is forgotten', () => {
  const plans = createRunPlans()
  const bench = benchOf({ spec: specOf() })
  const definition = waits(2)
  const first = assignmentOf(definition, { parameters: { n: 0 } })
  plans.keep(first, bench)
  for (let n = 1; n <= 1000; n++) plans.keep(assignmentOf(definition, { parameters: { n } }), bench)
  assert.is(plans.find(first, bench), undefined)
  assert.is.not(plans.find(assignmentOf(definition, { parameters: { n: 1000 } }), bench), undefined)
})

test('statistics are collected when an expression may ask for them', () => {
  const record = '  - record: { signals: [psu.current], rate: 10 Hz, stream: s, for: 1 s }\n'
  const parts = { psu: specOf() }
  assert.is(planRun(protocolOf(record), {}, parts).statistics, false)
  const asking = protocolOf(`${record}  - assert: { condition: "2 *\\nmean(psu.current) < 1", message: much }`)
  assert.is(planRun(asking, {}, parts).statistics, true)
})

test('a record is searched for its strongest oscillation when an expression asks for it without a frequency', () => {
  const record = '  - record: { signals: [psu.current, psu.voltage], rate: 10 Hz, stream: s, for: 1 s }\n'
  const sought = (condition: string) => {
    const protocol = protocolOf(
      `${record}  - assert: { condition: "${condition}", message: the amplitude (it varies) }`,
    )
    return [...planRun(protocol, {}, { psu: specOf() }).oscillating]
  }
  assert.equal(sought('mean(psu.current) < 1'), [])
  assert.equal(sought('amplitude(psu.current, 50) < 1'), [])
  assert.equal(sought('amplitude( psu . current ) < 1 && phase((psu.voltage)) > 0'), ['psu.current', 'psu.voltage'])
})

test.run()
