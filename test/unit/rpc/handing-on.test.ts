import { localLinks } from '@fernlab/shared/links/local/local-link'
import { systemClock } from '@fernlab/shared/primitives/clock'
import { asLabError, LabError } from '@fernlab/shared/primitives/lab-error'
import { matchesPattern } from '@fernlab/shared/protocol/patterns'
import { type Service, serveServices } from '@fernlab/shared/rpc/contract/serve-service'
import { defineService } from '@fernlab/shared/rpc/contract/service-contract'
import { defaultLimits } from '@fernlab/shared/rpc/limits'
import { readBatchAnswer } from '@fernlab/shared/rpc/messages'
import { doBatch } from '@fernlab/shared/rpc/peer/batch'
import type { HandedKind, Handing, Onward } from '@fernlab/shared/rpc/peer/handing-on'
import { createPeer } from '@fernlab/shared/rpc/peer/peer'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('calls of a batch that are handed on', { timeoutMs: 30_000 })

const adder = defineService({
  kind: 'adder',
  version: '1.0',
  actions: { add: { arguments: { a: { type: 'number' } }, result: { type: 'number' } } },
  signals: {},
  events: {},
})

/** A node with two processes, `one/…` and `two/…`, and `here`, which it does itself. */
function node(answer: (n: number) => unknown = (n) => n + 1, requireMay: (said: readonly string[]) => void = () => {}) {
  const said: string[] = []
  const how: Handing[] = []
  const processOf = (name: string): Onward => ({
    hand: async (calls, handing) => {
      said.push(`${name} ${calls.length}`)
      how.push(handing)
      const results: unknown[] = []
      const errors: unknown[] = []
      for (const { args } of calls) {
        const result = answer((args as { a: number }).a)
        if (result instanceof LabError)
          errors.push([results.length, { code: -32000, message: result.message, data: result }])
        results.push(result instanceof LabError ? null : result)
        if (handing.stop && errors.length > 0) break
      }
      return readBatchAnswer({ results, errors }, calls.length)
    },
  })
  const here: Service = {
    contract: adder,
    call: (_, { a }) => {
      said.push('here')
      return Number(a)
    },
  }
  const hide = (thrown: unknown) =>
    new LabError({ code: asLabError(thrown).code, kind: 'instrument', message: 'hidden' })
  const services = new Map<string, Service>([['here', here]])
  for (const process of ['one', 'two']) {
    const onward = processOf(process)
    for (const name of [`${process}.a`, `${process}.b`]) {
      const kind: HandedKind = { name, method: `${name}/call`, params: {}, idempotent: false, hide }
      services.set(name, {
        contract: adder,
        onward: (action) => (action === 'add' ? { to: onward, kind } : undefined),
        call: () => {
          said.push(name)
          return 0
        },
      })
    }
  }
  const [near, far] = localLinks()
  const serve = serveServices((name) => services.get(name), matchesPattern)
  const onward = (method: string) => {
    requireMay(said)
    return serve.onward?.(method)
  }
  // Of a machine that is never late: no batch goes on sooner than it is to.
  const clock = { ...systemClock, monotonic: () => 0 }
  createPeer({ link: far, clock, serve: Object.assign(serve.bind(undefined), { onward }) })
  return { peer: createPeer({ link: near, clock: systemClock }), said, how }
}

const wordOf = (outcome: object) =>
  'result' in outcome ? outcome.result : 'error' in outcome ? asLabError(outcome.error).code : 'skipped'

test('those for one process go there together, in their order with all else', async () => {
  const { peer, said, how } = node()
  const names = ['one.a', 'one.b', 'one.a', 'two.a', 'here', 'two.b', 'two.a']
  const outcomes = await peer.batch(names.map((name, a) => [`${name}/add`, { a }]))
  assert.equal(outcomes.map(wordOf), [1, 2, 3, 4, 4, 6, 7])
  assert.equal(said, ['one 3', 'two 1', 'here', 'two 2'])
  assert.ok((how[1]?.room.bytes ?? 0) < (how[0]?.room.bytes ?? 0), 'what has been answered takes room')
  await peer.call('one.a/add', { a: 1 })
  assert.is(said.at(-1), 'one.a', 'a call that comes alone is done alone')
  await peer.close()
})

