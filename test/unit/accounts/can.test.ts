import type { Caller, Role } from '@fernlab/hub/accounts/caller'
import { actions, can, decide } from '@fernlab/hub/accounts/can'
import { mayInvite, roles } from '@fernlab/shared/contracts/people'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('who may do what')
const caller = (role: Role, scopes: Caller['scopes'] = 'all'): Caller => ({
  personId: 'me',
  name: 'Me',
  email: 'me@x.example',
  role,
  scopes,
  via: scopes === 'all' ? 'session' : 'token',
})

test('strangers may do nothing that has a name', () => {
  for (const action of actions) assert.is(decide(undefined, action), 'sign-in', action)
})

test('an admin who signed in may do everything', () => {
  for (const action of actions) assert.ok(can(caller('admin'), action, { ownerId: 'somebody' }), action)
})

test('a token never widens what its person may do', () => {
  for (const role of roles) {
    for (const action of actions) {
      if (can(caller(role, ['read', 'run', 'account', 'builder', 'admin']), action))
        assert.ok(can(caller(role), action), `${role} ${action}`)
    }
  }
})

test('a token that reads changes nothing', () => {
  for (const action of actions.filter((name) => !/read|catalogue/.test(name))) {
    assert.not(can(caller('admin', ['read']), action), action)
  }
})

test('a token for MQTT opens nothing but the broker', () => {
  for (const action of actions.filter((name) => name !== 'mqtt.watch'))
    assert.not(can(caller('admin', ['mqtt:read', 'mqtt:status']), action), action)
})

test('another’s run is unseen by students and seen by staff', () => {
  assert.is(decide(caller('student'), 'runs.read', { ownerId: 'other' }), 'unseen')
  assert.is(decide(caller('student'), 'runs.read', { ownerId: 'me' }), 'yes')
  assert.is(decide(caller('instructor'), 'runs.read', { ownerId: 'other' }), 'yes')
  assert.is(decide(caller('builder'), 'runs.cancel', { ownerId: 'other' }), 'unseen')
})

test('instructors invite students and guests, admins anybody, others nobody', () => {
  const invited = (role: Role) => roles.filter((to) => mayInvite({ role }, to))
  assert.equal(invited('admin'), [...roles])
  assert.equal(invited('instructor'), ['student', 'guest'])
  for (const role of ['builder', 'student', 'guest'] as const) assert.equal(invited(role), [])
})

test.run()
