import type { InstrumentSpec } from '@fernlab/shared/capabilities/signals'
import { localLinks } from '@fernlab/shared/links/local/local-link'
import { systemClock } from '@fernlab/shared/primitives/clock'
import type { LabError } from '@fernlab/shared/primitives/lab-error'
import { matchesPattern } from '@fernlab/shared/protocol/patterns'
import { differences } from '@fernlab/shared/rpc/contract/compare-contracts'
import { meetService } from '@fernlab/shared/rpc/contract/meet-service'
import { checkedResult, type Service, serveServices } from '@fernlab/shared/rpc/contract/serve-service'
import {
  defineService,
  instrumentContract,
  type ServiceContract,
  serviceContractSchema,
} from '@fernlab/shared/rpc/contract/service-contract'
import type { ValueSpec } from '@fernlab/shared/rpc/contract/value-spec'
import { createPeer } from '@fernlab/shared/rpc/peer/peer'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('contracts of services')

const scope = defineService({
  kind: 'scope',
  version: '1.0',
  actions: {
    capture: {
      arguments: {
        channel: { type: 'integer', minimum: 1, maximum: 4 },
        coupling: { type: 'string', enum: ['AC', 'DC'], default: 'DC' },
        label: { type: 'string', pattern: '^[a-z]+$', default: 'a' },
      },
      result: {
        type: 'object',
        members: { wave: { type: 'array', of: 'float32', unit: 'V' }, note: { type: 'string' } },
        optional: ['note'],
      },
      idempotent: true,
    },
    autoscale: { arguments: {} },
    sweep: {
      arguments: { points: { type: 'list', items: { type: 'number' }, maxItems: 3 } },
      items: { type: 'number' },
    },
  },
  signals: {
    offset: {
      unit: 'V',
      dtype: 'number',
      shape: [],
      kind: 'configuration',
      access: 'read-set',
      limits: { low: -5, high: 5 },
    },
    trigger: {
      unit: '1',
      dtype: 'string',
      shape: [],
      kind: 'configuration',
      access: 'set',
      values: ['auto', 'single'],
    },
    ready: { unit: '1', dtype: 'boolean', shape: [], kind: 'reading', access: 'read' },
  },
  events: { triggered: { value: { type: 'number', unit: 's' } } },
})

function service(contract: ServiceContract = scope, wrongResult = false): Service & { readonly done: unknown[] } {
  const done: unknown[] = []
  return {
    contract,
    done,
    call: (action, args) => {
      done.push([action, args])
      if (action === 'sweep') {
        return (async function* () {
          yield* args.points as number[]
        })()
      }
      if (action === 'autoscale') return 'is not said'
      return Promise.resolve(wrongResult ? { wave: [1] } : { wave: new Float32Array([1, 2]), later: 'unknown' })
    },
    read: async (signals) => Object.fromEntries(signals.map((name) => [name, { value: true, time: 0 }])),
    set: async (signal, value) => void done.push([signal, value]),
  }
}

function reach(served: Service) {
  const [here, there] = localLinks()
  const find = (name: string) => (name === 'bench3.scope' ? served : undefined)
  createPeer({ link: there, clock: systemClock, serve: serveServices(find, matchesPattern) })
  return createPeer({ link: here, clock: systemClock })
}

async function errorOf(work: Promise<unknown>): Promise<LabError> {
  return await work.then(
    () => assert.unreachable('nothing was refused') as never,
    (error: LabError) => error,
  )
}

test('a proxy calls what its contract says, with defaults, typed', async () => {
  const served = service()
  const peer = reach(served)
  const proxy = await meetService(peer, 'bench3.scope', scope)
  const { wave, note } = await proxy.do.capture({ channel: 2 })
  // The types are exact: these lines would not compile otherwise.
  const first: number | undefined = wave[0]
  const text: string | undefined = note
  assert.equal([first, text], [1, undefined])
  assert.equal(served.done, [['capture', { channel: 2, coupling: 'DC', label: 'a' }]])
  assert.is(await proxy.do.autoscale({}), null)
  const points: number[] = []
  for await (const point of proxy.do.sweep({ points: [1, 2] })) points.push(point)
  assert.equal(points, [1, 2])
  assert.equal(await proxy.read(['ready']), { ready: { value: true, time: 0 } })
  await proxy.set('offset', -5)
  assert.equal(served.done.at(-1), ['offset', -5])
  await peer.close()
})

