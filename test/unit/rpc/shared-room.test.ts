/** The memory that links have together: what is taken of it, what is refused, and that all of it comes back. */
import { ManualClock } from '@fernlab/shared/primitives/clock'
import { busy } from '@fernlab/shared/rpc/errors'
import { PIECE_BYTES } from '@fernlab/shared/rpc/limits'
import { HIGH_WATER_BYTES } from '@fernlab/shared/rpc/link'
import { Lingering } from '@fernlab/shared/rpc/peer/lingering'
import { createPeer } from '@fernlab/shared/rpc/peer/peer'
import type { Serve } from '@fernlab/shared/rpc/peer/serving'
import { SharedRoom } from '@fernlab/shared/rpc/peer/shared-room'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'
import { Wire } from './wire.ts'

const test = suite('memory that links share')
const STEP = 256 * 1024

/** Room for so many bytes, of several links. */
function roomOf(most: number) {
  let taken = 0
  return {
    get taken() {
      return taken
    },
    take: (bytes: number) => {
      if (taken + bytes > most) throw busy('no room')
      taken += bytes
      return () => {
        taken -= bytes
      }
    },
  }
}

function linkOf(room: ReturnType<typeof roomOf>, serve: Serve, lingering?: Lingering) {
  const wire = new Wire()
  const clock = new ManualClock()
  const kept = lingering === undefined ? {} : { lingering, owner: () => 'ada' }
  const peer = createPeer({ link: wire, clock, serve, takeRoom: room.take, ...kept })
  const take = async (message: object) => {
    const text = JSON.stringify({ jsonrpc: '2.0', ...message })
    if (text.length <= PIECE_BYTES) wire.listener?.frame(text)
    else sendPieces(text)
    await clock.advance(0)
  }
  const sendPieces = (text: string) => {
    for (let at = 0; at < text.length; ) {
      const part = text.slice(at, at + PIECE_BYTES)
      at += PIECE_BYTES
      wire.listener?.frame(`${at >= text.length ? '.' : '+'}1:${part}`)
    }
  }
  /** What was sent, of whatever pieces. */
  const said = () => wire.sent.map((frame) => String(frame)).join('\n')
  const refusals = () => (said().match(/"code":"link-busy"/g) ?? []).length
  return { wire, peer, take, said, refusals, clock }
}

test('what a link has of its own costs nothing; beyond it is taken in steps, and given back as it goes', () => {
  const room = roomOf(10 * STEP)
  const of = new SharedRoom(room.take, 1000)
  of.cover(1000)
  assert.is(room.taken, 0)
  of.cover(1001)
  of.cover(1000 + STEP)
  assert.is(room.taken, STEP)
  of.cover(1000 + 5 * STEP)
  assert.is(room.taken, 5 * STEP)
  assert.throws(() => of.cover(1001 + 10 * STEP), /no room/)
  of.shrink(1000 + 5 * STEP)
  assert.is(room.taken, 5 * STEP)
  of.shrink(1000 + STEP)
  assert.is(room.taken, STEP)
  of.shrink(1000)
  assert.is(room.taken, 0)
  of.cover(1000 + 10 * STEP)
  of.shrink(0)
  of.shrink(0)
  assert.is(room.taken, 0)
  new SharedRoom(undefined, 0).cover(Number.MAX_SAFE_INTEGER)
})

test('arguments of calls under way: the next is refused, and has its place once one has ended', async () => {
  const room = roomOf(4 * STEP)
  const done: (() => void)[] = []
  const one = linkOf(room, () => new Promise<void>((resolve) => void done.push(resolve)))
  const other = linkOf(room, () => 'done')
  const params = { data: 'x'.repeat(3 * STEP) }
  await one.take({ id: 1, method: 'a', params })
  assert.equal([done.length, room.taken], [1, 3 * STEP])
  await other.take({ id: 1, method: 'a', params: { data: 'x'.repeat(2 * STEP) } })
  // It was not put together even: its link is left.
  assert.is(other.refusals(), 1)
  // Those that come whole have a place until it is full, and then are refused each by itself.
  for (let id = 2; id <= 8; id++) await one.take({ id, method: 'a', params: { data: 'x'.repeat(60_000) } })
  assert.ok(done.length > 2 && done.length < 8)
  assert.equal([one.refusals(), one.wire.closed, room.taken], [8 - done.length, undefined, 4 * STEP])
  done[0]?.()
  await one.clock.advance(0)
  const before = one.refusals()
  await one.take({ id: 9, method: 'a', params: { data: 'x'.repeat(STEP) } })
  assert.is(one.refusals(), before)
  await one.peer.close()
  assert.is(room.taken, 0)
  for (const end of done) end()
  assert.is(room.taken, 0)
})

