import * as assert from 'uvu/assert'
import { holdSays, mayUse } from '../../../hub/web/src/services/hold-says.ts'
import { suite } from '../../support/suite.ts'

const test = suite('who has a service, as its page says it')

const since = '2026-01-01T00:00:00.000Z'
const part = { state: 'up', bench: 'pi.diode' } as const
const own = { state: 'up' } as const
const way = { kind: 'websocket', address: 'ws://pi/rpc', roundTripMs: 1 } as const
const reached = { lock: 'none', way, ways: [], unread: undefined } as const
const lost = { ...reached, way: undefined, ways: [{ at: 0, way: undefined }] } as const

test('a part is taken before it is used, a service of a daemon need not be', () => {
  assert.is(holdSays(part, 'instructor', undefined), 'free')
  assert.not.ok(mayUse('free', part.bench))
  assert.is(holdSays(own, 'admin', reached), 'use')
  assert.ok(mayUse('use', undefined))
  assert.is(holdSays(part, 'instructor', { ...reached, lock: 'held' }), 'held')
  assert.ok(mayUse('held', part.bench))
})

test('what somebody else has, or a run, is not used', () => {
  assert.is(holdSays({ ...part, state: 'locked', lockedBy: { since } }, 'instructor', undefined), 'others')
  assert.is(holdSays({ ...part, state: 'busy' }, 'instructor', undefined), 'run')
  assert.not.ok(mayUse('others', undefined))
  const mine = holdSays({ ...own, state: 'locked', lockedBy: { since, mine: true } }, 'admin', undefined)
  assert.is(mine, 'elsewhere')
  assert.ok(mayUse(mine, undefined))
  assert.not.ok(mayUse(mine, part.bench))
})

test('where no way leads to it, nothing is offered that could not be done', () => {
  assert.is(holdSays(own, 'admin', lost), 'away')
  assert.is(holdSays({ ...part, state: 'gone' }, 'admin', { ...lost, ways: [], unread: new Error('no way') }), 'away')
  assert.is(holdSays(part, 'admin', { ...lost, lock: 'held' }), 'held-away')
  assert.not.ok(mayUse('away', undefined))
  assert.not.ok(mayUse('held-away', part.bench))
  assert.is(holdSays(own, 'admin', { ...lost, ways: [] }), 'use', 'the first way is still looked for')
  assert.is(holdSays(own, 'student', lost), 'look')
})

test('who may not drive benches looks; who maintains them sees whose lock could be ended', () => {
  for (const role of ['student', 'guest', 'builder', undefined] as const)
    assert.is(holdSays(own, role, undefined), 'look')
  assert.is(holdSays({ ...own, state: 'locked', lockedBy: { since } }, 'student', undefined), 'look')
  assert.is(holdSays({ ...own, state: 'locked', lockedBy: { since } }, 'builder', undefined), 'others')
})

test.run()
