import { ResetWatch } from '@fernlab/edge/drivers/board/reset-watch'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('starts of a board')

test('a board that was told to start is there at once, and one that starts anew once soon', () => {
  const watch = new ResetWatch()
  watch.connected(0, 7)
  assert.is(watch.quietMs(0), 0)
  watch.saw(1000, 8)
  assert.is(watch.quietMs(1000), 1500)
  assert.is(watch.reason(1000), undefined)
  assert.is(watch.quietMs(62_000), 0)
})

test('one that starts again and again must run the longer, and is told how often it did', () => {
  const watch = new ResetWatch()
  watch.connected(0, 1)
  for (let n = 1; n <= 5; n++) watch.saw(n * 1000, n + 1)
  assert.is(watch.quietMs(5000), 5000)
  assert.match(watch.reason(5000) ?? '', /5 times within 4 s \(start 6 since it had power\)/)
})

test('starts that nobody heard show in its count, but not those that opening the port makes', () => {
  const watch = new ResetWatch()
  watch.connected(0, 1)
  watch.connected(5000, 3)
  assert.is(watch.quietMs(5000), 0)
  watch.connected(9000, 9)
  assert.is(watch.quietMs(9000), 5000)
  const unplugged = new ResetWatch()
  unplugged.connected(0, 200)
  unplugged.connected(5000, 1)
  assert.is(unplugged.quietMs(5000), 0)
})

test.run()
