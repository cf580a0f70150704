import { ManualClock, systemClock } from '@fernlab/shared/primitives/clock'
import type { LabError } from '@fernlab/shared/primitives/lab-error'
import { cborFormat } from '@fernlab/shared/rpc/cbor-format'
import type { Frame } from '@fernlab/shared/rpc/formats'
import { jsonFormat } from '@fernlab/shared/rpc/formats'
import { defaultLimits, PIECE_BYTES, type RpcLimits } from '@fernlab/shared/rpc/limits'
import { HIGH_WATER_BYTES } from '@fernlab/shared/rpc/link'
import { createPeer } from '@fernlab/shared/rpc/peer/peer'
import { Inbox, Pieces } from '@fernlab/shared/rpc/peer/pieces'
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'
import { Wire } from './wire.ts'

const test = suite('one end of a link', { timeoutMs: 60_000 })

test('any JSON-RPC 2.0 client is understood', async () => {
  const wire = new Wire()
  createPeer({ link: wire, clock: systemClock, serve: (method, params) => ({ method, params }) })
  wire.listener?.frame('{"jsonrpc":"2.0","id":"a","method":"psu/set","params":{"voltage":1}}')
  wire.listener?.frame('{"jsonrpc":"2.0","id":"b","method":"rpc.ping"}')
  wire.listener?.frame('nonsense')
  assert.equal(wire.texts.slice(0, 2), [
    { jsonrpc: '2.0', id: 'a', result: { method: 'psu/set', params: { voltage: 1 } } },
    { jsonrpc: '2.0', id: 'b', result: { columns: true } },
  ])
  void wire.close()
  const [, , refusal] = wire.texts as { id: unknown; error: { code: number } }[]
  assert.equal([refusal?.id, refusal?.error.code], [null, -32700])
})

test('random frames do no call, throw nothing, leave nothing, and end the link', () => {
  for (const format of [jsonFormat, cborFormat]) {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.uint8Array({ maxLength: 40 }), fc.string()), { maxLength: 40 }), (frames) => {
        const wire = new Wire(format)
        let done = 0
        const peer = createPeer({ link: wire, clock: systemClock, serve: () => done++ })
        for (const frame of frames) wire.listener?.frame(frame)
        assert.is(done, 0)
        assert.equal(peer.underWay, { calls: 0, served: 0, callbacks: 0 })
        void wire.close()
      }),
      { numRuns: 2000 },
    )
  }
})

test('an end that sends nonsense again and again is left', () => {
  const wire = new Wire()
  createPeer({ link: wire, clock: systemClock })
  for (let n = 0; n < 16; n++) wire.listener?.frame('nonsense')
  assert.is(wire.closed, undefined)
  wire.listener?.frame('nonsense')
  assert.match(wire.closed ?? '', /could not be read/)
})

test('an end that is left does no call more, though its link takes its time to end', () => {
  const wire = new Wire()
  let [closes, done] = [0, 0]
  wire.close = async () => void closes++
  createPeer({ link: wire, clock: systemClock, serve: () => done++ })
  for (let n = 0; n < 40; n++) wire.listener?.frame('nonsense')
  wire.listener?.frame('{"id":1,"method":"psu/set"}')
  wire.listener?.frame('{"method":"psu/set"}')
  assert.equal([closes, done, wire.sent.length], [1, 0, 16])
})

test('who makes a call that can not be read is told which, at once, and goes on', () => {
  const wire = new Wire()
  let done = 0
  createPeer({ link: wire, clock: systemClock, serve: () => done++ })
  const long = 'a'.repeat(10_000)
  const wrong = [{ method: long }, { method: '' }, { method: 7 }, { method: 'a/b', timeoutMs: -1 }]
  for (let n = 1; n <= 40; n++) wire.listener?.frame(JSON.stringify({ id: n, ...wrong[n % wrong.length] }))
  const told = wire.texts as { id: number; error: { data: { code: string } } }[]
  assert.equal(
    told.map(({ id, error }) => [id, error.data.code]),
    Array.from({ length: 40 }, (_, n) => [n + 1, 'rpc-unreadable']),
  )
  assert.equal([wire.closed, done], [undefined, 0])
})

