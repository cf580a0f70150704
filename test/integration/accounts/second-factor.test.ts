import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'
import { admin, type ServedHub, serveHub } from '../api/served-hub.ts'
import { appWith } from './authenticator-app.ts'
import { askAs, cookieOf } from './visitor.ts'

const test = suite('the second factor', { timeoutMs: 60_000 })
let hub: ServedHub

test.before.each(async () => {
  hub = await serveHub({ trustedProxies: ['loopback'] })
})
test.after.each(() => hub.close())

const codeIn = async (response: Response) => ((await response.json()) as { code: string }).code
/** The cookie of this name that an answer sets, as the browser sends it back. */
const cookieNamed = (response: Response, name: string) =>
  response.headers
    .getSetCookie()
    .find((line) => line.startsWith(`${name}=`))
    ?.split(';')[0] ?? ''

const wrong = '000 000'

async function setUp(cookie: string) {
  const ask = (path: string, body: object) => askAs(hub, cookie, 'POST', `/api/v1/me/second-factor${path}`, body)
  const begun = await ask('', { password: admin.password })
  assert.is(begun.status, 201)
  const { secret, uri } = (await begun.json()) as { secret: string; uri: string }
  assert.match(uri, `secret=${secret}`)
  const code = appWith(secret)
  const confirmed = await ask('/confirm', { code: code() })
  assert.is(confirmed.status, 200)
  return { code, secret, ...((await confirmed.json()) as { recoveryCodes: string[] }) }
}
const second = (response: Response, code: string, more: object = {}) =>
  hub.json(
    'POST',
    '/api/v1/sign-in/second-factor',
    { code, ...more },
    { cookie: cookieNamed(response, 'fernlab.second_step'), origin: hub.url },
  )
const me = (cookie: string) => askAs(hub, cookie, 'GET', '/api/v1/me')
const sessions = async () => (await hub.store.db.selectFrom('session').select('id').execute()).length

test('it is on once a code of the app shows that it works, and asked for after the password', async () => {
  const { cookie } = await hub.signIn()
  const ask = (path: string, body: object) => askAs(hub, cookie, 'POST', `/api/v1/me/second-factor${path}`, body)
  assert.is(await codeIn(await ask('/confirm', { code: '123456' })), 'second-factor-not-begun')
  assert.is(await codeIn(await ask('', { password: 'not-the-password' })), 'wrong-credentials')
  assert.is((await ask('', { password: admin.password })).status, 201)
  assert.is(await codeIn(await ask('/confirm', { code: wrong })), 'code-wrong')
  assert.is((await hub.signIn()).cookie.includes('session_token'), true, 'not asked for yet')
  const { code, recoveryCodes } = await setUp(cookie)
  assert.is(new Set(recoveryCodes).size, 8)
  assert.is(await codeIn(await ask('', { password: admin.password })), 'second-factor-on')

  const before = await sessions()
  const { response } = await hub.signIn()
  assert.equal(await response.clone().json(), { secondFactor: true, by: ['code'] })
  assert.is(cookieOf(response), '')
  assert.match(response.headers.getSetCookie().join(), /HttpOnly; SameSite=Lax/)
  assert.is(await sessions(), before)
  assert.is((await me(cookieNamed(response, 'fernlab.second_step'))).status, 401)
  assert.is(await codeIn(await second(response, wrong)), 'code-wrong')
  const entered = await second(response, code())
  assert.is(entered.status, 200)
  assert.is((await me(cookieOf(entered))).status, 200)
  assert.is(await codeIn(await second(response, code())), 'second-step-over')
})

test('a code is taken once, whoever sends it at the same moment; a later sign-in wants a later one', async () => {
  const { code } = await setUp((await hub.signIn()).cookie)
  const waiting = await Promise.all([1, 2, 3, 4].map(() => hub.signIn()))
  const one = code()
  const answers = await Promise.all(waiting.map(({ response }) => second(response, one)))
  assert.equal(answers.map(({ status }) => status).sort(), [200, 401, 401, 401])
  const { response } = await hub.signIn()
  assert.is(await codeIn(await second(response, one)), 'code-wrong')
})

test('a recovery code signs in once, however it is typed; others replace them', async () => {
  const { cookie } = await hub.signIn()
  const { recoveryCodes } = await setUp(cookie)
  const [first = '', next = ''] = recoveryCodes
  const typed = first.toLowerCase().replaceAll('-', ' ')
  assert.is((await second((await hub.signIn()).response, typed)).status, 200)
  assert.is((await second((await hub.signIn()).response, first)).status, 401)
  const state = await (await askAs(hub, cookie, 'GET', '/api/v1/me/second-factor')).json()
  assert.equal(state, { on: true, recoveryCodes: 7, required: false })
  const path = '/api/v1/me/second-factor/recovery-codes'
  const renewed = await askAs(hub, cookie, 'POST', path, { password: admin.password })
  const { recoveryCodes: others } = (await renewed.json()) as { recoveryCodes: string[] }
  assert.is((await second((await hub.signIn()).response, next)).status, 401)
  assert.is((await second((await hub.signIn()).response, others[0] ?? '')).status, 200)
  const rows = await hub.store.db.selectFrom('recovery_code').selectAll().execute()
  assert.not.match(JSON.stringify(rows), others[1] ?? '')
})

