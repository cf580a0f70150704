import { LabError } from '@fernlab/shared/primitives/lab-error'
import { withTypedArrays } from '@fernlab/shared/rpc/contract/typed-lists'
import type { ValueSpec } from '@fernlab/shared/rpc/contract/value-spec'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('lists of numbers where a contract says array')

const specs: Record<string, ValueSpec> = {
  x: { type: 'array', of: 'float64' },
  bytes: { type: 'array', of: 'uint8' },
  small: { type: 'array', of: 'float32' },
  points: { type: 'list', items: { type: 'number' } },
  traces: { type: 'list', items: { type: 'array', of: 'int16' } },
  curve: { type: 'object', members: { y: { type: 'array', of: 'int32' }, name: { type: 'string' } } },
  what: { type: 'any' },
}

function refused(args: Record<string, unknown>): LabError {
  try {
    withTypedArrays(specs, args)
  } catch (error) {
    assert.instance(error, LabError)
    return error as LabError
  }
  throw new Error('nothing was thrown')
}

test('become arrays of the kind that is said, in lists and objects too', () => {
  assert.equal(
    withTypedArrays(specs, {
      x: [1, -2.5],
      small: [0.5],
      bytes: [0, 255],
      traces: [[-1], []],
      curve: { y: [7], name: 'a' },
    }),
    {
      x: Float64Array.of(1, -2.5),
      small: Float32Array.of(0.5),
      bytes: Uint8Array.of(0, 255),
      traces: [Int16Array.of(-1), new Int16Array(0)],
      curve: { y: Int32Array.of(7), name: 'a' },
    },
  )
  // Not every third of one fits into 32 bits: rounded, as the kind says.
  assert.equal(withTypedArrays(specs, { small: [1 / 3] }), { small: Float32Array.of(1 / 3) })
})

test('stay what they are where no array is wanted, and so does all else', () => {
  const array = Float64Array.of(1)
  const same = { points: [1, 2], what: [1, 'a'], x: array, bytes: 'abc', unknown: [3], traces: 5, curve: null }
  const given = withTypedArrays(specs, same)
  assert.equal(given, same)
  assert.is(given.x, array)
})

test('are refused with the path of the item that is no number', () => {
  const { code, message, issues } = refused({ x: [1, 'two', 'three'], curve: { y: [null], name: 'a' } })
  assert.is(code, 'call-invalid')
  assert.is(message, 'x[1] must be a number, not "two"; curve.y[0] must be a number, not null')
  assert.equal(issues, [
    { path: 'x[1]', message: 'must be a number, not "two"' },
    { path: 'curve.y[0]', message: 'must be a number, not null' },
  ])
  assert.is(refused({ traces: [[1], [2, [3]]] }).message, 'traces[1][1] must be a number, not [3]')
})

test('are refused where a whole number does not fit', () => {
  assert.is(refused({ bytes: [1, 256] }).message, "bytes[1] 256 can't be held as uint8")
  assert.is(refused({ traces: [[0.5]] }).message, "traces[0][0] 0.5 can't be held as int16")
  assert.is(refused({ bytes: [Number.NaN] }).message, "bytes[0] NaN can't be held as uint8")
})

test('are refused where a finite number would become infinite', () => {
  assert.is(refused({ small: [1, -1e300] }).message, "small[1] -1e+300 can't be held as float32")
  const { small } = withTypedArrays(specs, { small: [3.4028235e38, Number.POSITIVE_INFINITY] })
  assert.equal([...(small as Float32Array)].map(Number.isFinite), [true, false])
})

test.run()