test('a call with the id of one that is under way is refused and not done', () => {
  const wire = new Wire()
  let done = 0
  createPeer({
    link: wire,
    clock: systemClock,
    serve: () => {
      done++
      return new Promise(() => {})
    },
  })
  const frame = '{"jsonrpc":"2.0","id":7,"method":"a"}'
  wire.listener?.frame(frame)
  wire.listener?.frame(frame)
  assert.is(done, 1)
  assert.match(JSON.stringify(wire.texts), /under way already/)
  void wire.close()
})

test('the node gives up a call by its own clock, though nobody cancels it', async () => {
  const clock = new ManualClock()
  const wire = new Wire()
  let reason: unknown
  createPeer({
    link: wire,
    clock,
    serve: (_method, _params, { signal }) =>
      new Promise(() => signal.addEventListener('abort', () => (reason = (signal.reason as LabError).code))),
  })
  wire.listener?.frame('{"id":1,"method":"a","timeoutMs":50}')
  wire.listener?.frame('{"id":2,"method":"a"}')
  await clock.advance(49)
  assert.is(wire.sent.length, 0)
  await clock.advance(1)
  assert.is(reason, 'deadline-exceeded')
  assert.is(wire.sent.length, 1)
  await clock.advance(30_000)
  assert.is(wire.sent.length, 2)
})

test('an answer that nobody waits for any more is no answer to another call', async () => {
  const wire = new Wire()
  const peer = createPeer({ link: wire, clock: systemClock })
  const call = peer.call('a')
  for (const id of [2, '1', 99]) wire.listener?.frame(JSON.stringify({ id, result: 'wrong' }))
  wire.listener?.frame('{"id":1,"result":"right"}')
  wire.listener?.frame('{"id":1,"result":"again"}')
  assert.is(await call, 'right')
  await wire.close()
})

test('pieces go only while the link has room, and small messages pass between them', async () => {
  const wire = new Wire()
  const peer = createPeer({ link: wire, clock: systemClock })
  const codes: string[] = []
  const caught = ({ code, message }: LabError) => {
    codes.push(code)
    assert.is(message.match(/the link ended: /g)?.length ?? 0, 0, message)
  }
  wire.pendingBytes = HIGH_WATER_BYTES + 1
  const long = peer.call('long', 'x'.repeat(3 * PIECE_BYTES)).catch(caught)
  const small = peer.call('small').catch(caught)
  assert.equal(wire.texts, [{ jsonrpc: '2.0', id: 2, method: 'small', timeoutMs: 30_000 }])
  wire.pendingBytes = 0
  wire.listener?.drained()
  assert.is(wire.sent.length, 5)
  void wire.close()
  await Promise.all([long, small])
  assert.equal(codes, ['call-uncertain', 'call-uncertain'])
})

test('a call of which a part was never sent was not done: it may be repeated', async () => {
  const wire = new Wire()
  const peer = createPeer({ link: wire, clock: systemClock })
  wire.pendingBytes = HIGH_WATER_BYTES + 1
  const long = peer.call('long', 'x'.repeat(3 * PIECE_BYTES))
  void wire.close()
  try {
    await long
    assert.unreachable()
  } catch (error) {
    const { code, retry, message } = error as LabError
    assert.equal([code, retry, message], ['link-ended', 'now', 'the link ended: closed'])
  }
})

test('an end that takes no answers is left', () => {
  const wire = new Wire()
  const limits = { ...defaultLimits, pendingBytes: 1000 }
  createPeer({ link: wire, clock: systemClock, limits, serve: () => 'x'.repeat(900) })
  wire.pendingBytes = 990
  wire.listener?.frame('{"id":1,"method":"a"}')
  assert.match(wire.closed ?? '', /does not take them/)
})

