import { LabError } from '@fernlab/shared/primitives/lab-error'
import { nextTurn } from '@fernlab/shared/primitives/next-turn'
import { cborFormat } from '@fernlab/shared/rpc/cbor-format'
import { type Format, jsonFormat, objectsFormat, WrittenAnswer } from '@fernlab/shared/rpc/formats'
import { defaultLimits } from '@fernlab/shared/rpc/limits'
import { writtenAnswer } from '@fernlab/shared/rpc/peer/written-answer'
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { rejection } from '../../contract/driver-contract.ts'
import { suite } from '../../support/suite.ts'

const test = suite('answers of batches that are written a few at a time', { timeoutMs: 60_000 })
const limits = defaultLimits
const formats: readonly Format[] = [jsonFormat, cborFormat]

/** Each slice takes so long. */
function slow(sliceMs: number) {
  let now = 0
  let turns = 0
  const clock = {
    monotonic: () => {
      now += sliceMs / 2
      return now
    },
  }
  const next = async () => {
    turns++
    await nextTurn()
  }
  return { clock, next, turns: () => turns, signal: new AbortController().signal }
}

test('the message says the same as one that is written at once, in each format', async () => {
  const value = fc.oneof(
    fc.jsonValue({ maxDepth: 2 }),
    fc.double(),
    fc.constantFrom<unknown>(
      undefined,
      new Float64Array([1, Number.POSITIVE_INFINITY]),
      { $type: 'x' },
      { a: undefined },
    ),
  )
  const error = [0, { code: -32000, message: 'it failed', data: { code: 'odd' } }] as const
  const lengths = fc.constantFrom(9, 23, 24, 255, 256, 300, 70_000)
  await fc.assert(
    fc.asyncProperty(fc.array(value, { minLength: 1, maxLength: 20 }), lengths, async (values, length) => {
      if (JSON.stringify(values).includes('__proto__')) return
      const results = Array.from({ length }, (_, n) => values[n % values.length] ?? null)
      const answer = { results, errors: [error] }
      for (const format of formats) {
        const written = await writtenAnswer(answer, { format, limits, ...slow(0.5) })
        assert.instance(written, WrittenAnswer)
        const [one, other] = [written, answer].map((result) => format.write({ id: 'x', result }, limits))
        assert.equal(format.read(one ?? '', limits), format.read(other ?? '', limits))
      }
    }),
    { numRuns: 40 },
  )
})

test('others have a turn each few milliseconds of it, and nothing is written for who has gone', async () => {
  const results = Array.from({ length: 1000 }, () => 'x')
  for (const format of formats) {
    const { turns, ...often } = slow(20)
    await writtenAnswer({ results, errors: [] }, { format, limits, ...often })
    assert.ok(turns() > 100, `${turns()} turns`)
    const gone = new AbortController()
    const next = async () => gone.abort(new LabError({ code: 'gone', kind: 'link', message: 'gone' }))
    const { clock } = slow(20)
    const left = writtenAnswer({ results, errors: [] }, { format, limits, clock, next, signal: gone.signal })
    assert.is((await rejection(left)).code, 'gone')
  }
})

test('a few, numbers in an array, and what stays in the process are as they were', async () => {
  const few = { results: [1, 2, 3], errors: [] }
  assert.is(await writtenAnswer(few, { format: jsonFormat, limits, ...slow(1) }), few)
  const packed = { results: new Uint8Array(1000), errors: [] }
  assert.is(await writtenAnswer(packed, { format: cborFormat, limits, ...slow(1) }), packed)
  const many = { results: Array.from({ length: 100 }, () => 'x'), errors: [] }
  assert.is(await writtenAnswer(many, { format: objectsFormat, limits, ...slow(1) }), many)
})

test('an answer of more bytes than a message has is refused', async () => {
  const results = Array.from({ length: 100 }, () => 'x'.repeat(100))
  for (const format of formats) {
    const result = await writtenAnswer({ results, errors: [] }, { format, limits, ...slow(1) })
    const error = await rejection((async () => format.write({ id: 1, result }, { ...limits, messageBytes: 5000 }))())
    assert.is(error.code, 'message-too-large')
  }
})

test.run()
