import { localLinks } from '@fernlab/shared/links/local/local-link'
import { systemClock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { matchesPattern } from '@fernlab/shared/protocol/patterns'
import { createProxy, type Proxy as ServiceProxy } from '@fernlab/shared/rpc/contract/proxy'
import { serveServices } from '@fernlab/shared/rpc/contract/serve-service'
import { type Outcome, type Readings, resultOf } from '@fernlab/shared/rpc/contract/service-batch'
import { type ActionContract, defineService, type ServiceContract } from '@fernlab/shared/rpc/contract/service-contract'
import { type BatchOptions, createPeer, type Peer } from '@fernlab/shared/rpc/peer/peer'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('batches of a service')

const meter = defineService({
  kind: 'meter',
  version: '1.0',
  actions: {
    measure: { arguments: { range: { type: 'integer', minimum: 1 } }, result: { type: 'number' }, idempotent: true },
    wave: { arguments: {}, result: { type: 'array', of: 'float64' } },
    beep: { arguments: { times: { type: 'integer', default: 1 } } },
    fail: { arguments: {}, result: { type: 'string' } },
    hang: { arguments: {} },
    sweep: { arguments: {}, items: { type: 'number' } },
  },
  signals: { offset: { unit: 'V', dtype: 'number', shape: [], kind: 'configuration', access: 'read-set' } },
  events: {},
})

function lab() {
  const done: unknown[] = []
  const [here, there] = localLinks()
  const served = {
    contract: meter,
    call: (action: string, args: Readonly<Record<string, unknown>>, { signal }: { readonly signal: AbortSignal }) => {
      done.push(action)
      if (action === 'fail') throw new LabError({ code: 'lamp-off', kind: 'instrument', message: 'the lamp is off' })
      if (action === 'wave') return new Float64Array([1, 2])
      if (action !== 'hang') return action === 'measure' ? Number(args.range) * 1.5 : undefined
      return new Promise((_, reject) => {
        signal.addEventListener('abort', () => {
          done.push('hang was told')
          reject(signal.reason)
        })
      })
    },
    read: async () => ({ offset: { value: 0.5, time: 7 } }),
    set: async (_: string, value: unknown) => void done.push(value),
  }
  const find = (name: string) => (name === 'meter' ? served : undefined)
  createPeer({ link: there, clock: systemClock, serve: serveServices(find, matchesPattern) })
  const peer = createPeer({ link: here, clock: systemClock })
  const sent: (BatchOptions | undefined)[] = []
  const caller = {
    call: peer.call.bind(peer),
    stream: peer.stream.bind(peer),
    batch: (calls: Parameters<Peer['batch']>[0], options?: BatchOptions) => {
      sent.push(options)
      return peer.batch(calls, options)
    },
  }
  return { proxy: createProxy(caller, 'meter', meter), done, sent, peer }
}

const rejection = (work: Promise<unknown>): Promise<LabError> =>
  work.then(
    () => assert.unreachable('it was done') as never,
    (error: LabError) => error,
  )

test('calls are done in order, and each outcome has the type that the contract says', async () => {
  const { proxy, done, peer } = lab()
  const outcomes = await proxy.batch([
    ['signals.set', { signal: 'offset', value: 0.25 }],
    ['measure', { range: 2 }],
    ['wave', {}],
    ['beep', {}],
    ['signals.read', { signals: ['offset'] }],
  ])
  assert.equal(done, [0.25, 'measure', 'wave', 'beep'])
  // The types are exact: these lines would not compile otherwise.
  const [set, measured, wave, beep, read] = outcomes
  const nothing: null = resultOf(set)
  const number: number = resultOf(measured)
  const samples: Float64Array = resultOf(wave)
  const readings: Readings = resultOf(read)
  const none: Outcome<null> = beep
  assert.equal(
    [nothing, number, samples, readings.offset, none],
    [null, 3, Float64Array.of(1, 2), { value: 0.5, time: 7 }, { result: null }],
  )
  // @ts-expect-error: a text is no number
  const wrong: string = resultOf(measured)
  assert.is(wrong as unknown, 3)
  const swept = await proxy.batch(Array.from({ length: 3 }, (_, at) => ['measure', { range: at + 1 }] as const))
  const volts: number[] = swept.map(resultOf)
  assert.equal(volts, [1.5, 3, 4.5])
  assert.equal(await proxy.batch([]), [])
  await peer.close()
})

test('what the contract does not have does not compile, and is refused for its call alone', async () => {
  const { proxy, done, peer } = lab()
  const outcomes = await proxy.batch([
    // @ts-expect-error: no such action
    ['explode', {}],
    // @ts-expect-error: no such argument
    ['measure', { volts: 1 }],
    // @ts-expect-error: no such signal
    ['signals.set', { signal: 'gain', value: 1 }],
    ['measure', { range: 0 }],
    ['measure', { range: 1 }],
  ])
  assert.equal(
    outcomes.map((one: Outcome) => ('error' in one ? one.error.code : resultOf(one))),
    ['method-unknown', 'call-invalid', 'call-invalid', 'call-invalid', 1.5],
  )
  assert.equal(done, ['measure'])
  await peer.close()
})

test('an action that gives items is in no batch: nothing is sent', async () => {
  const { proxy, done, sent, peer } = lab()
  const beep = ['beep', {}] as const
  // @ts-expect-error: it gives items
  const work = proxy.batch([beep, ['sweep', {}]])
  const error = await rejection(work)
  assert.equal([error.code, error.issues[0]?.path, sent.length, done.length], ['call-invalid', 'calls[1]', 0, 0])
  await peer.close()
})

test('goes on after an error, or stops at the first and says what was skipped', async () => {
  const { proxy, done, peer } = lab()
  const calls = [
    ['fail', {}],
    ['measure', { range: 2 }],
  ] as const
  const [failed, measured] = await proxy.batch(calls)
  assert.throws(
    () => resultOf(failed),
    (error: LabError) => error instanceof LabError && error.code === 'lamp-off' && error.kind === 'instrument',
  )
  assert.is(resultOf(measured), 3)
  const [, skipped] = await proxy.batch(calls, { stop: true })
  assert.equal(skipped, { skipped: true })
  assert.throws(
    () => resultOf(skipped),
    (error: LabError) => error.code === 'call-skipped',
  )
  assert.equal(done, ['fail', 'measure', 'fail'])
  await peer.close()
})

test('a batch that is given up, or late, ends the call that it is at, and does no further one', async () => {
  const { proxy, done, peer } = lab()
  const calls = [
    ['hang', {}],
    ['beep', {}],
  ] as const
  const stop = new AbortController()
  const given = proxy.batch(calls, { signal: stop.signal })
  while (done.length < 1) await new Promise((resolve) => setImmediate(resolve))
  stop.abort()
  assert.is((await rejection(given)).code, 'call-cancelled')
  while (done.length < 2) await new Promise((resolve) => setImmediate(resolve))
  assert.is((await rejection(proxy.batch(calls, { timeoutMs: 5 }))).code, 'deadline-exceeded')
  while (done.length < 4) await new Promise((resolve) => setImmediate(resolve))
  await peer.call('meter/beep', {})
  assert.equal(done, ['hang', 'hang was told', 'hang', 'hang was told', 'beep'])
  await peer.close()
})

test('may be repeated after a break where each of its calls may', async () => {
  const { proxy, sent, peer } = lab()
  await proxy.batch([
    ['measure', { range: 1 }],
    ['signals.read', { signals: ['offset'] }],
  ])
  await proxy.batch([
    ['measure', { range: 1 }],
    ['wave', {}],
  ])
  await proxy.batch([['signals.set', { signal: 'offset', value: 1 }]])
  assert.equal(
    sent.map((options) => options?.idempotent ?? false),
    [true, false, false],
  )
  await peer.close()
})

test('of a service that is known only when the program runs, nothing is known before', async () => {
  const { proxy, peer } = lab()
  const met = proxy as unknown as ServiceProxy<ServiceContract>
  const [one] = await met.batch([['measure', { range: 2 }]])
  // @ts-expect-error: nobody knows what it answers
  const number: number = resultOf(one)
  assert.is(number, 3)
  // @ts-expect-error: an action that answers is no action that answers nothing
  const nothing: null | undefined = await met.do.measure?.({ range: 4 })
  assert.is(nothing, 6)
  const said = met.do.measure?.({ range: 2 })
  // @ts-expect-error: it may give items as well
  const answer: Promise<unknown> | undefined = said
  assert.is(await answer, 3)

  // So it is where the names alone are known; and of what is known, as much as is known.
  type Named = Omit<ServiceContract, 'actions'> & { readonly actions: { readonly measure: ActionContract } }
  const named = proxy as unknown as ServiceProxy<Named>
  // @ts-expect-error: nobody knows what it answers
  const none: null = await named.do.measure({ range: 2 })
  const [other] = await named.batch([['measure', { range: 2 }]])
  // @ts-expect-error: nobody knows what it answers
  const neither: null = resultOf(other)
  assert.equal([none, neither], [3, 3])
  const beeped: null = await proxy.do.beep({})
  const [again] = await proxy.batch([['beep', {}]])
  const twice: null = resultOf(again)
  assert.equal([beeped, twice], [null, null])
  await peer.close()
})

test.run()