test('answers that are not taken: those beyond are link-busy, and what goes is given back', async () => {
  const room = roomOf(4 * STEP)
  const { wire, take, refusals, peer } = linkOf(room, () => 'x'.repeat(3 * STEP))
  wire.pendingBytes = HIGH_WATER_BYTES + 1
  await take({ id: 1, method: 'a' })
  assert.ok(room.taken >= 3 * STEP, `first ${room.taken}`)
  // Waits behind the link: an error has a little room.
  await take({ id: 2, method: 'a' })
  wire.pendingBytes = 0
  wire.listener?.drained()
  assert.is(refusals(), 1)
  assert.is(room.taken, 0)
  wire.pendingBytes = HIGH_WATER_BYTES + 1
  await take({ id: 3, method: 'a' })
  assert.ok(room.taken > 0, `third ${room.taken} ${wire.closed}`)
  await peer.close()
  assert.is(room.taken, 0)
})

test('what a stream keeps that lingers: it ends with link-busy, keeps nothing, and others go on', async () => {
  const room = roomOf(2 * STEP)
  const lingering = new Lingering({ clock: new ManualClock() })
  async function* long() {
    for (;;) yield 'x'.repeat(STEP / 2)
  }
  async function* short() {
    for (let n = 0; n < 3; n++) yield n
  }
  const serve: Serve = (method) => (method === 'long' ? long() : short())
  const { take, refusals, said, peer } = linkOf(room, serve, lingering)
  await take({ id: 1, method: 'long', credit: 1000, lingerMs: 60_000 })
  for (let turn = 0; turn < 1000 && refusals() === 0; turn++) await Promise.resolve()
  assert.equal([refusals(), room.taken, lingering.size], [1, 0, 0])
  await take({ id: 2, method: 'short', credit: 1000, lingerMs: 60_000 })
  assert.is(lingering.size, 1)
  assert.match(said(), '"items":3')
  await peer.close()
  lingering.close()
  assert.is(room.taken, 0)
})

test('long items go one by one, and come so from a service that is asked for about so many bytes', async () => {
  let given = 0
  async function* long() {
    for (;;) {
      given++
      yield 'x'.repeat(STEP)
    }
  }
  const { said, take } = linkOf(roomOf(Number.POSITIVE_INFINITY), long)
  await take({ id: 1, method: 'a', credit: 3 })
  for (let turn = 0; turn < 1000 && given < 3; turn++) await Promise.resolve()
  assert.is(given, 3)
  assert.equal(said().match(/"from":\d/g), ['"from":1', '"from":2', '"from":3'])
  const near = new Wire()
  const peer = createPeer({ link: near, clock: new ManualClock() })
  const stream = peer.stream('a', {}, { windowBytes: STEP })
  const asked = near.texts[0] as { id: number; credit: number }
  assert.is(asked.credit, 1)
  const items = (from: number, values: unknown[]) =>
    near.listener?.frame(JSON.stringify({ method: 'rpc.items', params: { id: asked.id, from, items: values } }))
  const upTo = () => (near.texts.at(-1) as { params?: { upTo: number } }).params?.upTo
  items(1, ['x'])
  await stream.next()
  assert.is(upTo(), 64)
  items(2, ['x'.repeat(STEP)])
  items(3, ['x'])
  await stream.next()
  await stream.next()
  assert.is(upTo(), 64)
})

test.run()
