import type { DirectoryService } from '@fernlab/shared/contracts/directory'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import * as assert from 'uvu/assert'
import { holdSays, isDown, mayUse } from '../../../hub/web/src/services/hold-says.ts'
import { suite } from '../../support/suite.ts'

const test = suite('who has a service, as its page says it')

const since = '2026-01-01T00:00:00.000Z'
const contract = { kind: 'any', version: '1.0', actions: {}, signals: {}, events: {} }
const part = { state: 'up', bench: 'pi.diode', contract } as const
const own = { state: 'up', daemon: 'tools', contract } as const
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

test('where its daemon takes no calls, none are offered, also before the directory knows', () => {
  const refused = (code: string) => ({ ...reached, unread: new LabError({ code, kind: 'link', message: code }) })
  assert.is(holdSays(own, 'admin', refused('service-gone')), 'down')
  assert.ok(isDown(own, refused('service-unhealthy')))
  assert.not.ok(isDown(own, refused('link-ended')))
  assert.is(holdSays({ ...own, state: 'unhealthy' }, 'admin', reached), 'down')
  assert.is(holdSays({ ...own, state: 'gone' }, 'admin', reached), 'down')
  assert.is(holdSays({ ...own, state: 'gone' }, 'admin', { ...reached, way: undefined }), 'away')
  assert.not.ok(mayUse('down', undefined))
  const level: DirectoryService['contract']['signals'][string] = {
    unit: '1',
    dtype: 'number',
    shape: [],
    kind: 'reading',
    access: 'read',
  }
  const isRead: Parameters<typeof isDown>[0] = { ...own, state: 'gone', contract: { ...contract, signals: { level } } }
  assert.not.ok(isDown(isRead, reached), 'the hub has lost its node, and this page has not')
  assert.not.ok(isDown({ ...part, state: 'unhealthy' } as never, reached), 'its bench can be taken all the same')
})

test('who may not drive benches looks; who maintains them sees whose lock could be ended', () => {
  for (const role of ['student', 'guest', 'builder', undefined] as const)
    assert.is(holdSays(own, role, undefined), 'look')
  assert.is(holdSays({ ...own, state: 'locked', lockedBy: { since } }, 'student', undefined), 'look')
  assert.is(holdSays({ ...own, state: 'locked', lockedBy: { since } }, 'builder', undefined), 'others')
})

test.run()