test('numbers of an action are given with a unit too, and come to it in its own', async () => {
  const oven = defineService({
    kind: 'oven',
    version: '1.0',
    actions: {
      heat: {
        arguments: {
          to: { type: 'number', unit: 'Cel', maximum: 100 },
          within: { type: 'integer', unit: 's', default: 60 },
          times: { type: 'integer', default: 1 },
          name: { type: 'string', default: '' },
        },
      },
    },
    signals: {},
    events: {},
  })
  const served = service(oven)
  const peer = reach(served)
  const { heat } = (await meetService(peer, 'bench3.scope', oven)).do
  const given = async (args: Parameters<typeof heat>[0]) => {
    await heat(args).catch((error: LabError) => served.done.push(['', error.issues]))
    return (served.done.at(-1) as [string, unknown])[1]
  }
  assert.equal(await given({ to: '300 K', within: '2 min' }), { to: 26.85, within: 120, times: 1, name: '' })
  assert.equal(await given({ to: { value: 300, unit: 'K' } }), { to: 26.85, within: 60, times: 1, name: '' })
  assert.equal(await given({ to: 20, name: '300 K' }), { to: 20, within: 60, times: 1, name: '300 K' })
  assert.equal(await given({ to: '3 V' }), [{ path: 'to', message: "is in V, which can't be given in Cel" }])
  assert.equal(await given({ to: '400 K' }), [{ path: 'to', message: '126.85 Cel is above the limit of 100 Cel' }])
  assert.equal(await given({ to: 20, within: '2500 ms' }), [{ path: 'within', message: 'must be an integer, not 2.5' }])
  // @ts-expect-error: it has no unit that the contract names
  assert.equal(await given({ to: 20, times: '2 V' }), [
    { path: 'times', message: "is in V, which can't be given in 1" },
  ])
  // @ts-expect-error: no amount, and no number
  assert.equal(await given({ to: 'warm' }), [{ path: 'to', message: 'must be a number, not "warm"' }])
  await peer.close()
})

test('what a service gives of its own accord is held to its contract too', async () => {
  let left = 0
  async function* giving(items: readonly unknown[]) {
    try {
      yield* items
    } finally {
      left++
    }
  }
  const wave = { unit: 'V', dtype: 'array', shape: [2], kind: 'reading', access: 'read-set' } as const
  const contract = { ...scope, signals: { ...scope.signals, wave } }
  const read = (value: unknown) => ({ ready: { value, time: 0 } })
  const peer = reach({
    ...service(contract),
    call: () => giving([1, 'two']),
    read: async () => read('yes') as never,
    follow: () => giving([read(true), read(1)]),
    events: () => giving([{ event: 'triggered', value: 'soon', time: 0 }]),
  })
  const first = async (method: string, params: object, taken: unknown[] = []) => {
    for await (const item of peer.stream(`bench3.scope/${method}`, params)) taken.push(item)
  }
  const refused: [work: Promise<unknown>, path: string][] = [
    [first('sweep', { points: [] }), 'result'],
    [peer.call('bench3.scope/signals.read', { signals: ['ready'] }), 'ready'],
    [first('signals.follow', { signals: ['ready'], rateHz: 10 }), 'ready'],
    [first('events.follow', { events: ['triggered'] }), 'result'],
  ]
  for (const [work, path] of refused) {
    const { code, issues } = await errorOf(work)
    assert.equal([code, issues[0]?.path], ['result-invalid', path])
  }
  assert.is(left, 3, 'what gave it has ended')
  const taken: unknown[] = []
  await errorOf(first('sweep', { points: [] }, taken))
  assert.equal(taken, [1], 'what came before stays')
  for (const value of [1, 'a', [1, 2, 3], new Float32Array(3)]) {
    const { code, issues } = await errorOf(peer.call('bench3.scope/signals.set', { signal: 'wave', value }))
    assert.equal([code, issues[0]?.path], ['call-invalid', 'wave'])
  }
  await peer.call('bench3.scope/signals.set', { signal: 'wave', value: new Float64Array(2) })
  await peer.close()
})

