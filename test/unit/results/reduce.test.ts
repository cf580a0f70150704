import { streamColumns, unitSuffix } from '@fernlab/hub/results/keys'
import { Reducer } from '@fernlab/hub/results/reduce'
import type { EventPageDoc } from '@fernlab/shared/contracts/documents'
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('fewer rows for a chart')
const number = { dtype: 'number' as const, shape: [], unit: 'V', source: 'x' }
const columns = streamColumns({ dataKeys: { 'a.v': number, 'b.v': number } })

function pages(values: readonly number[][], sizes: readonly number[]): EventPageDoc[] {
  const result: EventPageDoc[] = []
  let first = 0
  for (let n = 0; first < values.length; n++) {
    const part = values.slice(first, first + (sizes[n % sizes.length] ?? 1))
    result.push({
      stream: 's',
      first,
      count: part.length,
      time: Float64Array.from(part, (_, i) => first + i),
      columns: { 'a.v': Float64Array.from(part, ([a = 0]) => a), 'b.v': Float64Array.from(part, ([, b = 0]) => b) },
    })
    first += part.length
  }
  return result
}

test('whatever the rows and however they are cut into pages', () => {
  const row = fc.tuple(fc.double({ noNaN: true, min: -1e6, max: 1e6 }), fc.double({ noNaN: true, min: -1e6, max: 1e6 }))
  fc.assert(
    fc.property(
      fc.array(row, { minLength: 1, maxLength: 300 }),
      fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 5 }),
      fc.integer({ min: 10, max: 100 }),
      (values, sizes, points) => {
        const reducer = new Reducer({ columns, rows: values.length, points })
        for (const page of pages(values, sizes)) reducer.add(page)
        const { time, columns: kept, count, reduced } = reducer.finish()
        assert.is(count, values.length)
        assert.ok(time.length <= Math.max(points, Math.min(values.length, points)), `${time.length} > ${points}`)
        assert.is(time[0], 0)
        assert.is(time.at(-1), values.length - 1)
        assert.is(reduced, time.length < values.length)
        for (let i = 1; i < time.length; i++) assert.ok((time[i] ?? 0) > (time[i - 1] ?? 0))
        time.forEach((at, i) => {
          assert.is(kept.a_v?.[i], values[at]?.[0])
          assert.is(kept.b_v?.[i], values[at]?.[1])
        })
        for (const [c, key] of ['a_v', 'b_v'].entries()) {
          const all = values.map((pair) => pair[c] ?? 0)
          assert.is(Math.max(...(kept[key] as number[])), Math.max(...all))
          assert.is(Math.min(...(kept[key] as number[])), Math.min(...all))
        }
      },
    ),
  )
})

test('a window leaves out what is before and after', () => {
  const reducer = new Reducer({ columns, rows: 3, points: 10, window: { from: 4, to: 6 } })
  for (const page of pages(
    Array.from({ length: 20 }, (_, i) => [i, -i]),
    [7],
  ))
    reducer.add(page)
  assert.equal(reducer.finish().time, [4, 5, 6])
})

test('what JSON can’t hold becomes null', () => {
  const reducer = new Reducer({ columns, rows: 2, points: 10 })
  for (const page of pages(
    [
      [Number.NaN, Number.POSITIVE_INFINITY],
      [1, 2],
    ],
    [2],
  ))
    reducer.add(page)
  assert.equal(reducer.finish().columns, { a_v: [null, 1], b_v: [null, 2] })
})

test('keys that would be the same are told apart, units stand in headers', () => {
  const same = streamColumns({ dataKeys: { 'a_b.c': number, 'a.b_c': number } })
  assert.equal(
    same.map(({ key }) => key),
    ['a_b_c', 'a_b_c_2'],
  )
  assert.is(unitSuffix({ unit: '1' }), '')
  assert.is(unitSuffix({ unit: 'mA' }), ' [mA]')
})

test.run()
