import type { Block } from '@fernlab/edge/drivers/driver'
import { pacedBlocks } from '@fernlab/edge/services/paced-blocks'
import { ManualClock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import * as assert from 'uvu/assert'
import { rejection } from '../../../contract/driver-contract.ts'
import { suite } from '../../../support/suite.ts'

const test = suite('blocks of samples at a pace')
const broken = new LabError({ code: 'board-gone', kind: 'instrument', message: 'it is gone' })

/** Blocks that come when the test says so. */
function hardware() {
  const waiting: { block?: Block; end?: LabError | 'ended' }[] = []
  let wake = () => {}
  let sample = 0
  let left = false
  const put = (one: (typeof waiting)[number]) => {
    waiting.push(one)
    wake()
  }
  async function* blocks(): AsyncGenerator<Block> {
    try {
      for (;;) {
        while (waiting.length === 0) await new Promise<void>((resolve) => (wake = resolve))
        const { block, end } = waiting.shift() ?? {}
        if (end === 'ended') return
        if (end !== undefined) throw end
        if (block !== undefined) yield block
      }
    } finally {
      left = true
    }
  }
  const numbers = (count: number) => Float64Array.from({ length: count }, () => sample++)
  return {
    blocks,
    get isLeft() {
      return left
    },
    give: (count: number) => {
      const values = numbers(count)
      put({ block: { time: values.map((value) => value / 10), columns: { a: values, b: values.map((v) => -v) } } })
    },
    end: (end: LabError | 'ended') => put({ end }),
  }
}

function paced() {
  const clock = new ManualClock()
  const source = hardware()
  const taken: { readonly atMs: number; readonly block: Block }[] = []
  const stream = pacedBlocks(source.blocks(), clock, 10)
  const over = (async () => {
    for await (const block of stream) taken.push({ atMs: clock.monotonic(), block })
  })()
  over.catch(() => {}) // looked at by whoever waits for it
  const numbers = () => taken.flatMap(({ block }) => [...(block.columns.a ?? [])])
  return { clock, source, taken, stream, over, numbers }
}
const counting = (count: number) => Array.from({ length: count }, (_, i) => i)

test('many come together, each sample once and in order', async () => {
  const { clock, source, taken, numbers } = paced()
  for (let ms = 0; ms < 1000; ms++) {
    source.give(3)
    await clock.advance(1)
  }
  await clock.advance(10)
  assert.ok(taken.length >= 90 && taken.length <= 102, `${taken.length} blocks in a second`)
  assert.equal(numbers(), counting(3000))
  for (const { block } of taken) {
    assert.equal(Object.keys(block.columns), ['a', 'b'])
    for (const column of [block.columns.b, block.time]) assert.is(column?.length, block.columns.a?.length)
    assert.is(block.time[0], (block.columns.a?.[0] ?? Number.NaN) / 10)
  }
})

test('what came early is given when it is due, also where nothing comes after it; what comes late at once', async () => {
  const { clock, source, taken, numbers } = paced()
  source.give(1)
  await clock.advance(1)
  source.give(1)
  await clock.advance(8)
  assert.equal(numbers(), [0])
  await clock.advance(1)
  assert.equal(numbers(), [0, 1])
  await clock.advance(500)
  source.give(1)
  await clock.advance(0)
  assert.equal(numbers(), [0, 1, 2])
  assert.is(taken.at(-1)?.atMs, 510)
})

test('an end and an error come after the samples before them', async () => {
  for (const end of ['ended', broken] as const) {
    const { clock, source, numbers, over } = paced()
    source.give(2)
    await clock.advance(1)
    source.give(2)
    source.end(end)
    await clock.advance(20)
    assert.equal(numbers(), counting(4))
    if (end === 'ended') await over
    else assert.is((await rejection(over)).code, 'board-gone')
  }
})

test('no block grows without an end while it waits', async () => {
  const { clock, source, taken, numbers } = paced()
  source.give(1)
  await clock.advance(1)
  for (let n = 0; n < 10; n++) source.give(20_000)
  await clock.advance(100)
  assert.is(numbers().length, 200_001)
  for (const { block } of taken) assert.ok(block.time.length <= 40_000, `${block.time.length} samples`)
})

test('who leaves waits for nothing, and its source ends', async () => {
  const clock = new ManualClock()
  const source = hardware()
  const stream = pacedBlocks(source.blocks(), clock, 10)
  source.give(1)
  await stream.next()
  await stream.return(undefined)
  await clock.advance(0)
  assert.ok(source.isLeft)
})

test.run()