test('samples of hardware are told from readings, and held to the contract as blocks', async () => {
  const time = Float64Array.of(1, 2)
  const good = { time, columns: { offset: Float32Array.of(3, 4) } }
  const given = async (items: unknown[], signals = ['offset']) => {
    const client = reach({
      ...service(),
      gives: ([signal]) => (signal === 'offset' ? 'blocks' : 'readings'),
      follow: async function* () {
        yield* items
      },
    })
    const taken: unknown[] = []
    try {
      for await (const item of client.stream('bench3.scope/signals.follow', { signals })) taken.push(item)
      return { taken, said: '' }
    } catch (thrown) {
      const { code, message } = thrown as LabError
      return { taken, said: `${code}: ${message}` }
    } finally {
      await client.close()
    }
  }
  assert.equal(await given([good, good]), { taken: [good, good], said: '' })
  for (const [wrong, why] of [
    [{ offset: { value: 1, time: 0 } }, 'time must be a typed array'],
    [{ ...good, time: [1, 2] }, 'time must be a typed array'],
    [{ ...good, time: new DataView(new ArrayBuffer(16)) }, 'time must be a typed array'],
    [{ time }, 'columns must be columns by signal'],
    [{ time, columns: [time] }, 'columns must be columns by signal'],
    [{ time, columns: { ...good.columns, gain: time } }, 'columns.gain is no signal of it'],
    [{ time, columns: { offset: [1, 2] } }, 'columns.offset must be a typed array'],
    [{ time, columns: { offset: Float64Array.of(1) } }, 'columns.offset must have 2 values as time has, not 1'],
    [{ time, columns: {} }, 'columns.offset is missing'],
    [null, 'time must be a typed array'],
  ] as const) {
    const { taken, said } = await given([good, wrong, good])
    assert.equal(taken, [good], why)
    assert.match(
      said,
      /^result-invalid: bench3.scope\/signals.follow answered what its contract \(1.0\) does not say: /,
    )
    assert.ok(said.endsWith(`: ${why}`), said)
  }
})

test('an event that was not asked for, or is none, is no item of events', async () => {
  const contract = { ...scope, events: { ...scope.events, other: { value: { type: 'boolean' } } } } as const
  const given = async (item: unknown) => {
    const peer = reach({
      ...service(contract),
      events: async function* () {
        yield item
      },
    })
    const taken = peer.stream('bench3.scope/events.follow', { events: ['other'] }).next()
    const [settled] = await Promise.allSettled([taken])
    await peer.close()
    return settled.status === 'rejected' ? (settled.reason as LabError) : undefined
  }
  assert.is(await given({ event: 'other', value: true, time: 0 }), undefined)
  for (const [item, path] of [
    ['other', ''],
    [null, ''],
    [{ value: true }, 'event'],
    [{ event: 'none', value: true }, 'event'],
    [{ event: 'toString', value: true }, 'event'],
    [{ event: 'triggered', value: 1, time: 0 }, 'event'],
    [{ event: 'other', value: 1 }, 'result'],
  ] as const) {
    const error = await given(item)
    assert.equal([error?.code, error?.issues[0]?.path], ['result-invalid', path], JSON.stringify(item))
  }
})

test('an integer that a scale has made of a reading is one, in a service as in a run', async () => {
  const count = { ...scope.signals.offset, dtype: 'integer' } as const
  const read = async (value: unknown) => ({ count: { value, time: 0 } })
  const contract = { ...scope, signals: { ...scope.signals, count } }
  for (const [value, code] of [
    [2.000_000_1, undefined],
    ['2', 'result-invalid'],
  ] as const) {
    const peer = reach({ ...service(contract), read: () => read(value) })
    const asked = peer.call('bench3.scope/signals.read', { signals: ['count'] })
    if (code === undefined) assert.equal(await asked, await read(value))
    else assert.is((await errorOf(asked)).code, code)
    await peer.close()
  }
})

