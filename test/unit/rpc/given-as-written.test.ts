/** What callers give as they would write it, and the service gets by its contract. */
import type { LabError } from '@fernlab/shared/primitives/lab-error'
import { createProxy } from '@fernlab/shared/rpc/contract/proxy'
import { serveServices } from '@fernlab/shared/rpc/contract/serve-service'
import { defineService } from '@fernlab/shared/rpc/contract/service-contract'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('what is given as it is written')

const contract = defineService({
  kind: 'fit',
  version: '1.0',
  actions: {
    slope: {
      arguments: {
        x: { type: 'array', of: 'float64' },
        curve: { type: 'object', members: { y: { type: 'array', of: 'int16' } } },
      },
    },
    name: { arguments: { text: { type: 'string' } } },
    trace: { arguments: { x: { type: 'array', of: 'float64' } }, items: { type: 'number' } },
  },
  signals: {
    voltage: {
      unit: 'V',
      dtype: 'number',
      kind: 'configuration',
      access: 'read-set',
      shape: [],
      limits: { low: 0, high: 5 },
    },
    label: { unit: '1', dtype: 'string', kind: 'configuration', access: 'read-set', shape: [] },
  },
  events: {},
})

function served() {
  const got: unknown[] = []
  const sent: unknown[] = []
  const serve = serveServices(
    () => ({
      contract,
      call: (_, args) => void got.push(args),
      set: async (signal, value) => void got.push([signal, value]),
    }),
    () => true,
  )
  const context = { signal: new AbortController().signal, wantsStream: false }
  const call = async (method: string, params?: unknown) => {
    sent.push(method)
    return await serve(method, params, context as never)
  }
  const proxy = createProxy(
    {
      call,
      stream: () => {
        throw new Error('nothing streams')
      },
      batch: async (calls: readonly (readonly [string, unknown])[]) => {
        for (const [method, params] of calls) await call(method, params)
        return calls.map(() => ({ result: null }))
      },
    } as never,
    'fit',
    contract,
  )
  return { proxy, got, sent }
}
const refused = (work: Promise<unknown>) =>
  work.then(
    () => assert.unreachable() as never,
    (error: LabError) => error,
  )

test('lists of numbers arrive as the arrays that the contract says, alone and in a batch', async () => {
  const { proxy, got } = served()
  await proxy.do.slope({ x: [1, 2.5], curve: { y: [1, -2] } })
  await proxy.batch([['slope', { x: new Float64Array([1]), curve: { y: [3] } }]])
  assert.equal(got, [
    { x: new Float64Array([1, 2.5]), curve: { y: new Int16Array([1, -2]) } },
    { x: new Float64Array([1]), curve: { y: new Int16Array([3]) } },
  ])
})

test('what an array can not hold is refused with its path, and not sent', async () => {
  const { proxy, sent } = served()
  const alone = await refused(proxy.do.slope({ x: [1, '2' as never], curve: { y: [40_000] } }))
  assert.equal([alone.code, alone.issues.map(({ path }) => path)], ['call-invalid', ['x[1]', 'curve.y[0]']])
  const good = ['slope', { x: [1], curve: { y: [1] } }] as const
  const inBatch = await refused(proxy.batch([good, ['slope', { x: [1], curve: { y: [0.5] } }]]))
  assert.equal(
    [inBatch.code, inBatch.issues],
    ['call-invalid', [{ path: 'calls[1].curve.y[0]', message: "0.5 can't be held as int16" }]],
  )
  const items = proxy.do.trace({ x: ['2' as never] })
  const streamed = await refused(items.next())
  assert.equal([streamed.code, streamed.issues.map(({ path }) => path)], ['call-invalid', ['x[0]']])
  assert.is((await items.next()).done, true)
  assert.equal(sent, [])
})

test('a signal is set in any unit of its kind, within its limits', async () => {
  const { proxy, got } = served()
  await proxy.set('voltage', '1500 mV')
  await proxy.set('voltage', { value: 0.002, unit: 'kV' })
  await proxy.batch([['signals.set', { signal: 'voltage', value: '3V' }]])
  await proxy.set('label', '1500 mV')
  assert.equal(got.splice(0), [
    ['voltage', 1.5],
    ['voltage', 2],
    ['voltage', 3],
    ['label', '1500 mV'],
  ])
  for (const [value, said] of [
    ['3 s', "voltage is in s, which can't be given in V"],
    ['6000 mV', 'voltage'],
    ['1.5', 'voltage'],
  ] as const) {
    const error = await refused(proxy.set('voltage', value))
    assert.equal([error.code, error.issues.map(({ path }) => path)], ['call-invalid', ['voltage']])
    assert.ok(error.message.includes(said), error.message)
  }
  assert.equal(got, [])
})

test.run()
