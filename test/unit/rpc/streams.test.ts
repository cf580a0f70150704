/** Streams of one end of a link, at their edges: asked for as none, kept, gone on with. */
import { ManualClock } from '@fernlab/shared/primitives/clock'
import type { LabError } from '@fernlab/shared/primitives/lab-error'
import { type CreatePeerOptions, createPeer } from '@fernlab/shared/rpc/peer/peer'
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

test.run()