test('readings are followed so often, samples as often as the signals say', async () => {
  const offset = (maxRateHz?: number) => ({ ...scope.signals.offset, ...(maxRateHz && { maxRateHz }) })
  const signals = { ...scope.signals, offset: offset(), quick: offset(5000), quicker: offset(20_000) }
  const peer = reach({
    ...service({ ...scope, signals }),
    gives: ([signal]) => (signal === 'ready' ? 'readings' : 'blocks'),
    follow: async function* () {},
  })
  for (const [names, most] of [
    [['ready'], 100],
    [['offset'], 1000],
    [['quicker'], 20_000],
    [['quicker', 'quick', 'offset'], 5000],
  ] as const) {
    const follow = (rateHz: number) => peer.stream('bench3.scope/signals.follow', { signals: names, rateHz }).next()
    assert.ok((await follow(most)).done)
    for (const rateHz of [most + 1, 0, -1, Number.NaN]) {
      const { code, issues } = await errorOf(follow(rateHz))
      const message = `must be a number above 0 and at most ${most}`
      assert.equal([code, issues], ['call-invalid', [{ path: 'rateHz', message }]])
    }
  }
  await peer.close()
})

test('what is wrong is refused with its path before anything is done', async () => {
  const served = service()
  const peer = reach(served)
  const refused: [member: string, params: unknown, path: string][] = [
    ['capture', {}, 'channel'],
    ['capture', { channel: 5 }, 'channel'],
    ['capture', { channel: 1.5 }, 'channel'],
    ['capture', { channel: Number.NaN }, 'channel'],
    ['capture', { channel: '1' }, 'channel'],
    ['capture', { channel: 1, coupling: 'GND' }, 'coupling'],
    ['capture', { channel: 1, label: 'A' }, 'label'],
    ['capture', { channel: 1, chanel: 2 }, 'chanel'],
    ['capture', [1], ''],
    ['capture', new Uint8Array(2), ''],
    ['sweep', { points: [1, 'a'] }, 'points[1]'],
    ['sweep', { points: [1, 2, 3, 4] }, 'points'],
    ['signals.set', { signal: 'offset', value: 5.1 }, 'offset'],
    ['signals.set', { signal: 'offset', value: Number.NaN }, 'offset'],
    ['signals.set', { signal: 'trigger', value: 'never' }, 'trigger'],
    ['signals.set', { signal: 'ready', value: true }, 'ready'],
    ['signals.set', { signal: 'constructor', value: 1 }, 'signal'],
    ['signals.set', { value: 1 }, 'signal'],
    ['signals.read', { signals: ['trigger'] }, 'trigger'],
    ['signals.read', { signals: [] }, 'signals'],
    ['signals.read', { signals: ['__proto__'] }, 'signals[0]'],
  ]
  const none = await errorOf(peer.call('bench3.scope/signals.read', { signals: [] }))
  assert.match(none.message, /: signals must be a list of at least one; it has .*offset/)
  for (const [member, params, path] of refused) {
    const error = await errorOf(peer.call(`bench3.scope/${member}`, params))
    assert.equal([error.code, error.issues[0]?.path], ['call-invalid', path], `${member} ${JSON.stringify(params)}`)
  }
  for (const method of [
    'capture',
    '/capture',
    'bench3.scope/',
    'bench3.scope/toString',
    'bench3.scope/events.follow',
    'bench3.scope/../x',
  ]) {
    assert.match(
      (await errorOf(peer.call(method, { events: ['triggered'] }))).code,
      /^(method|service)-unknown$/,
      method,
    )
  }
  assert.is((await errorOf(peer.call('bench4.scope/capture', { channel: 1 }))).code, 'service-unknown')
  assert.equal(served.done, [])
  await peer.close()
})

test('a name that is none of it is told with the nearest, or with those that there are', async () => {
  const peer = reach({ ...service(), events: async function* () {} })
  const said = async (member: string, params: unknown) =>
    (await errorOf(peer.call(`bench3.scope/${member}`, params))).issues.map(({ path, message }) => `${path} ${message}`)
  assert.equal(await said('signals.read', { signals: ['offset', 'ofset'] }), [
    'signals[1] is "ofset", which is none of its signals; did you mean "offset"?',
  ])
  assert.equal(await said('signals.read', { signals: ['volts'] }), [
    'signals[0] is "volts", which is none of its signals; it has offset, trigger, ready',
  ])
  assert.equal(await said('signals.set', { signal: 'Ofset', value: 1 }), [
    'signal is "Ofset", which is none of its signals; did you mean "offset"?',
  ])
  assert.equal(await said('signals.read', { signals: [7] }), ['signals[0] must be a name'])
  const long = 'x'.repeat(10_000)
  assert.equal(await said('events.follow', { events: [long] }), [
    `events[0] is "${'x'.repeat(64)}", which is none of its events; it has triggered`,
  ])
  await peer.close()

  const signals = Object.fromEntries(Array.from({ length: 25 }, (_, i) => [`ch${i}`, scope.signals.ready]))
  const many = reach(service({ ...scope, signals }))
  const { message } = await errorOf(many.call('bench3.scope/signals.read', { signals: ['voltage'] }))
  assert.match(message, /it has ch0, (ch\d+, ){19}…$/)
  await many.close()
})

