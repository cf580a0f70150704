/** Streams of one end of a link, at their edges: asked for as none, kept, gone on with. */
import { ManualClock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { defaultLimits } from '@fernlab/shared/rpc/limits'
import { HIGH_WATER_BYTES } from '@fernlab/shared/rpc/link'
import { Lingering } from '@fernlab/shared/rpc/peer/lingering'
import { type CreatePeerOptions, createPeer } from '@fernlab/shared/rpc/peer/peer'
import { ReceivedStream } from '@fernlab/shared/rpc/peer/received-stream'
import type { CallContext } from '@fernlab/shared/rpc/peer/serving'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'
import { Wire } from './wire.ts'

const test = suite('streams of one end of a link')

/** An end that serves, and what it sent. */
function serving(options: Omit<CreatePeerOptions, 'link' | 'clock'>, clock = new ManualClock()) {
  const wire = new Wire()
  const peer = createPeer({ link: wire, clock, ...options })
  const take = async (message: object) => {
    wire.listener?.frame(JSON.stringify(message))
    await clock.advance(0)
  }
  return { wire, peer, take, clock }
}

/** A source that waits for ever, as one of a quiet instrument; what became of it. */
function quiet() {
  const ends: string[] = []
  const serve = (method: string, _params: unknown, { signal }: CallContext): unknown => {
    if (method === 'plain') return method
    signal.addEventListener('abort', () => ends.push(`signal ${(signal.reason as LabError).code}`))
    const source = {
      [Symbol.asyncIterator]: () => source,
      next: () => new Promise<never>(() => {}),
      return: async () => {
        ends.push('return')
        return { done: true as const, value: undefined }
      },
    }
    return method === 'later' ? Promise.resolve(source) : source
  }
  return { ends, serve }
}

test('a stream that is asked for as none is ended, with all that it holds', async () => {
  for (const method of ['now', 'later']) {
    const asked: Record<string, object> = {
      'one-way': { method },
      call: { id: 1, method },
      batch: { id: 1, method: 'rpc.batch', params: { methods: [method], calls: [0], params: [null], stop: false } },
    }
    for (const [how, message] of Object.entries(asked)) {
      const { ends, serve } = quiet()
      const troubles: string[] = []
      const { wire, peer, take } = serving({ serve, onTrouble: ({ message }) => void troubles.push(message) })
      await take(message)
      assert.equal([...ends].sort(), ['return', 'signal call-invalid'], `${method} ${how}`)
      const said = how === 'one-way' ? troubles.join() : JSON.stringify(wire.texts)
      assert.match(said, new RegExp(`${method} is a stream, and must be asked for as one`))
      assert.is(peer.underWay.served, 0)
    }
  }
})

test('a stream whose time is over takes no place any more, and its source hears why', async () => {
  const { ends, serve } = quiet()
  const { wire, peer, take, clock } = serving({ serve })
  await take({ id: 1, method: 'now', credit: 4, timeoutMs: 100 })
  assert.is(peer.underWay.served, 1)
  await clock.advance(200)
  assert.match(JSON.stringify(wire.texts), 'deadline-exceeded')
  assert.equal([peer.underWay.served, ends], [0, ['signal deadline-exceeded', 'return']])
})

test('a call of a batch hears that its batch was given up', async () => {
  const heard: string[] = []
  const serve = (method: string, _params: unknown, { signal }: CallContext) =>
    new Promise<void>((resolve) => {
      if (method === 'quick') return resolve()
      signal.addEventListener('abort', () => {
        heard.push((signal.reason as LabError).code)
        resolve()
      })
    })
  const { take } = serving({ serve })
  const params = { methods: ['quick', 'slow'], calls: [0, 1], params: [null, null], stop: false }
  await take({ id: 1, method: 'rpc.batch', params })
  await take({ method: 'rpc.cancel', params: { id: 1 } })
  assert.equal(heard, ['call-cancelled'])
})

interface Sent {
  readonly id?: number
  readonly method?: string
  readonly params?: { readonly items?: readonly unknown[]; readonly token?: string }
  readonly error?: { readonly data: { readonly code: string } }
}

const itemsOf = (wire: Wire) => (wire.texts as Sent[]).flatMap(({ params }) => params?.items ?? [])
const tokensOf = (wire: Wire) => (wire.texts as Sent[]).flatMap(({ params }) => params?.token ?? [])
const errorsOf = (wire: Wire) =>
  (wire.texts as Sent[]).flatMap(({ id, error }) => (error === undefined ? [] : [`${id} ${error.data.code}`]))

/** Streams that linger on one node, each link of which is opened by `ada` unless told. */
function lingeringNode({
  most,
  lingerBytes = defaultLimits.lingerBytes,
}: {
  most?: number
  lingerBytes?: number
} = {}) {
  const clock = new ManualClock()
  const lingering = new Lingering({ clock, ...(most === undefined ? {} : { most }) })
  const limits = { ...defaultLimits, lingerBytes }
  const ends: string[] = []
  async function* count(to: number, signal: AbortSignal) {
    signal.addEventListener('abort', () => ends.push('signal'))
    for (let n = 1; n <= to; n++) yield n
  }
  const serve = (_method: string, to: unknown, { signal }: CallContext) => count(to as number, signal)
  const open = (options: Partial<CreatePeerOptions> = {}) =>
    serving({ serve, lingering, limits, owner: () => 'ada', ...options }, clock)
  return { clock, lingering, ends, open }
}

const begin = { id: 1, method: 'count', params: 10, credit: 2, lingerMs: 1000 }
const resumed = (token: string | undefined, seen: number) => ({
  id: 9,
  method: 'rpc.resume',
  params: { token, seen },
  credit: 2,
})
const more = (id: number, upTo: number, seen: number) => ({ method: 'rpc.more', params: { id, upTo, seen } })

test('a stream that went on over another link goes on there when the link before is cancelled, or ends', async () => {
  const node = lingeringNode()
  const before = node.open()
  await before.take(begin)
  const [token] = tokensOf(before.wire)
  const now = node.open()
  await now.take(resumed(token, 2))
  assert.equal([errorsOf(before.wire), before.peer.underWay.served], [['1 stream-gone'], 0])
  await before.take({ method: 'rpc.cancel', params: { id: 1 } })
  await now.take(more(9, 6, 4))
  await before.wire.close()
  await node.clock.advance(2000)
  await now.take(more(9, 12, 6))
  assert.equal(itemsOf(now.wire), [3, 4, 5, 6, 7, 8, 9, 10])
  assert.equal(node.ends, [])
  await now.take(more(9, 12, 10))
  assert.equal([node.lingering.size, now.peer.underWay.served], [0, 0])
})

test('a stream goes on over another link though the one before never has room again', async () => {
  const node = lingeringNode()
  const before = node.open()
  await before.take({ ...begin, credit: 0 })
  before.wire.pendingBytes = HIGH_WATER_BYTES + 1
  await before.take(more(1, 2, 0))
  const now = node.open()
  await now.take(resumed(tokensOf(before.wire)[0], 0))
  assert.equal(itemsOf(now.wire), [1, 2])
})

test('a stream for which there is no place to linger streams as one that was not to', async () => {
  const node = lingeringNode({ most: 0, lingerBytes: 1 })
  const { wire, peer, take } = node.open()
  await take({ ...begin, credit: 11 })
  assert.equal([itemsOf(wire).length, tokensOf(wire), peer.underWay.served], [10, [], 0])
})

test('at most 32 streams of one owner linger, and none longer than 10 minutes', async () => {
  const node = lingeringNode()
  const { wire, take } = node.open()
  for (let id = 1; id <= 33; id++) await take({ ...begin, id, lingerMs: 1e9 })
  const eve = node.open({ owner: () => 'eve' })
  await eve.take(begin)
  assert.equal([tokensOf(wire).length, tokensOf(eve.wire).length, node.lingering.size], [32, 1, 33])
  await wire.close()
  await node.clock.advance(599_999)
  assert.is(node.lingering.size, 33)
  await node.clock.advance(1)
  assert.is(node.lingering.size, 1)
})

test('a stream is not gone on with by who may not call its method any more, and waits on', async () => {
  const node = lingeringNode()
  const first = node.open()
  await first.take(begin)
  const [token] = tokensOf(first.wire)
  await first.wire.close()
  const asked: string[] = []
  const mayResume = (method: string) => {
    asked.push(method)
    throw new LabError({ code: 'right-missing', kind: 'caller', message: 'no' })
  }
  const refused = node.open({ mayResume })
  await refused.take(resumed(token, 2))
  assert.equal([asked, errorsOf(refused.wire)], [['count'], ['9 right-missing']])
  const again = node.open()
  await again.take(resumed(token, 2))
  assert.equal(itemsOf(again.wire), [3, 4])
})

test('nothing lingers of an owner who is none any more when the link ends', async () => {
  const node = lingeringNode()
  let owner: string | undefined = 'ada'
  const { wire, take } = node.open({ owner: () => owner })
  await take(begin)
  owner = undefined
  await wire.close()
  assert.equal([node.lingering.size, node.ends], [0, ['signal']])
})

test('a stream whose items the other end does not take is kept for another link', async () => {
  const node = lingeringNode()
  const first = node.open()
  await first.take(begin)
  const [token] = tokensOf(first.wire)
  await first.wire.close()
  const full = node.open({ limits: { ...defaultLimits, pendingBytes: 400 } })
  full.wire.pendingBytes = 390
  await full.take(resumed(token, 0))
  assert.match(full.wire.closed ?? '', /does not take them/)
  const again = node.open()
  await again.take(resumed(token, 0))
  assert.equal(itemsOf(again.wire), [1, 2])
  await again.wire.close()
  await node.clock.advance(1000)
  assert.is(node.lingering.size, 0)
})

test('what comes again of a stream that is gone on with is taken together, and counted in bytes from there on', async () => {
  const granted: number[] = []
  const port = { more: (upTo: number) => void granted.push(upTo), cancel: () => assert.unreachable() }
  const received = new ReceivedStream(port, { credit: 64, windowBytes: 1000 }, { token: 'kept', seen: 10 })
  const items = Array.from({ length: 40 }, (_, n) => n)
  received.receive(11, items, 40 * 100)
  for (const item of items) assert.is((await received.next()).value, item)
  // Ten of a hundred bytes each, beyond what was granted at first.
  received.receive(51, [40], 100)
  assert.is((await received.next()).value, 40)
  assert.ok(Math.max(0, ...granted) <= 74, `${granted}`)
  received.end(undefined)
  assert.is((await received.next()).done, true)
})

test.run()
