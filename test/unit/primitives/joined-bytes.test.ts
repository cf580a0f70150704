import { joinedBytes } from '@fernlab/shared/primitives/joined-bytes'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('bytes that are joined')

test('pieces come one after another, views of larger memory and empty ones too', () => {
  const memory = Uint8Array.of(9, 1, 2, 3, 9)
  const pieces = [memory.subarray(1, 3), new Uint8Array(0), Buffer.from([7]), memory.subarray(3, 4)]
  const whole = joinedBytes(pieces)
  assert.equal([...whole], [1, 2, 7, 3])
  assert.is(whole.constructor, Uint8Array)
  // In memory of its own.
  memory.fill(0)
  assert.equal([...whole], [1, 2, 7, 3])
  assert.is(whole.buffer.byteLength, 4)
})

test('of none there are none, and a single piece is given as it is', () => {
  assert.is(joinedBytes([]).byteLength, 0)
  const only = Uint8Array.of(1, 2)
  assert.is(joinedBytes([only]), only)
})

test.run()
