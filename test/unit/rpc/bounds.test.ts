/** What one end of a link does where it has reached a bound: nothing is thrown where nobody catches it, nothing stays. */
import { ManualClock, systemClock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { cborFormat } from '@fernlab/shared/rpc/cbor-format'
import { type Frame, jsonFormat } from '@fernlab/shared/rpc/formats'
import { defaultLimits } from '@fernlab/shared/rpc/limits'
import { readOutcomes } from '@fernlab/shared/rpc/peer/batch'
import { createPeer, PING } from '@fernlab/shared/rpc/peer/peer'
import * as assert from 'uvu/assert'
import { rejection } from '../../contract/driver-contract.ts'
import { suite } from '../../support/suite.ts'
import { Wire } from './wire.ts'

const test = suite('one end of a link at its bounds')
const few = { ...defaultLimits, pendingBytes: 1000 }

/** An end that calls, over a link that takes nothing more once it is full. */
function caller(clock = new ManualClock()) {
  const wire = new Wire()
  const peer = createPeer({ link: wire, clock, limits: few })
  const fill = () => {
    wire.pendingBytes = 990
  }
  return { wire, peer, clock, fill }
}

test('a message whose pieces do not all come in two minutes ends its link, and one that does not, none', async () => {
  const { wire, clock } = caller()
  wire.listener?.frame('+1:{"jsonrpc":"2.0",')
  await clock.advance(100_000)
  wire.listener?.frame('.1:"id":7,"method":"none"}')
  wire.listener?.frame('+2:{"jsonrpc":"2.0",')
  await clock.advance(119_000)
  assert.is(wire.closed, undefined)
  await clock.advance(1000)
  assert.match(wire.closed ?? '', /not whole after 120 s/)
  const told = wire.texts.at(-1) as { id: null; error: { data: { code: string } } }
  assert.is(told.id, null)
  assert.match(JSON.stringify(told.error), /deadline-exceeded/)
})

test('a deadline that passes while the link takes nothing ends the call, and the link, and throws nothing', async () => {
  const { wire, peer, clock, fill } = caller()
  const codes: string[] = []
  const caught = ({ code }: LabError) => void codes.push(code)
  const calls = [
    peer.call('a', undefined, { timeoutMs: 50 }).catch(caught),
    peer.call('b', undefined, { timeoutMs: 50 }).catch(caught),
  ]
  fill()
  await clock.advance(50)
  await Promise.all(calls)
  assert.equal(codes, ['deadline-exceeded', 'call-uncertain'])
  assert.match(wire.closed ?? '', /does not take them/)
})

test('a signal that aborts while the link takes nothing ends the call, and the link, and throws nothing', async () => {
  const { wire, peer, fill } = caller()
  const leaving = new AbortController()
  const thrown: unknown[] = []
  const onThrown = (error: unknown) => void thrown.push(error)
  // What an abort listener throws ends a process that does not listen for this.
  process.once('uncaughtException', onThrown)
  const call = rejection(peer.call('a', undefined, { signal: leaving.signal }))
  fill()
  leaving.abort()
  assert.is((await call).code, 'call-cancelled')
  await systemClock.sleep(0)
  process.off('uncaughtException', onThrown)
  assert.equal(thrown, [])
  assert.match(wire.closed ?? '', /does not take them/)
})

test('a stream is left, and gone on with, also where the link takes nothing: it ends', async () => {
  const left = caller()
  const stream = left.peer.stream('s')
  left.fill()
  assert.equal(await stream.return(), { done: true, value: undefined })
  assert.match(left.wire.closed ?? '', /does not take them/)

  const { wire, peer, fill } = caller()
  const taken = peer.stream('s', undefined, { credit: 1 })
  wire.listener?.frame(JSON.stringify({ method: 'rpc.items', params: { id: 1, from: 1, items: ['x'] } }))
  fill()
  assert.equal(await taken.next(), { done: false, value: 'x' })
  assert.match(wire.closed ?? '', /does not take them/)
  assert.match((await rejection(taken.next())).code, /link-ended|call-uncertain/)
})

test('each that waits for the end of a link is told of it, whatever another of them throws', async () => {
  const wire = new Wire()
  const troubles: string[] = []
  const peer = createPeer({ link: wire, clock: systemClock, onTrouble: ({ code }) => void troubles.push(code) })
  const told: string[] = []
  peer.onEnd(() => {
    throw new LabError({ code: 'lamp-broken', kind: 'bug', message: 'no light' })
  })
  peer.onEnd(({ code }) => void told.push(code))
  await wire.close()
  assert.equal([told, troubles], [['link-ended'], ['lamp-broken']])
})

test('a ping is sent and answered while no other call is taken', async () => {
  const two = { ...defaultLimits, callsUnderWay: 2 }
  const wire = new Wire()
  const serving = createPeer({ link: wire, clock: new ManualClock(), limits: two, serve: () => new Promise(() => {}) })
  for (const id of [1, 2, 3]) wire.listener?.frame(JSON.stringify({ id, method: 'a' }))
  wire.listener?.frame('{"id":4,"method":"rpc.ping"}')
  const answers = wire.texts as { id: number; result?: unknown; error?: { data: { code: string } } }[]
  assert.equal(
    answers.map(({ id, result, error }) => [id, error === undefined ? typeof result : error.data.code]),
    [
      [3, 'link-busy'],
      [4, 'object'],
    ],
  )
  assert.is(serving.underWay.served, 2)

  const far = new Wire()
  const calling = createPeer({ link: far, clock: new ManualClock(), limits: two })
  const calls = [calling.call('a'), calling.call('b'), calling.call('c')].map(rejection)
  const ping = calling.call(PING)
  far.listener?.frame('{"id":3,"result":null}')
  assert.is(await ping, null)
  await far.close()
  const codes = (await Promise.all(calls)).map(({ code }) => code)
  assert.equal(codes, ['call-uncertain', 'call-uncertain', 'link-busy'])
})

test('a batch whose answers fill a message does no more calls, and gives those that it has', async () => {
  const messageBytes = 20_000
  const answers: Record<string, unknown> = {
    text: 'x'.repeat(3000),
    array: new Float64Array(300),
    numbers: Array.from({ length: 100 }, (_, i) => -i / 3e100),
    odd: new Array(60).fill(Number.NEGATIVE_INFINITY),
    escaped: '\u0001\u00e9\u4e2d'.repeat(400),
    members: Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`a${i}`, false])),
  }
  for (const [method, answer] of Object.entries(answers)) {
    for (const format of [jsonFormat, cborFormat]) {
      const wire = new Wire(format)
      const limits = { ...defaultLimits, messageBytes }
      let done = 0
      const serve = () => {
        done++
        return answer
      }
      createPeer({ link: wire, clock: new ManualClock(), limits, serve })
      const calls = new Array(100).fill(0)
      const params = { methods: [method], calls, params: calls.map(() => null), stop: false }
      wire.listener?.frame(format.write({ id: 1, method: 'rpc.batch', params }, limits))
      await systemClock.sleep(0)
      const { result } = format.read(wire.sent[0] as Frame, limits) as { result: unknown }
      const outcomes = readOutcomes(result, 100)
      const kinds = outcomes.map((outcome) => Object.keys(outcome)[0])
      const what = `${method} ${format.name}`
      assert.ok(done > 4 && done < 40, what)
      assert.is(kinds.lastIndexOf('result'), done - 2, what)
      const last = outcomes[done - 1]
      assert.is(last !== undefined && 'error' in last && last.error.code, 'message-too-large', what)
      assert.ok(
        kinds.slice(done).every((kind) => kind === 'skipped'),
        what,
      )
    }
  }
})

test('an answer of a batch that no message carries is an error of its call alone', async () => {
  const wire = new Wire()
  createPeer({ link: wire, clock: new ManualClock(), serve: (method) => (method === 'a' ? 1n : 'fine') })
  const params = { methods: ['a', 'b'], calls: [0, 1], params: [null, null], stop: false }
  wire.listener?.frame(JSON.stringify({ id: 1, method: 'rpc.batch', params }))
  await systemClock.sleep(0)
  const [first, second] = readOutcomes((wire.texts as { result: unknown }[])[0]?.result, 2)
  assert.is(first !== undefined && 'error' in first && first.error.code, 'value-unwritable')
  assert.equal(second, { result: 'fine' })
})

test.run()
