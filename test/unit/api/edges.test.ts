import { createAttempts } from '@fernlab/hub/api/attempts'
import { createClientAddress, networkOf } from '@fernlab/hub/api/client-address'
import { checkOrigin } from '@fernlab/hub/api/origin'
import { cursorId, pageOf } from '@fernlab/hub/api/paging'
import { problemOf, statusOf } from '@fernlab/hub/api/problems'
import { ManualClock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('the edges of the API')
const forwarded = (value?: string) => new Headers(value === undefined ? {} : { 'x-forwarded-for': value })

test('a forwarded address counts only as far as trusted proxies wrote it', () => {
  const none = createClientAddress([])
  assert.is(none.of('10.0.0.1', forwarded('203.0.113.5')), '10.0.0.1')
  const proxied = createClientAddress(['10.0.0.0/8', 'loopback', 'fd00::/8'])
  assert.is(proxied.of('10.0.0.1', forwarded('203.0.113.5')), '203.0.113.5')
  assert.is(proxied.of('10.0.0.1', forwarded('6.6.6.6, 203.0.113.5, 10.1.1.1')), '203.0.113.5')
  assert.is(proxied.of('198.51.100.1', forwarded('203.0.113.5')), '198.51.100.1')
  assert.is(proxied.of('::ffff:10.0.0.1', forwarded('203.0.113.5')), '203.0.113.5')
  assert.is(proxied.of('10.0.0.1', forwarded('nonsense')), '10.0.0.1')
  assert.is(proxied.of('fd00::1', forwarded('2001:db8::5')), '2001:db8::5')
  assert.throws(() => createClientAddress(['10.0.0.0/33']), /FERNLAB_TRUSTED_PROXIES/)
  assert.throws(() => createClientAddress(['example.org']), /FERNLAB_TRUSTED_PROXIES/)
})

const tooMany = (error: LabError) => error.code === 'too-many-attempts'

test('attempts are counted by address and forgotten with time', async () => {
  const clock = new ManualClock()
  const attempts = createAttempts({ clock, most: 2, windowMs: 1000 })
  attempts.use('a')
  await clock.advance(600)
  attempts.use('a')
  assert.throws(() => attempts.use('a'), tooMany)
  attempts.use('b')
  await clock.advance(500)
  attempts.use('a')
})

test('of guesses at once only as many are made as may fail, and those that succeed count for nothing', async () => {
  const attempts = createAttempts({ clock: new ManualClock(), most: 3, windowMs: 1000 })
  let made = 0
  const guess = (right: boolean) =>
    attempts.guess('a', async () => {
      made++
      await new Promise((resolve) => setTimeout(resolve, 1))
      if (!right) throw new LabError({ code: 'wrong-credentials', kind: 'caller', message: 'wrong' })
    })
  await Promise.all(Array.from({ length: 50 }, () => guess(true)))
  assert.is(made, 50, 'a class comes in together')
  made = 0
  const answers = await Promise.allSettled(Array.from({ length: 50 }, () => guess(false)))
  assert.is(made, 3)
  assert.is(answers.filter((answer) => answer.status === 'rejected' && tooMany(answer.reason)).length, 47)
})

test('what the hub itself fails at is no guess', async () => {
  const attempts = createAttempts({ clock: new ManualClock(), most: 1, windowMs: 1000 })
  const failing = () => attempts.guess('a', async () => Promise.reject(new Error('the disk is full')))
  for (let n = 0; n < 3; n++) assert.is(await failing().catch((error: Error) => error.message), 'the disk is full')
})

test('addresses that one client can choose from are one', () => {
  assert.is(networkOf('192.0.2.7'), '192.0.2.7')
  assert.is(networkOf('::ffff:192.0.2.7'), '192.0.2.7')
  assert.is(networkOf('2001:db8:1:2:3:4:5:6'), '2001:db8:1:2::/64')
  assert.is(networkOf('2001:DB8:1:2::1'), '2001:db8:1:2::/64')
  assert.is(networkOf('2001:db8::9'), '2001:db8:0:0::/64')
  assert.is(networkOf('fe80::1%eth0'), 'fe80:0:0:0::/64')
  assert.is(networkOf('64:ff9b::192.0.2.7'), '64:ff9b:0:0::/64')
  assert.is(networkOf('::1'), '0:0:0:0::/64')
  const attempts = createAttempts({ clock: new ManualClock(), most: 1, windowMs: 1000 })
  attempts.use('2001:db8:1:2::1')
  assert.throws(() => attempts.use('2001:db8:1:2:ffff::1'), tooMany)
})

test('unsafe calls with a cookie must come from the hub’s own page', () => {
  const check = (method: string, headers: Record<string, string>) => {
    try {
      checkOrigin({ method, headers: new Headers(headers), host: 'lab.example', ownOrigins: ['https://lab.example'] })
      return true
    } catch {
      return false
    }
  }
  const cookie = { cookie: 'a=b' }
  assert.ok(check('GET', { ...cookie, origin: 'https://evil.example' }))
  assert.ok(check('POST', { ...cookie, origin: 'https://lab.example' }))
  assert.ok(check('POST', {}), 'a program without cookies')
  assert.ok(check('POST', { ...cookie, authorization: 'Bearer x' }), 'a browser never adds this by itself')
  assert.not(check('POST', cookie))
  assert.not(check('POST', { ...cookie, origin: 'https://evil.example' }))
  assert.not(check('POST', { origin: 'https://evil.example' }), 'signing somebody in from outside')
  assert.not(check('DELETE', { ...cookie, origin: 'null' }))
  assert.not(check('POST', { ...cookie, 'sec-fetch-site': 'same-site' }))
})

test('cursors survive what comes and goes', () => {
  const items = ['a', 'c', 'e', 'g'].map((id) => ({ id }))
  const first = pageOf(items, { limit: 2 })
  assert.equal(first.items, [{ id: 'a' }, { id: 'c' }])
  const changed = [{ id: 'b' }, { id: 'd' }, { id: 'g' }]
  assert.equal(pageOf(changed, { limit: 5, cursor: first.cursor }).items, [{ id: 'd' }, { id: 'g' }])
  assert.throws(
    () => cursorId('%%'),
    (error: LabError) => error.code === 'cursor-invalid',
  )
})

test('a bug tells the outside nothing', () => {
  const problem = problemOf(new Error('/etc/secret is not there'))
  assert.is(problem.status, 500)
  assert.not.match(JSON.stringify(problem), 'secret')
})

test('nobody outside hears where the hub’s files are', () => {
  const unusable = new LabError({
    code: 'database-unusable',
    kind: 'configuration',
    message: 'the database /srv/lab/hub.db can’t be used',
  })
  const problem = problemOf(unusable)
  assert.is(problem.status, 503)
  assert.not.match(JSON.stringify(problem), '/srv')
})

test('unknown things are 404, what the state of things forbids is 409, a full disk is 507', () => {
  const status = (code: string, kind: 'caller' | 'configuration' = 'caller') =>
    statusOf(new LabError({ code, kind, message: '' }))
  assert.is(status('lab-unknown'), 404)
  assert.is(status('disk-full', 'configuration'), 507)
  assert.is(status('parameters-invalid'), 422)
  assert.is(status('value-unknown'), 422)
  for (const code of ['lease-ended', 'lease-invalid', 'run-not-assigned', 'operation-overtaken', 'fence-stale']) {
    assert.is(status(code), 409, code)
  }
  for (const state of ['busy', 'fault', 'maintenance', 'offline']) assert.is(status(`bench-${state}`), 409, state)
})

test.run()
