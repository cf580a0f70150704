import { TimeSync } from '@fernlab/firmware-bridge/link/time-sync'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('time of a firmware')

/** A counter that runs too fast or too slow, asked over a wire with delays that vary. */
function counter(driftPpm: number, startUs = 0) {
  const state = { value: 7 }
  const random = () => {
    state.value = (Math.imul(state.value, 1664525) + 1013904223) >>> 0
    return state.value / 2 ** 32
  }
  const at = (hostMs: number) => Math.round(startUs + hostMs * 1000 * (1 + driftPpm * 1e-6)) >>> 0
  const ask = (sync: TimeSync, hostMs: number, oneWayMs: () => number) => {
    const there = oneWayMs()
    const back = oneWayMs()
    sync.add(hostMs, hostMs + there + back, at(hostMs + there))
  }
  return { at, ask, random }
}

test('tells when the counter stood at a value, within the quickest exchange', () => {
  const { at, ask, random } = counter(0, 2 ** 31)
  const sync = new TimeSync()
  for (let i = 0; i < 8; i++) ask(sync, 1000 + i, () => 0.2 + random() * 2)
  assert.ok(Math.abs(sync.hostMs(at(1050)) - 1050) < 1)
  assert.ok(sync.uncertaintyMs < 1)
})

test('learns how fast a resonator runs, steers there and stays', () => {
  for (const ppm of [40, -300, 4000]) {
    const { at, ask, random } = counter(ppm)
    const sync = new TimeSync()
    for (let i = 0; i < 8; i++) ask(sync, i, () => 0.3 + random() * 0.4)
    for (let s = 1; s <= 60; s++) ask(sync, s * 1000, () => 0.3 + (random() < 0.2 ? random() * 30 : random() * 0.4))
    assert.ok(Math.abs(sync.driftPpm - ppm) < 15, `${sync.driftPpm} for ${ppm}`)
    assert.ok(Math.abs(sync.hostMs(at(60_500)) - 60_500) < 0.5, `${sync.hostMs(at(60_500))}`)
  }
})

test('never goes back nor jumps while it learns', () => {
  const { at, ask, random } = counter(3000)
  const sync = new TimeSync()
  for (let i = 0; i < 8; i++) ask(sync, i, () => 0.3 + random())
  let last = sync.hostMs(at(100))
  for (let s = 1; s <= 30; s++) {
    for (let ms = 1; ms <= 1000; ms++) {
      const now = sync.hostMs(at(100 + (s - 1) * 1000 + ms))
      assert.ok(now - last > 0.99 && now - last < 1.01, `${now - last} at ${s} s`)
      last = now
    }
    ask(sync, 100 + s * 1000, () => 0.3 + random() * 5)
  }
})

test('goes on over the wraps of the counter', () => {
  const { at, ask } = counter(10, 2 ** 32 - 5_000_000)
  const sync = new TimeSync()
  for (let s = 0; s < 20; s++) ask(sync, s * 1000, () => 0.2)
  assert.ok(Math.abs(sync.hostMs(at(19_500)) - 19_500) < 0.5)
  assert.ok(Math.abs(sync.hostMs(at(2000)) - 2000) < 0.5)
})

test('follows at once when it was far off, as after a machine has slept', () => {
  const { at, ask } = counter(0)
  const sync = new TimeSync()
  for (let s = 0; s < 20; s++) ask(sync, s * 1000, () => 0.2)
  const asleepMs = 60_000
  for (let s = 20; s < 90; s++) sync.add(s * 1000, s * 1000 + 0.4, at(s * 1000 + 0.2 + asleepMs))
  assert.ok(Math.abs(sync.hostMs(at(89_500 + asleepMs)) - 89_500) < 1)
})

test.run()