test('a batch of very many goes in bites, and one of large values call by call', async () => {
  const { peer, said } = node()
  const many = await peer.batch(Array.from({ length: 10_000 }, (_, a) => ['one.a/add', { a }] as const))
  assert.equal([many.length, wordOf(many[9999] ?? {})], [10_000, 10_000])
  assert.equal(said.splice(0), ['one 4096', 'one 4096', 'one 1808'])
  const wave = new Float64Array(1_500_000)
  const large = await peer.batch([
    ['one.a/add', { a: 1 }],
    ['one.a/add', { a: 2 }],
    ['one.b/add', { a: 3, b: 3 }],
    ['here/add', { wave }],
  ])
  assert.equal(large.map(wordOf), [2, 3, 'call-invalid', 'call-invalid'])
  assert.equal(said, ['one 2'])
  const larger = await peer.batch([
    ['one.a/add', { a: 1 }],
    ['one.a/add', { a: 2 }],
    ['here/add', { wave, again: wave }],
  ])
  assert.equal(larger.map(wordOf), [2, 3, 'call-invalid'])
  assert.equal(said, ['one 2', 'one 1', 'one 1'])
  await peer.close()
})

test('whoever lost a right while a batch was done, has no more of it done', async () => {
  const revoked = new LabError({ code: 'token-revoked', kind: 'caller', message: 'this token was revoked' })
  const { peer, said } = node(undefined, (before) => {
    if (before.length > 0) throw revoked
  })
  const all = await peer.batch(Array.from({ length: 4200 }, (_, a) => ['one.a/add', { a }] as const))
  assert.equal(
    [wordOf(all[4095] ?? {}), wordOf(all[4096] ?? {}), wordOf(all[4199] ?? {})],
    [4096, 'token-revoked', 'token-revoked'],
  )
  assert.equal(said, ['one 4096'])
  await peer.close()
})

test('an error is that of its call; where the batch is to stop, nothing after it is done, nor told of', async () => {
  const { peer, said } = node((n) =>
    n === 2 ? new LabError({ code: 'odd', kind: 'instrument', message: 'the secret' }) : n,
  )
  const calls = [1, 2, 3].map((a) => ['one.a/add', { a }] as const)
  const wrong = [['one.a/add', { b: 1 }], ['nobody/add'], ['here/add', { a: 9 }]] as const
  const all = await peer.batch([...calls, ...wrong])
  assert.equal(all.map(wordOf), [1, 'odd', 3, 'call-invalid', 'service-unknown', 9])
  assert.is('error' in (all[1] ?? {}) && (all[1] as { error: LabError }).error.message, 'hidden')
  assert.equal(said.splice(0), ['one 3', 'here'])
  const stopped = await peer.batch([...calls, ...wrong], { stop: true })
  assert.equal(stopped.map(wordOf), [1, 'odd', 'skipped', 'skipped', 'skipped', 'skipped'])
  assert.equal(said.splice(0), ['one 3'])
  const wrongFirst = await peer.batch([['one.a/add', { a: 1 }], ...wrong], { stop: true })
  assert.equal(wrongFirst.map(wordOf), [1, 'call-invalid', 'skipped', 'skipped'])
  assert.equal(said, ['one 1'])
  await peer.close()
})

test('what a process answers is checked by the contract, and nothing goes on after one that is lost', async () => {
  const wrong = node((n) => (n === 2 ? 'two' : n))
  const calls = [1, 2, 3].map((a) => ['one.a/add', { a }] as const)
  assert.equal((await wrong.peer.batch(calls)).map(wordOf), [1, 'result-invalid', 3])
  await wrong.peer.close()
  const lost = node((n) => {
    throw new LabError({ code: n === 1 ? 'call-uncertain' : 'link-busy', kind: 'link', message: 'it ended' })
  })
  const after = [...calls, ['here/add', { a: 9 }]] as const
  assert.equal((await lost.peer.batch(after)).map(wordOf), ['call-uncertain', 'call-uncertain', 'call-uncertain', 9])
  const stopped = await lost.peer.batch(after, { stop: true })
  assert.equal(stopped.map(wordOf), ['call-uncertain', 'call-uncertain', 'call-uncertain', 'skipped'])
  const none = await lost.peer.batch(calls.slice(1), { stop: true })
  assert.equal(none.map(wordOf), ['link-busy', 'skipped'], 'of which none was begun')
  await lost.peer.close()
})

