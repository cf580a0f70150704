import { SharedReadings } from '@fernlab/edge/services/shared-readings'
import { ManualClock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import * as assert from 'uvu/assert'
import { rejection } from '../../../contract/driver-contract.ts'
import { suite } from '../../../support/suite.ts'

const test = suite('what several follow is read once')
const broken = new LabError({ code: 'sensor-gone', kind: 'instrument', message: 'it is gone' })

function open() {
  const clock = new ManualClock()
  const readings = new SharedReadings(clock)
  const reads: string[][] = []
  let faulty: string | undefined
  const read = async (signals: readonly string[], _: AbortSignal) => {
    reads.push([...signals])
    if (faulty !== undefined && signals.includes(faulty)) throw broken
    // It heeds no signal either.
    if (signals.some((name) => name.startsWith('hanging'))) await new Promise(() => {})
    if (signals.includes('slow')) await clock.sleep(600)
    return Object.fromEntries(signals.map((name) => [name, { value: reads.length, time: 0 }]))
  }
  /** Follows until it is left; what came stands in `taken`. */
  const follow = (signals: string[], rateHz: number, more: { guard?: () => void; way?: () => unknown } = {}) => {
    const leave = new AbortController()
    const taken: unknown[] = []
    const over = (async () => {
      for await (const item of readings.follow({ signals, rateHz, signal: leave.signal, read, ...more }))
        taken.push(item)
    })()
    over.catch(() => {}) // looked at by whoever waits for it
    return { taken, over, leave: () => leave.abort(broken) }
  }
  return { clock, reads, follow, breaks: (signal: string | undefined) => (faulty = signal) }
}

test('the one that follows most often says how often it is read; each has its own rate and its own signals', async () => {
  const { clock, reads, follow } = open()
  const quick = Array.from({ length: 20 }, () => follow(['a'], 10))
  const slow = follow(['b', 'a'], 1)
  await clock.advance(0)
  assert.equal(reads, [['a', 'b']])
  await clock.advance(10_000)
  assert.ok(reads.length >= 99 && reads.length <= 102, `${reads.length} readings`)
  for (const { taken } of quick) assert.ok(taken.length >= 99 && taken.length <= 102, `${taken.length} items`)
  assert.ok(slow.taken.length >= 10 && slow.taken.length <= 12, `${slow.taken.length} items`)
  assert.equal(Object.keys(slow.taken[0] as object), ['b', 'a'])
  assert.equal(Object.keys(quick[0]?.taken[0] as object), ['a'])
})

test('others out of step are read with it, and whoever begins has its first reading at once', async () => {
  const { clock, reads, follow } = open()
  for (let begun = 0; begun < 10; begun++) {
    const { taken } = follow(['a'], 1)
    await clock.advance(70)
    assert.is(taken.length, 1)
  }
  const before = reads.length
  await clock.advance(20_000)
  assert.ok(reads.length - before <= 21, `${reads.length - before} readings`)
})

test('a signal that can not be read ends who follows it, and nobody else', async () => {
  const { clock, follow, breaks } = open()
  const both = follow(['a', 'b'], 10)
  const one = follow(['a'], 10)
  await clock.advance(500)
  breaks('b')
  const { length } = one.taken
  await clock.advance(500)
  assert.is((await rejection(both.over)).code, 'sensor-gone')
  assert.ok(one.taken.length >= length + 4)
})

test('who may no more, and who is gone, is read for no more; the others go on', async () => {
  const { clock, reads, follow } = open()
  let may = true
  const guard = () => {
    if (!may) throw new LabError({ code: 'token-revoked', kind: 'caller', message: '' })
  }
  const ending = follow(['a'], 10, { guard })
  const leaving = follow(['a'], 10)
  const staying = follow(['a'], 10)
  await clock.advance(500)
  may = false
  leaving.leave()
  await clock.advance(500)
  assert.is((await rejection(ending.over)).code, 'token-revoked')
  assert.is((await rejection(leaving.over)).code, 'sensor-gone')
  assert.ok(staying.taken.length >= 9)
  staying.leave()
  await clock.advance(0)
  const { length } = reads
  await clock.advance(5000)
  assert.is(reads.length, length)
})

test('those who read by other ways are given nothing of each other', async () => {
  const { clock, reads, follow } = open()
  const holder = follow(['a'], 10, { way: () => 'lease' })
  const other = follow(['a'], 10, { way: () => 'free' })
  await clock.advance(0)
  assert.is(reads.length, 2)
  assert.not.equal(holder.taken, other.taken)
})

test('who follows what never answers keeps nobody else waiting, and is told in the end', async () => {
  const { clock, reads, follow } = open()
  const quick = follow(['quick'], 20)
  await clock.advance(1000)
  const hanging = follow(['hanging'], 1)
  await clock.advance(1000)
  for (const late of [follow(['quick'], 20), follow(['quick', 'other'], 20)]) {
    const { length } = quick.taken
    await clock.advance(2000)
    assert.ok(quick.taken.length - length >= 30, `${quick.taken.length - length} items in 2 s`)
    assert.ok(late.taken.length >= 30, `${late.taken.length} items in 2 s of one that began`)
    late.leave()
  }
  assert.is(hanging.taken.length, 0)
  const before = reads.length
  const { length } = quick.taken
  await clock.advance(10_000)
  assert.ok(reads.length - before <= 201, `${reads.length - before} readings in 10 s`)
  assert.ok(quick.taken.length - length >= 199)
  await clock.advance(16_000)
  const error = await rejection(hanging.over)
  assert.equal([error.code, error.retry], ['deadline-exceeded', 'later'])
  assert.match(error.message, /hanging/)
})

test('those who follow the same are read for once, also where another hangs', async () => {
  const { clock, reads, follow } = open()
  const same = [...Array.from({ length: 10 }, () => follow(['b', 'a'], 10)), follow(['a', 'b'], 5)]
  const hanging = follow(['hanging'], 1)
  await clock.advance(1000)
  const { length } = reads
  await clock.advance(5000)
  assert.ok(reads.length - length <= 51, `${reads.length - length} readings`)
  for (const { taken } of same) assert.ok(taken.length >= 25)
  hanging.leave()
  assert.is((await rejection(hanging.over)).code, 'sensor-gone')
  for (const { leave } of same) leave()
  await clock.advance(0)
  const after = reads.length
  await clock.advance(40_000)
  assert.is(reads.length, after)
})

test('readings that are slow but come are given, each set by itself', async () => {
  const { clock, follow } = open()
  const slow = follow(['slow'], 10)
  const quick = follow(['quick'], 10)
  await clock.advance(10_000)
  assert.ok(slow.taken.length >= 14 && slow.taken.length <= 17, `${slow.taken.length} of the slow one`)
  assert.ok(quick.taken.length >= 90, `${quick.taken.length} of the quick one`)
})

test('a way that hangs keeps no other way waiting', async () => {
  const { clock, follow } = open()
  const quick = follow(['a'], 20, { way: () => 'free' })
  await clock.advance(1000)
  const hanging = follow(['hanging'], 1, { way: () => 'seat' })
  const same = follow(['hanging'], 1, { way: () => 'seat' })
  const { length } = quick.taken
  await clock.advance(2000)
  assert.ok(quick.taken.length - length >= 39, `${quick.taken.length - length} items in 2 s`)
  same.leave()
  hanging.leave()
  for (const { over } of [same, hanging]) assert.is((await rejection(over)).code, 'sensor-gone')
})

test.run()
