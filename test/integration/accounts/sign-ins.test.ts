import { browserName } from '@fernlab/hub/accounts/browser-name'
import type { OwnSignIn } from '@fernlab/shared/contracts/sign-ins'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'
import { admin, type ServedHub, serveHub } from '../api/served-hub.ts'
import { askAs, cookieOf } from './visitor.ts'

const test = suite('where people are signed in', { timeoutMs: 60_000 })
let hub: ServedHub
const path = '/api/v1/me/sign-ins'
const firefox = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0'

test.before.each(async () => {
  hub = await serveHub({ trustedProxies: ['loopback'] })
})
test.after.each(() => hub.close())

const signIn = async (userAgent: string, address: string) =>
  cookieOf(
    await hub.json('POST', '/api/auth/sign-in/email', admin, { 'user-agent': userAgent, 'x-forwarded-for': address }),
  )
const list = async (cookie: string) =>
  ((await (await askAs(hub, cookie, 'GET', path)).json()) as { items: OwnSignIn[] }).items
const status = async (cookie: string) => (await askAs(hub, cookie, 'GET', '/api/v1/me')).status

test('each is told with browser, address and times, and the one that asks is marked; one is ended at once', async () => {
  const here = await signIn(firefox, '203.0.113.7')
  const there = await signIn('curl/8.5', '203.0.113.9')
  await hub.store.write([
    hub.store.db
      .updateTable('session')
      .set({ updatedAt: '2020-01-01T00:00:00.000Z' })
      .where('ipAddress', '=', '203.0.113.9'),
  ])
  const [mine, other, ...none] = await list(here)
  assert.equal(none, [])
  assert.equal([mine?.browser, mine?.system, mine?.address, mine?.here], ['Firefox', 'Windows', '203.0.113.7', true])
  assert.equal([other?.browser, other?.address, other?.here], [undefined, '203.0.113.9', false])
  assert.is(other?.lastSeenAt, '2020-01-01T00:00:00.000Z')
  assert.is(await status(there), 200)
  const seen = (await list(here)).find(({ here: marked }) => !marked)
  assert.ok(Date.parse(seen?.lastSeenAt ?? '') >= Date.parse(seen?.since ?? ''), 'seen by its last call')

  const end = () => askAs(hub, here, 'DELETE', `${path}/${other?.id}`)
  assert.is((await end()).status, 204)
  assert.is(await status(there), 401)
  assert.is((await end()).status, 404)
  assert.is((await list(here)).length, 1)
})

test('all others are ended, nobody else’s, and what has expired is not told', async () => {
  const here = await signIn(firefox, '203.0.113.7')
  const others = [await signIn(firefox, '203.0.113.8'), await signIn('curl/8.5', '203.0.113.9')]
  const stranger = await hub.person('student', ['admin'])
  const id = (await list(here))[0]?.id
  const foreign = await hub.json('DELETE', `${path}/${id}`, undefined, stranger.bearer)
  assert.is(foreign.status, 404)
  assert.is((await hub.json('POST', `${path}/end-others`, undefined, stranger.bearer)).status, 204)
  assert.is((await list(here)).length, 3)
  assert.is((await askAs(hub, here, 'POST', `${path}/end-others`)).status, 204)
  assert.equal(await Promise.all([here, ...others].map(status)), [200, 401, 401])
  const entries = await hub.store.db.selectFrom('audit').select('action').orderBy('id').execute()
  assert.is(entries.filter(({ action }) => action === 'session.ended-others').length, 2)
  await signIn(firefox, '203.0.113.8')
  await hub.store.write([
    hub.store.db
      .updateTable('session')
      .set({ expiresAt: '2020-01-01T00:00:00.000Z' })
      .where('ipAddress', '=', '203.0.113.8'),
  ])
  assert.is((await list(here)).length, 1)
})

test('when somebody was last seen outlives the hub', async () => {
  const here = await signIn(firefox, '203.0.113.7')
  const before = '2020-01-01T00:00:00.000Z'
  await hub.store.write([hub.store.db.updateTable('session').set({ updatedAt: before })])
  assert.is(await status(here), 200)
  await hub.accounts.close()
  const [row] = await hub.store.db.selectFrom('session').select('updatedAt').execute()
  assert.ok(Date.parse(row?.updatedAt ?? '') > Date.parse(before))
})

test('browsers go by the names that people know', () => {
  const android =
    'Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36'
  assert.equal(browserName(firefox), { browser: 'Firefox', system: 'Windows' })
  assert.equal(browserName(android), { browser: 'Chrome', system: 'Android' })
  assert.equal(browserName(`${android} Edg/140.0`), { browser: 'Edge', system: 'Android' })
  const phone =
    'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605 (KHTML, like Gecko) Version/18 Safari/604'
  assert.equal(browserName(phone), { browser: 'Safari', system: 'iPhone' })
  assert.equal(browserName('fernlab'), {})
})

test.run()