test('a browser that is trusted is not asked, until its person signs out everywhere', async () => {
  const { cookie } = await hub.signIn()
  const { code } = await setUp(cookie)
  const entered = await second((await hub.signIn()).response, code(), { trustBrowser: true })
  const trust = cookieNamed(entered, 'fernlab.trusted_browser')
  assert.match(trust, /=\S+/)
  const again = () => hub.json('POST', '/api/auth/sign-in/email', admin, { cookie: trust, origin: hub.url })
  assert.is.not(cookieOf(await again()), '')
  await askAs(hub, cookie, 'POST', '/api/v1/me/sign-out-everywhere')
  assert.equal(await (await again()).json(), { secondFactor: true, by: ['code'] })
})

test('codes can not be guessed from many places, and a step waits ten minutes', async () => {
  await setUp((await hub.signIn()).cookie)
  const { response } = await hub.signIn()
  const from = (n: number) => ({
    cookie: cookieNamed(response, 'fernlab.second_step'),
    origin: hub.url,
    'x-forwarded-for': `203.0.113.${n}`,
  })
  const statuses: number[] = []
  for (let n = 0; n < 12; n++) {
    statuses.push((await hub.json('POST', '/api/v1/sign-in/second-factor', { code: wrong }, from(n))).status)
  }
  assert.equal([statuses.filter((status) => status === 401).length, statuses.at(-1)], [10, 429])
  await hub.store.write([hub.store.db.updateTable('one_time').set({ expires_at: Date.now() - 1 })])
  const late = await hub.json('POST', '/api/v1/sign-in/second-factor', { code: wrong }, from(1))
  assert.is(await codeIn(late), 'second-step-over')
})

test('the password turns it off; an admin takes somebody’s away, and the log says so', async () => {
  const { cookie } = await hub.signIn()
  const { secret } = await setUp(cookie)
  const remove = (password: string) => askAs(hub, cookie, 'POST', '/api/v1/me/second-factor/remove', { password })
  assert.is(await codeIn(await remove('not-the-password')), 'wrong-credentials')
  assert.is((await remove(admin.password)).status, 204)
  assert.is.not(cookieOf((await hub.signIn()).response), '')
  await setUp(cookie)
  const { personId } = (await hub.accounts.authenticate(new Headers({ cookie }))) ?? { personId: '' }
  const path = `/api/v1/users/${personId}/second-factor`
  const student = await hub.person('student', ['read', 'run', 'admin'])
  assert.is((await hub.json('DELETE', path, undefined, student.bearer)).status, 403)
  const other = await hub.person('admin', ['admin'])
  assert.is((await hub.json('DELETE', path, undefined, other.bearer)).status, 204)
  assert.is((await hub.json('DELETE', path.replace(personId, 'nobody'), undefined, other.bearer)).status, 404)
  assert.is.not(cookieOf((await hub.signIn()).response), '')
  const entries = await hub.store.db.selectFrom('audit').selectAll().orderBy('id').execute()
  assert.equal(
    entries.filter(({ action }) => action.startsWith('second-factor')).map(({ action }) => action),
    ['second-factor.on', 'second-factor.off', 'second-factor.on', 'second-factor.reset'],
  )
  assert.not.match(JSON.stringify(entries), secret)
  const stored = await hub.store.db.selectFrom('second_factor').selectAll().execute()
  assert.not.match(JSON.stringify(stored), secret)
})

test('staff must have one where the site says so: without it they can do nothing else, and tokens go on', async () => {
  const { cookie } = await hub.signIn()
  const rules = (staffSecondFactor: boolean) =>
    askAs(hub, cookie, 'PUT', '/api/v1/settings/sign-in', {
      registration: { open: false, domains: [], role: 'student' },
      staffSecondFactor,
    })
  assert.is(await codeIn(await rules(true)), 'second-factor-missing')
  await setUp(cookie)
  assert.is((await rules(true)).status, 200)
  assert.is((await me(cookie)).status, 200)
  const { personId } = (await hub.accounts.authenticate(new Headers({ cookie }))) ?? { personId: '' }
  const token = await hub.accounts.createToken({ personId }, { name: 'before', scopes: ['admin'] })
  const remove = { password: admin.password }
  assert.is((await askAs(hub, cookie, 'POST', '/api/v1/me/second-factor/remove', remove)).status, 204)
  const about = (await (await me(cookie)).json()) as { mustSetUp?: string }
  assert.is(about.mustSetUp, 'second-factor')
  for (const [method, path] of [
    ['GET', '/api/v1/users'],
    ['GET', '/api/v1/runs'],
    ['PUT', '/api/v1/me'],
    ['GET', '/api/v1/tokens'],
    ['POST', '/api/v1/tokens'],
    ['PUT', '/api/v1/settings/sign-in'],
  ] as const) {
    const answer = await askAs(hub, cookie, method, path, method === 'GET' ? undefined : {})
    assert.is(await codeIn(answer), 'second-factor-needed', `${method} ${path}`)
  }
  const bearer = { authorization: `Bearer ${token.token}` }
  assert.is((await fetch(`${hub.url}/api/v1/users`, { headers: bearer })).status, 200)
  await setUp(cookie)
  assert.is((await askAs(hub, cookie, 'GET', '/api/v1/users')).status, 200)
})

test.run()
