import { localLinks } from '@fernlab/shared/links/local/local-link'
import { systemClock } from '@fernlab/shared/primitives/clock'
import type { Issue, LabError } from '@fernlab/shared/primitives/lab-error'
import { cborFormat } from '@fernlab/shared/rpc/cbor-format'
import { checkValue, isPlainly } from '@fernlab/shared/rpc/contract/check-value'
import type { ValueSpec } from '@fernlab/shared/rpc/contract/value-spec'
import { type Format, jsonFormat, objectsFormat } from '@fernlab/shared/rpc/formats'
import { defaultLimits } from '@fernlab/shared/rpc/limits'
import { readBatch, readBatchAnswer } from '@fernlab/shared/rpc/messages'
import { batchOf } from '@fernlab/shared/rpc/peer/batch'
import { packed, rowOf, tableOf } from '@fernlab/shared/rpc/peer/columns'
import { createPeer } from '@fernlab/shared/rpc/peer/peer'
import type { Serve } from '@fernlab/shared/rpc/peer/serving'
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('values of a batch in columns', { timeoutMs: 60_000 })
const formats: readonly Format[] = [jsonFormat, cborFormat, objectsFormat]

const number = fc.oneof(
  fc.integer({ min: -3, max: 300 }),
  fc.integer({ min: -40_000, max: 40_000 }),
  fc.maxSafeInteger(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
)
const value = fc.oneof(number, fc.string(), fc.jsonValue({ maxDepth: 1 }), fc.constant(undefined))
const alike = fc
  .uniqueArray(fc.oneof(fc.string({ maxLength: 3 }), fc.constantFrom('__proto__', '$type', 'a')), { maxLength: 3 })
  .chain((names) =>
    fc.array(
      fc.tuple(...names.map(() => fc.oneof(number, value))).map((values) => {
        const row: Record<string, unknown> = {}
        for (const [n, name] of names.entries()) if (name !== '__proto__') row[name] = values[n]
        return row as unknown
      }),
      { maxLength: 20 },
    ),
  )
const params = fc.oneof(alike, fc.array(value, { maxLength: 12 }))

test('each call has the arguments that it was given, in each format', () => {
  fc.assert(
    fc.property(params, fc.nat(2), (all, methods) => {
      const calls = all.map((given, n) => [`m${n % (methods + 1)}`, given] as const)
      if (JSON.stringify(all).includes('__proto__')) return
      for (const format of formats) {
        const batch = batchOf(calls, { stop: false, packs: format.name !== 'json', inColumns: true })
        const message = format.read(
          format.write({ id: 1, method: 'rpc.batch', params: batch }, defaultLimits),
          defaultLimits,
        )
        const read = readBatch((message as { params: unknown }).params, defaultLimits)
        assert.is(read.calls.length, calls.length)
        for (const [n, [method, given]] of calls.entries()) {
          assert.is(read.methods[read.calls[n] as number], method)
          // Through text: what JSON calls equal (-0 is 0 there) is equal here.
          assert.is(JSON.stringify(rowOf(read.params, n)), JSON.stringify(given ?? null), format.name)
        }
      }
    }),
    { numRuns: 500 },
  )
})

test('numbers of the same kind go in the smallest array that holds them, and other values as they are', () => {
  const eight = (...values: unknown[]) => packed([...values, ...new Array(8).fill(values[0])])
  assert.instance(eight(0, 255), Uint8Array)
  assert.instance(eight(0, 256), Int16Array)
  assert.instance(eight(-1), Int16Array)
  assert.instance(eight(-32_769), Int32Array)
  assert.instance(eight(2 ** 31), Float64Array)
  assert.instance(eight(0.5, 1), Float64Array)
  assert.instance(eight(Number.NaN, Number.NEGATIVE_INFINITY), Float64Array)
  for (const values of [eight(1, '1'), eight(1, null), eight(1, undefined), packed([1, 2])])
    assert.ok(Array.isArray(values))
  const rows = Array.from({ length: 10 }, (_, n) => ({ a: n, b: 'x' }))
  assert.equal(Object.keys(tableOf(rows, 'packed')), ['names', 'columns'])
  for (const odd of [
    { b: 'x', a: 1 },
    { a: 1 },
    { a: 1, b: 'x', c: 1 },
    { a: 1, b: undefined },
    null,
    [1, 'x'],
    new Date(),
  ]) {
    assert.ok(Array.isArray(tableOf([...rows, odd], 'packed')), 'a list, as it came')
  }
})

test('a table of which no rows can be made is refused before any call is done', () => {
  const calls = new Uint8Array(10)
  const column = new Float64Array(10)
  const batch = { methods: ['m'], calls, params: { names: ['a'], columns: [column] }, stop: false, packs: true }
  assert.equal(rowOf(readBatch(batch, defaultLimits).params, 3), { a: 0 })
  const wrongs = [
    { ...batch, params: { names: ['__proto__'], columns: [column] } },
    { ...batch, params: { names: ['a', 'a'], columns: [column, column] } },
    { ...batch, params: { names: [1], columns: [column] } },
    { ...batch, params: { names: ['a', 'b'], columns: [column] } },
    { ...batch, params: { names: ['a'], columns: [new Float64Array(9)] } },
    { ...batch, params: { names: ['a'], columns: [new BigInt64Array(10)] } },
    { ...batch, params: { names: ['a'], columns: [{ length: 10 }] } },
    { ...batch, params: { names: ['a'], columns: ['0123456789'] } },
    { ...batch, params: { names: Array.from({ length: 65 }, (_, n) => `n${n}`), columns: new Array(65).fill(column) } },
    { ...batch, params: column },
    { ...batch, calls: new Float64Array(10).fill(0.5) },
    { ...batch, calls: new Int16Array(10).fill(-1) },
    { ...batch, calls: new Uint8Array(10).fill(1) },
    { ...batch, calls: new BigUint64Array(10) },
    { ...batch, calls: 10 },
    { ...batch, packs: 1 },
    { ...batch, calls: new Uint8Array(50_001) },
  ]
  for (const [n, wrong] of wrongs.entries()) {
    try {
      readBatch(wrong, defaultLimits)
      assert.unreachable(`number ${n} was taken`)
    } catch (error) {
      assert.is((error as LabError).code, 'rpc-unreadable', `number ${n}`)
    }
  }
  assert.equal(Object.getPrototypeOf({}), Object.prototype)
})

test('an answer has numbers in an array for those who said that they take one, and as many as calls at most', async () => {
  const [near, far] = localLinks()
  const serve: Serve = (_, given) => (given as { a: number }).a * 2
  createPeer({ link: far, clock: systemClock, serve })
  const peer = createPeer({ link: near, clock: systemClock })
  const calls = Array.from({ length: 20 }, (_, a) => ['double', { a }] as const)
  const asked = (packs: boolean) => peer.call('rpc.batch', batchOf(calls, { stop: false, packs, inColumns: true }))
  const doubled = calls.map(([, { a }]) => 2 * a)
  assert.equal(await asked(true), { results: Uint8Array.from(doubled), errors: [] })
  const { packs: _, ...earlier } = batchOf(calls, { stop: false, packs: false, inColumns: false })
  assert.equal(await peer.call('rpc.batch', earlier), { results: doubled, errors: [] })
  assert.equal(
    await peer.batch(calls),
    doubled.map((result) => ({ result })),
  )
  await peer.close()
  for (const results of [new Uint8Array(3), [1, 2, 3], { length: 1 }, 'a', new BigInt64Array(1), undefined]) {
    assert.throws(() => readBatchAnswer({ results, errors: [] }, 2), /no rpc\.batch/)
  }
})

test('a batch goes in columns to an end that has said that it takes them, and in lists to any other', async () => {
  const calls = Array.from({ length: 20 }, (_, a) => ['double', { a }] as const)
  for (const [said, isTable] of [
    [undefined, false],
    [null, false],
    [{ columns: 1 }, false],
    [{ columns: true, more: 'of a later version' }, true],
  ] as const) {
    const [near, far] = localLinks()
    const batches: { calls: unknown; params: unknown }[] = []
    far.listen({
      frame: (frame) => {
        const { id, method, params } = frame as { id: number; method: string; params: (typeof batches)[number] }
        if (method === 'rpc.batch') batches.push(params)
        far.send({ id, result: method === 'rpc.ping' ? said : { results: calls.map(() => 0), errors: [] } })
      },
      drained: () => {},
      ended: () => {},
    })
    const peer = createPeer({ link: near, clock: systemClock })
    if (said !== undefined) await peer.call('rpc.ping')
    await peer.batch(calls)
    const [batch] = batches
    assert.equal(
      [!Array.isArray(batch?.calls), !Array.isArray(batch?.params)],
      [isTable, isTable],
      JSON.stringify(said),
    )
    await peer.close()
  }
})

test('what is right at a glance is right when it is looked at closely', () => {
  const bound = fc.option(fc.constantFrom(-1, 0, 2.5, 10), { nil: undefined })
  const spec = fc
    .record({
      type: fc.constantFrom('any', 'none', 'boolean', 'number', 'integer', 'string'),
      minimum: bound,
      maximum: bound,
      exclusiveMinimum: bound,
      exclusiveMaximum: bound,
      multipleOf: fc.option(fc.constant(2), { nil: undefined }),
      enum: fc.option(fc.constant([1, 2]), { nil: undefined }),
    })
    .map((members) => Object.fromEntries(Object.entries(members).filter(([, member]) => member !== undefined)))
  const given = fc.oneof(
    fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, null, undefined, true, '1', [], 2.5),
    number,
  )
  let plain = 0
  fc.assert(
    fc.property(spec, given, (made, one) => {
      const issues: Issue[] = []
      checkValue(made as unknown as ValueSpec, one, '', { issues, hasPattern: () => true })
      if (!isPlainly(made as unknown as ValueSpec, one)) return
      plain++
      assert.equal(issues, [])
    }),
    { numRuns: 3000 },
  )
  assert.ok(plain > 100, `${plain} were`)
})

test('a zero with a minus stays one beside whole numbers', () => {
  const values = [-0, 1, 2, 3, 4, 5, 6, 0]
  const column = packed(values)
  for (const [n, value] of values.entries()) assert.ok(Object.is(column[n], value), `${n}`)
  assert.instance(packed(values.slice(1).concat(8)), Uint8Array)
})

test.run()
