import { createAttempts } from '@fernlab/hub/api/attempts'
import { createClientAddress } from '@fernlab/hub/api/client-address'
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

test('attempts are counted by address and forgotten with time', async () => {
  const clock = new ManualClock()
  const attempts = createAttempts({ clock, most: 2, windowMs: 1000 })
  const tryFrom = (address: string) => {
    attempts.check(address)
    attempts.count(address)
  }
  tryFrom('a')
  await clock.advance(600)
  tryFrom('a')
  assert.throws(
    () => tryFrom('a'),
    (error: LabError) => error.code === 'too-many-attempts',
  )
  tryFrom('b')
  await clock.advance(500)
  tryFrom('a')
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

test('unknown things are 404, a full disk is 507', () => {
  const status = (code: string, kind: 'caller' | 'configuration' = 'caller') =>
    statusOf(new LabError({ code, kind, message: '' }))
  assert.is(status('lab-unknown'), 404)
  assert.is(status('disk-full', 'configuration'), 507)
  assert.is(status('parameters-invalid'), 422)
})

test.run()
