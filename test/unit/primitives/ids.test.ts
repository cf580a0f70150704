import { newId } from '@fernlab/shared/primitives/ids'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('ids')

test('ids sort in the order in which they were made, also within a millisecond', () => {
  const ids = [1_790_000_000_000, 1_790_000_000_001].flatMap((ms) => Array.from({ length: 10_000 }, () => newId(ms)))
  assert.equal([...ids].sort(), ids)
  assert.is(new Set(ids).size, ids.length)
})

test('an id is 26 characters, the first ten of them its time, and the next is not to be guessed from it', () => {
  const [first, second] = [newId(1_790_000_000_000), newId(1_790_000_000_000)]
  assert.match(first, /^[0-9a-hjkmnp-tv-z]{26}$/)
  assert.is(first.slice(0, 10), second.slice(0, 10))
  assert.is.not(first.slice(18), second.slice(18))
})

test.run()
