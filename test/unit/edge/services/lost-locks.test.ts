import { EndedLocks } from '@fernlab/edge/services/locks/lost-locks'
import * as assert from 'uvu/assert'
import { suite } from '../../../support/suite.ts'

const test = suite('how locks have ended')

const unlocked = { why: 'unlocked', message: 'by its owner' } as const
const ended = { why: 'ended-by-other', message: 'by the staff' } as const

test('is kept for each owner, however many locks of another end', () => {
  const all = new EndedLocks()
  all.add('ada', 'bench a', ended)
  for (let n = 0; n < 5000; n++) all.add('bob', 'service b', unlocked, `taking ${n}`)
  assert.is(all.of('ada', 'bench a'), ended)
  assert.is(all.of('bob', 'service b', 'taking 4999'), unlocked)
  assert.is(all.of('bob', 'service b', 'taking 0').why, 'not-known')
})

test('is kept of those whose locks ended last', () => {
  const all = new EndedLocks()
  for (let n = 0; n < 5000; n++) all.add(`person ${n}`, 'bench a', ended)
  assert.is(all.of('person 4999', 'bench a'), ended)
  assert.is(all.of('person 0', 'bench a').why, 'not-known')
})

test('is forgotten where the same is locked again', () => {
  const all = new EndedLocks()
  all.add('ada', 'bench a', ended, 'one')
  all.add('ada', 'bench a', ended, 'two')
  all.forget('ada', 'bench a', 'one')
  assert.is(all.of('ada', 'bench a', 'one').why, 'not-known')
  assert.is(all.of('ada', 'bench a', 'two'), ended)
})

test.run()
