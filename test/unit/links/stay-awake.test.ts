/** When a link keeps its process awake for an answer. */
import { Attention, BLOCK, LEAST_SURE, LONG_MS, LOOK_AGAIN, SOON_MS } from '@fernlab/shared/links/stay-awake'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('waiting for an answer awake')

const ASLEEP = SOON_MS / 2

/** An end whose waits take so long asleep, and so long awake. */
function end(awakeMs: number, asleepMs = ASLEEP) {
  const attention = new Attention()
  let nowMs = 1
  /** Whether the wait was awake. */
  const wait = (ms?: number): boolean => {
    const isAwake = attention.sent(nowMs)
    nowMs += ms ?? (isAwake ? awakeMs : asleepMs)
    attention.came(nowMs)
    return isAwake
  }
  const waits = (count: number) => Array.from({ length: count }, () => wait())
  /** How many waits it takes until one is awake. */
  const untilAwake = () => waits(100_000).indexOf(true)
  return { attention, wait, waits, untilAwake }
}

const share = (waits: readonly boolean[]) => waits.filter((isAwake) => isAwake).length / waits.length

test('where it is sooner so, nearly all is waited for awake, and what it takes asleep is looked at again', () => {
  const { waits, untilAwake } = end(ASLEEP / 2)
  assert.is(untilAwake(), LEAST_SURE)
  const later = waits(10 * LOOK_AGAIN)
  assert.ok(share(later) > 0.95 && share(later) < 1, String(share(later)))
})

test('where it is not, it is tried ever more rarely', () => {
  const { waits } = end(ASLEEP)
  const first = waits(16 * LEAST_SURE)
  assert.is(first.indexOf(true), LEAST_SURE)
  assert.ok(share(waits(500 * BLOCK)) < share(first) / 4)
  const last = share(waits(5000 * BLOCK))
  assert.ok(last > 0 && last < 0.02, String(last))
})

test('a few answers that are late end it not, being late on average does', () => {
  const { wait, waits, untilAwake } = end(ASLEEP / 4)
  untilAwake()
  waits(BLOCK)
  for (let block = 0; block < 8; block++) {
    wait(LONG_MS)
    assert.is(share(waits(BLOCK - 1)), 1)
  }
  for (let n = 0; n < 2 * BLOCK; n++) wait(2 * ASLEEP)
  assert.is(wait(), false)
})

test('an answer that takes for ever counts as one that is long', () => {
  const { wait, waits, untilAwake } = end(ASLEEP / 4)
  untilAwake()
  waits(BLOCK)
  wait(1e6)
  assert.is(share(waits(4 * BLOCK)), 1)
})

test('who calls now and then, or waits for what takes its time, is never awake', () => {
  const rare = end(ASLEEP / 4)
  assert.is(share(Array.from({ length: 10_000 }, (_, n) => rare.wait(n % BLOCK === 0 ? 1000 : undefined))), 0)
  assert.is(share(end(ASLEEP, SOON_MS * 2).waits(10_000)), 0)
})

test('what is sent without an answer is one wait, as items of a stream are', () => {
  const { attention, untilAwake } = end(ASLEEP / 4)
  untilAwake()
  const nowMs = 1e6
  const items = Array.from({ length: 1000 }, (_, n) => attention.sent(nowMs + n * SOON_MS))
  assert.is(items.slice(1).includes(true), false)
})

test.run()
