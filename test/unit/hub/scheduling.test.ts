import { decide, type WaitingRun } from '@fernlab/hub/scheduling/decide'
import { explain } from '@fernlab/hub/scheduling/explain'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('first come, first served')
const waiting = (id: string, more: Partial<WaitingRun> = {}): WaitingRun => ({
  id,
  wantedBench: null,
  createdAt: 0,
  estimatedS: 10,
  ...more,
})
const all = () => true
const pairs = (decisions: readonly { run: WaitingRun; bench: string }[]) =>
  decisions.map(({ run, bench }) => [run.id, bench])

test('gives the free benches to the first in line', () => {
  const queue = [waiting('a'), waiting('b'), waiting('c')]
  assert.equal(pairs(decide({ queue, freeBenches: ['x', 'y'], serves: all }, 0)), [
    ['a', 'x'],
    ['b', 'y'],
  ])
})

test('passes over a run whose benches are taken, without letting it lose its place', () => {
  const queue = [waiting('a', { wantedBench: 'z' }), waiting('b')]
  assert.equal(pairs(decide({ queue, freeBenches: ['x'], serves: all }, 0)), [['b', 'x']])
  assert.equal(pairs(decide({ queue, freeBenches: ['z'], serves: all }, 0)), [['a', 'z']])
})

test('gives no run to a bench that can’t serve it, wanted or not', () => {
  const serves = (run: WaitingRun, bench: string) => run.id === 'b' && bench === 'x'
  const queue = [waiting('a', { wantedBench: 'x' }), waiting('b')]
  assert.equal(pairs(decide({ queue, freeBenches: ['x', 'y'], serves }, 0)), [['b', 'x']])
})

test('says why', () => {
  const [decision] = decide({ queue: [waiting('a')], freeBenches: ['x'], serves: all }, 7000)
  assert.is(decision?.reason, 'first in line for x after 7 s')
})

test('tells the place and the time of those that wait', () => {
  const before = [waiting('a'), waiting('b')]
  const wait = explain(waiting('c'), before, [{ id: 'x', freeInS: 30 }], all)
  assert.equal(wait, { position: 3, reason: '2 runs before you, about 50 s', inS: 50 })
})

test('two benches halve the wait', () => {
  const benches = [
    { id: 'x', freeInS: 30 },
    { id: 'y', freeInS: 5 },
  ]
  assert.is(explain(waiting('c'), [waiting('a'), waiting('b')], benches, all).inS, 25)
})

test('only rivals for the same benches count', () => {
  const serves = (run: WaitingRun) => run.id !== 'other'
  const wait = explain(
    waiting('c'),
    [waiting('other'), waiting('far', { wantedBench: 'z' })],
    [{ id: 'x', freeInS: 0 }],
    serves,
  )
  assert.equal(wait, { position: 1, reason: 'you are next', inS: 0 })
})

test('says that no bench is up, and why', () => {
  const down = [{ id: 'x', freeInS: null, reason: 'its node is not connected' }]
  assert.equal(explain(waiting('a'), [], down, all), {
    position: 1,
    reason: 'no bench is up: its node is not connected',
    inS: null,
  })
  assert.is(explain(waiting('a'), [], [], all).reason, 'no bench serves this lab')
})

test.run()