test('a batch that is none is refused before a call of it is done', () => {
  const wire = new Wire()
  let done = 0
  createPeer({ link: wire, clock: systemClock, serve: () => done++ })
  const wrongs = [
    { methods: ['a'], calls: [0, 1], params: [null, null], stop: false },
    { methods: ['a'], calls: [0], params: [], stop: false },
    { methods: [1], calls: [0], params: [null], stop: false },
    { methods: ['a'], calls: ['0'], params: [null], stop: false },
    { methods: ['a'], calls: [-1], params: [null], stop: false },
    { methods: ['a'], calls: [0], params: [null] },
    { methods: ['a'], calls: new Array(50_001).fill(0), params: new Array(50_001).fill(null), stop: false },
  ]
  wrongs.forEach((params, n) => {
    wire.listener?.frame(JSON.stringify({ id: n + 1, method: 'rpc.batch', params }))
  })
  const codes = (wire.texts as { error: { code: number } }[]).map(({ error }) => error.code)
  void wire.close()
  assert.equal(
    codes,
    wrongs.map(() => -32700),
  )
  assert.is(done, 0)
})

test('a stream that comes out of step, or faster than it may, ends with an error', async () => {
  for (const items of [
    { from: 2, items: [1] },
    { from: 1, items: [1, 2, 3] },
  ]) {
    const wire = new Wire()
    const stream = createPeer({ link: wire, clock: systemClock }).stream('s', undefined, { credit: 2 })
    wire.listener?.frame(JSON.stringify({ method: 'rpc.items', params: { id: 1, ...items } }))
    try {
      await stream.next()
      assert.unreachable()
    } catch (error) {
      assert.is((error as LabError).code, 'stream-out-of-step')
    }
    assert.match(JSON.stringify(wire.texts), /rpc\.cancel/)
    await wire.close()
  }
})

test('pieces are put together whatever their order between messages, and bounded', () => {
  const bytes = new Uint8Array(3 * PIECE_BYTES + 1).map((_, n) => n % 251)
  const texts = ['ñ𝄞'.repeat(60_000), 'b'.repeat(PIECE_BYTES + 1)]
  const inboxOf = (limits: RpcLimits) =>
    new Inbox({ limits, clock: new ManualClock(), takeRoom: undefined, onLate: () => {} })
  const inbox = inboxOf(defaultLimits)
  const cut = [...texts, bytes, bytes].map((frame, n) => new Pieces(frame, n + 1))
  const whole: unknown[] = []
  const take = (frame: Frame) => {
    const all = inbox.take(frame)
    if (all !== undefined) whole.push(all)
  }
  const wires = cut.map((_, n) => {
    // Two parts of a frame arrive as one.
    const sendParts = (head: Uint8Array, body: Uint8Array) => take(Uint8Array.from([...head, ...body]))
    return { send: take, ...(n === cut.length - 1 ? { sendParts } : {}) }
  })
  while (cut.some((pieces) => !pieces.isDone)) {
    for (const [n, pieces] of cut.entries()) if (!pieces.isDone) pieces.sendNext(wires[n] as (typeof wires)[number])
  }
  assert.is(whole.length, 4)
  assert.ok(texts.every((text) => whole.includes(text)))
  for (const frame of whole.filter((frame) => typeof frame !== 'string')) assert.equal(frame, bytes)
  const limits = { ...defaultLimits, partialMessages: 2, messageBytes: 1000, pendingBytes: 2000 }
  const small = inboxOf(limits)
  small.take('+1:a')
  small.take('+2:b')
  assert.throws(() => small.take('+3:c'), /more than 2 messages/)
  assert.throws(() => small.take(`+1:${'x'.repeat(1000 + PIECE_BYTES)}`), /more than 1000 bytes/)
  for (const wrong of ['+:a', '+x:a', '.', Uint8Array.of(1, 0)])
    assert.throws(() => small.take(wrong), /without a number/)
  const flood = inboxOf({ ...limits, messageBytes: 1e9, pendingBytes: 6400 })
  assert.throws(() => {
    for (let n = 0; n < 200; n++) flood.take('+1:')
  }, /6400 bytes/)
})

test.run()
