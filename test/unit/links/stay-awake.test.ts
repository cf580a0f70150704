/** When a link keeps its process awake for an answer. */
import { Attention, LEAST_SURE, LONG_MS, SOON_MS } from '@fernlab/shared/links/stay-awake'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('waiting for an answer awake')

/** An end whose waits are as long as it is told. */
function end() {
  const attention = new Attention()
  let nowMs = 1
  /** Whether the wait was awake. */
  const wait = (ms: number): boolean => {
    const isAwake = attention.sent(nowMs)
    nowMs += ms
    attention.came(nowMs)
    return isAwake
  }
  /** How many short waits it takes until one is awake. */
  const untilAwake = (): number => {
    for (let waits = 0; waits < 100_000; waits++) if (wait(SOON_MS / 2)) return waits
    return Number.POSITIVE_INFINITY
  }
  return { attention, wait, untilAwake }
}

test('only one whose waits were short is awake, until one was long', () => {
  const { wait, untilAwake } = end()
  assert.is(untilAwake(), LEAST_SURE)
  assert.is(wait(SOON_MS / 2), true)
  assert.is(wait(LONG_MS), true)
  assert.is(wait(SOON_MS / 2), false)
})

test('one that is late now and then goes on awake; one that always is does not', () => {
  const { wait, untilAwake } = end()
  untilAwake()
  for (let n = 0; n < 8 * LEAST_SURE; n++) wait(SOON_MS / 2)
  assert.equal([wait(SOON_MS * 2), wait(SOON_MS / 2)], [true, true])
  for (let n = 0; n < 3; n++) wait(SOON_MS * 2)
  assert.is(wait(SOON_MS / 2), false)
})

test('one that calls now and then never is', () => {
  const { wait } = end()
  const awake = Array.from({ length: 10_000 }, (_, n) => wait(n % LEAST_SURE === 0 ? 1000 : SOON_MS / 2))
  assert.is(awake.includes(true), false)
})

test('being awake in vain becomes rare, and comes back where it is worth it', () => {
  const { wait, untilAwake } = end()
  const needed = [1, 2, 3].map(() => {
    const waits = untilAwake()
    wait(LONG_MS)
    return waits
  })
  assert.equal(needed, [LEAST_SURE, 2 * LEAST_SURE, 4 * LEAST_SURE])
  for (let n = 0; n < 64 * LEAST_SURE; n++) wait(SOON_MS / 2)
  wait(LONG_MS)
  assert.is(untilAwake(), 4 * LEAST_SURE)
})

test('what is sent without an answer is one wait, as items of a stream are', () => {
  const { attention, untilAwake } = end()
  untilAwake()
  const nowMs = 1e6
  assert.is(attention.sent(nowMs), true)
  const items = Array.from({ length: 1000 }, (_, n) => attention.sent(nowMs + n * SOON_MS))
  assert.is(items.includes(true), false)
})

test.run()