test('what waits to be handed on goes before others have a turn, who may change whom it goes to', async () => {
  const handed: string[][] = []
  let made = 0
  const to: Onward = {
    hand: async (calls) => {
      handed.push(calls.map(({ kind }) => kind.name))
      return { results: calls.map(() => null), errors: [] }
    },
  }
  const onward = () => {
    const kind = { name: `made ${++made}`, method: 'x/call', params: {}, idempotent: false, hide: asLabError }
    return { to, take: (args: unknown) => ({ kind, args, check: () => null }) }
  }
  const calls = Array.from({ length: 100 }, () => 0)
  // Each look at it is too late for more in this turn.
  let now = 0
  const clock = { ...systemClock, monotonic: () => (now += 100) }
  await doBatch(
    { methods: ['x/act'], calls, params: calls.map(() => ({})), stop: false },
    {
      serve: Object.assign(() => null, { onward }),
      context: { signal: new AbortController().signal, wantsStream: false },
      clock,
      limits: defaultLimits,
      form: 'binary',
    },
  )
  assert.equal(
    handed.map((names) => [...new Set(names), names.length]),
    [
      ['made 1', 1],
      ['made 2', 64],
      ['made 3', 35],
    ],
  )
})

test('a process that takes its time has as many at once as before, and others a turn in between', async () => {
  const happened: (number | 'turn')[] = []
  let now = 0
  const to: Onward = {
    hand: async (calls) => {
      happened.push(calls.length)
      now += 8
      return { results: calls.map(() => null), errors: [] }
    },
  }
  const kind = { name: 'x', method: 'x/call', params: {}, idempotent: false, hide: asLabError }
  const onward = () => ({ to, take: (args: unknown) => ({ kind, args, check: () => null }) })
  const calls = Array.from({ length: 10_000 }, () => 0)
  const answer = await doBatch(
    { methods: ['x/act'], calls, params: calls.map(() => ({})), stop: false },
    {
      serve: Object.assign(() => null, { onward }),
      context: { signal: new AbortController().signal, wantsStream: false },
      clock: { ...systemClock, monotonic: () => now },
      limits: defaultLimits,
      form: 'binary',
      next: async () => void happened.push('turn'),
    },
  )
  assert.is(answer.results.length, calls.length)
  assert.equal(happened, [4096, 'turn', 4096, 'turn', 1808])
})

test('others have their turn in time after a call that failed behind what was handed on', async () => {
  const happened: string[] = []
  let now = 0
  const to: Onward = {
    hand: async (calls) => {
      happened.push('handed')
      return { results: calls.map(() => null), errors: [] }
    },
  }
  const kind = { name: 'x', method: 'x/call', params: {}, idempotent: false, hide: asLabError }
  const onward = (method: string) =>
    method === 'x/act' ? { to, take: (args: unknown) => ({ kind, args, check: () => null }) } : undefined
  const serve = async (method: string) => {
    happened.push(method)
    if (method === 'here/fail') throw new LabError({ code: 'fault', kind: 'instrument', message: 'it fails' })
    now += 8
  }
  const methods = ['x/act', 'here/fail', 'here/slow']
  await doBatch(
    { methods, calls: [0, 1, 2, 2], params: [{}, {}, {}, {}], stop: false },
    {
      serve: Object.assign(serve, { onward }),
      context: { signal: new AbortController().signal, wantsStream: false },
      clock: { ...systemClock, monotonic: () => now },
      limits: defaultLimits,
      form: 'binary',
      next: async () => void happened.push('turn'),
    },
  )
  assert.equal(happened, ['handed', 'turn', 'here/fail', 'here/slow', 'turn', 'here/slow', 'turn'])
})

test.run()