test('a service that answers what its contract does not say is found out', async () => {
  const peer = reach(service(scope, true))
  const error = await errorOf(peer.call('bench3.scope/capture', { channel: 1 }))
  assert.equal([error.code, error.kind, error.issues[0]?.path], ['result-invalid', 'bug', 'result.wave'])
  await peer.close()
})

test('two versions meet: what was added passes, what was changed is refused with both named', async () => {
  const { actions, signals } = scope
  const later: ServiceContract = {
    ...scope,
    version: '1.1',
    actions: {
      ...actions,
      capture: {
        ...actions.capture,
        arguments: { ...actions.capture.arguments, average: { type: 'integer', default: 1 } },
        result: { ...actions.capture.result, members: { ...actions.capture.result.members, rate: { type: 'number' } } },
      },
      zoom: { arguments: {} },
    },
    signals: { ...signals, ready: { ...signals.ready, access: 'read-set' } },
  }
  const peer = reach(service(later))
  await meetService(peer, 'bench3.scope', scope)
  await peer.close()
  const changed: ServiceContract = {
    ...later,
    version: '2.0',
    actions: {
      capture: {
        arguments: {
          channel: { type: 'string' },
          coupling: actions.capture.arguments.coupling,
          average: { type: 'integer' },
        },
        result: { type: 'object', members: { wave: { type: 'array', of: 'float64', unit: 'mV' } } },
      },
      sweep: { ...actions.sweep, items: { type: 'boolean' } },
    },
    signals: { offset: { ...signals.offset, unit: 'mV' }, ready: { ...signals.ready, dtype: 'integer' } },
    events: { triggered: { value: { type: 'string' } } },
  }
  assert.equal(
    differences(scope, changed).map(({ path }) => path),
    [
      'actions.capture.arguments.channel',
      'actions.capture.arguments.label',
      'actions.capture.arguments.average',
      'actions.capture.result.wave',
      'actions.capture.result.wave',
      'actions.autoscale',
      'actions.sweep.items',
      'signals.offset',
      'signals.trigger',
      'signals.ready',
      'events.triggered',
    ],
  )
  const other = reach(service(changed))
  const error = await errorOf(meetService(other, 'bench3.scope', scope))
  assert.is(error.code, 'contract-changed')
  assert.match(
    error.message,
    /bench3\.scope is scope 2\.0, and this program was written for scope 1\.0: actions\.capture\.arguments\.channel was integer, and is string/,
  )
  await other.close()
})

test('the description of an instrument is a contract', () => {
  const spec: InstrumentSpec = {
    name: 'psu',
    driver: 'simulated',
    model: 'supply',
    signals: [{ name: 'voltage', ...scope.signals.offset }],
    actions: [{ name: 'output', arguments: { on: { type: 'boolean' } }, typicalS: 0.1 }],
  }
  const contract = instrumentContract(spec)
  assert.equal(serviceContractSchema.parse(contract), contract)
  assert.equal(
    [contract.kind, Object.keys(contract.actions), Object.keys(contract.signals)],
    ['simulated/supply', ['output'], ['voltage']],
  )
})

test('a text that is answered by mistake is in no error: it may be a secret', () => {
  const given = { method: 'fit/slope', contract: { version: '1.0' } }
  const wrong = (spec: ValueSpec, value: unknown) => {
    try {
      return checkedResult({ ...given, spec, value }, () => true)
    } catch (thrown) {
      const { message, issues } = thrown as LabError
      return [message, ...issues.map((issue) => issue.message)].join('\n')
    }
  }
  const said = wrong({ type: 'number' } as ValueSpec, 'sword"fish, not "cod"')
  assert.match(String(said), /must be a number, not text\n/)
  assert.not.match(String(said), /sword|cod/)
  assert.match(String(wrong({ type: 'integer' } as ValueSpec, 2.5)), /must be an integer, not 2.5/)
})

test.run()
