import { readMessage, writeMessage } from '@fernlab/shared/links/mqtt/bundle-messages'
import { type BundledLink, LinkBundle, WINDOW_BYTES } from '@fernlab/shared/links/mqtt/link-bundle'
import { ManualClock } from '@fernlab/shared/primitives/clock'
import { cborFormat } from '@fernlab/shared/rpc/cbor-format'
import { jsonFormat } from '@fernlab/shared/rpc/formats'
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('links that share one way')

/** Two ends; what goes each way waits until the test hands it over. */
function bundles({ most, firstBytes }: { most?: number; firstBytes?: number } = {}) {
  const clock = new ManualClock()
  const [down, up]: [Uint8Array[], Uint8Array[]] = [[], []]
  const taken: BundledLink[] = []
  const near = new LinkBundle({ send: (message) => void down.push(message), clock, ...(firstBytes && { firstBytes }) })
  const far = new LinkBundle({
    send: (message) => void up.push(message),
    accept: (link) => void taken.push(link),
    clock,
    ...(most === undefined ? {} : { most }),
  })
  const carry = async () => {
    while (down.length + up.length > 0) {
      for (const message of down.splice(0)) far.take(message)
      for (const message of up.splice(0)) near.take(message)
      await clock.advance(0)
    }
  }
  return { near, far, down, up, taken, carry, clock }
}

function heard(link: BundledLink | undefined) {
  const frames: unknown[] = []
  const ends: string[] = []
  let drained = 0
  link?.listen({
    frame: (frame) => void frames.push(frame),
    drained: () => void drained++,
    ended: ({ message }) => void ends.push(message),
  })
  return { frames, ends, drained: () => drained }
}

test('frames of several links arrive at their own, in order', async () => {
  const { near, taken, carry } = bundles()
  const [a, b] = [near.open(jsonFormat), near.open(cborFormat)]
  a.send('a1')
  b.send(Uint8Array.of(1))
  a.send('a2')
  await carry()
  assert.equal(
    taken.map(({ format }) => format.name),
    ['json', 'cbor'],
  )
  const [atA, atB] = [heard(taken[0]), heard(taken[1])]
  await carry()
  assert.equal(atA.frames, ['a1', 'a2'])
  assert.equal(atB.frames, [Uint8Array.of(1)])
})

test('a frame that was lost ends its link at both ends, and no other', async () => {
  const { near, far, down, taken, carry } = bundles()
  const [a, b] = [near.open(jsonFormat), near.open(jsonFormat)]
  await carry()
  const here = heard(a)
  const there = heard(taken[0])
  heard(taken[1])
  await carry()
  a.send('1')
  a.send('2')
  down.shift()
  await carry()
  assert.equal(there.frames, [])
  assert.match(there.ends.join(), /lost on the way/)
  assert.match(here.ends.join(), /lost on the way/)
  b.send('3')
  await carry()
  assert.is(near.size, 1)
  assert.is(far.size, 1)
})

test('a link that is held lets a window through and no more, and goes on when it is let go', async () => {
  const { near, taken, carry } = bundles()
  const link = near.open(cborFormat)
  const here = heard(link)
  await carry()
  const there = heard(taken[0])
  await carry()
  taken[0]?.hold(true)
  const piece = new Uint8Array(64 * 1024)
  for (let count = 0; count < 40; count++) link.send(piece)
  await carry()
  assert.is(there.frames.length, WINDOW_BYTES / piece.length)
  assert.is(link.pendingBytes, 40 * piece.length - WINDOW_BYTES)
  assert.is(here.drained(), 0)
  taken[0]?.hold(false)
  await carry()
  assert.is(there.frames.length, 40)
  assert.is(link.pendingBytes, 0)
  assert.is(here.drained(), 1)
})

test('a close lets what was sent go first, but waits no longer than a second for who takes nothing', async () => {
  const { near, taken, carry, clock, far } = bundles()
  const link = near.open(cborFormat)
  await carry()
  const there = heard(taken[0])
  await carry()
  for (let count = 0; count < 20; count++) link.send(new Uint8Array(64 * 1024))
  void link.close('done')
  await carry()
  assert.is(there.frames.length, 20)
  assert.match(there.ends.join(), /done/)
  assert.is(near.size + far.size, 0)

  const stuck = near.open(cborFormat)
  await carry()
  heard(taken[1])
  await carry()
  taken[1]?.hold(true)
  for (let count = 0; count < 20; count++) stuck.send(new Uint8Array(64 * 1024))
  const closed = stuck.close('done')
  await clock.advance(1000)
  await closed
  await carry()
  assert.is(near.size + far.size, 0)
})

test('the link over the limit is refused with the reason, and nobody else notices', async () => {
  const { near, taken, carry } = bundles({ most: 2 })
  const links = [1, 2, 3].map(() => near.open(jsonFormat))
  const ends = links.map(heard)
  await carry()
  assert.is(taken.length, 2)
  assert.equal(
    ends.map((end) => end.ends.length),
    [0, 0, 1],
  )
  assert.match(ends[2]?.ends.join() ?? '', /too many links/)
})

test('until the other end has said something no more than the first bytes of a link go out, then all', async () => {
  const { near, taken, carry, down } = bundles({ firstBytes: 64 * 1024 })
  const link = near.open(jsonFormat)
  const here = heard(link)
  await carry()
  const there = heard(taken[0])
  const frame = 'x'.repeat(20 * 1024)
  for (let sent = 0; sent < 10; sent++) link.send(frame)
  assert.ok(down.reduce((bytes, message) => bytes + message.length, 0) <= 65 * 1024)
  await carry()
  assert.is(there.frames.length, 3)
  assert.is(link.pendingBytes, 7 * frame.length)
  taken[0]?.send('signed in')
  await carry()
  assert.equal([there.frames.length, link.pendingBytes, here.frames.length], [10, 0, 1])
  // One that is larger than that waits too.
  const other = near.open(jsonFormat)
  heard(other)
  await carry()
  const beyond = heard(taken[1])
  other.send('y'.repeat(70 * 1024))
  await carry()
  assert.is(beyond.frames.length, 0)
  taken[1]?.send('go on')
  await carry()
  assert.is(beyond.frames.length, 1)
})

test('messages are read as they were written, and nothing else throws', () => {
  fc.assert(
    fc.property(fc.nat(2 ** 32 - 1), fc.nat(2 ** 32 - 1), fc.uint8Array({ maxLength: 40 }), (link, count, frame) => {
      for (const message of [
        { kind: 'frame', link, count, frame } as const,
        { kind: 'frame', link, count, frame: 'Ω' } as const,
        { kind: 'taken', link, bytes: count } as const,
        { kind: 'open', link, format: 'cbor' } as const,
        { kind: 'close', link, why: 'done' } as const,
      ])
        assert.equal(readMessage(writeMessage(message)), message)
      readMessage(frame)
    }),
  )
  const { near, far, taken } = bundles()
  near.open(jsonFormat)
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      near.take(bytes)
      far.take(bytes)
      for (const link of taken.splice(0)) void link.close()
    }),
    { numRuns: 2000 },
  )
})

test.run()
