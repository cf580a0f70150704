import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'
import { admin, type ServedHub, serveHub } from '../api/served-hub.ts'
import { type MailServer, startMailServer } from './mail-server.ts'
import { askAs, cookieOf, secretInLetter } from './visitor.ts'

const test = suite('people who register themselves, and their addresses', { timeoutMs: 60_000 })
let hub: ServedHub
let mail: MailServer
let adminCookie: string

test.before(async () => {
  mail = await startMailServer()
  hub = await serveHub({ smtpUrl: mail.url, trustedProxies: ['loopback'] })
  adminCookie = (await hub.signIn()).cookie
})
test.after(async () => {
  await hub.close()
  await mail.close()
})

interface Problem {
  readonly code: string
  readonly hint: string
  readonly issues?: readonly { readonly path: string }[]
}
const problem = async (response: Response) => (await response.json()) as Problem
const rules = (registration: object) =>
  askAs(hub, adminCookie, 'PUT', '/api/v1/settings/sign-in', {
    registration: { open: true, domains: [], role: 'student', ...registration },
    staffSecondFactor: false,
  })
/** Each from an address of its own, or the limit would be met. */
let visitors = 0
const post = (path: string, body: object) =>
  hub.json('POST', path, body, { 'x-forwarded-for': `203.0.113.${++visitors}` })
const register = (name: string, email: string) => post('/api/v1/register', { name, email })
const site = async () => {
  const answer = await fetch(`${hub.url}/api/v1/site`)
  return ((await answer.json()) as { registration: object }).registration
}
const password = 'a-long-password'

test('registration is closed until an admin opens it', async () => {
  assert.equal(await site(), { open: false, domains: [] })
  const refused = await register('Ada', 'ada@school.example')
  assert.is(refused.status, 403)
  assert.is((await problem(refused)).code, 'registration-closed')
  const student = await hub.person('student', ['read', 'run', 'admin'])
  const asked = await hub.json('PUT', '/api/v1/settings/sign-in', {}, student.bearer)
  assert.is(asked.status, 403)
  assert.is((await rules({ domains: ['School.Example'] })).status, 200)
  assert.equal(await site(), { open: true, domains: ['school.example'] })
  const entry = await hub.store.db
    .selectFrom('audit')
    .select('detail')
    .where('action', '=', 'settings.sign-in')
    .executeTakeFirstOrThrow()
  const { from, to } = JSON.parse(entry.detail)
  assert.equal([from.registration.open, to.registration.open], [false, true])
})

test('whoever reads the letter chooses the password, and is signed in as what the rules say', async () => {
  await rules({ role: 'guest' })
  const asked = await register('Ada', 'Ada@School.example')
  assert.is(asked.status, 202)
  const token = secretInLetter(await mail.letterTo('ada@school.example'))
  assert.is((await hub.store.db.selectFrom('user').select('id').where('name', '=', 'Ada').execute()).length, 0)
  const look = await post('/api/v1/register/check', { token })
  assert.equal(await look.json(), { name: 'Ada', email: 'ada@school.example' })
  const body = { token, name: 'Ada L.', password }
  const answers = await Promise.all([1, 2, 3].map(() => post('/api/v1/register/confirm', body)))
  assert.equal(answers.map(({ status }) => status).sort(), [201, 410, 410])
  const cookie = answers.map(cookieOf).find((one) => one !== '') ?? ''
  const me = (await (await askAs(hub, cookie, 'GET', '/api/v1/me')).json()) as { name: string; role: string }
  assert.equal([me.name, me.role], ['Ada L.', 'guest'])
  const over = await problem(await post('/api/v1/register/check', { token }))
  assert.is(over.code, 'link-used-or-expired')
  assert.match(over.hint, /Register again/)
  assert.is((await hub.signIn({ email: 'ada@school.example', password })).response.status, 200)
})

test('an address with an account is answered the same, and its owner is told', async () => {
  await rules({})
  const [known, unknown] = await Promise.all([register('Eve', admin.email), register('Eve', 'nobody@school.example')])
  assert.is(known.status, unknown.status)
  assert.is(await known.text(), await unknown.text())
  assert.match(await mail.letterTo(admin.email), 'you have one already')
  await mail.letterTo('nobody@school.example')
})

test('a later link replaces the earlier one; one that is too old says what to do', async () => {
  await rules({})
  await register('Bo', 'bo@school.example')
  const first = secretInLetter(await mail.letterTo('bo@school.example'))
  await register('Bo', 'bo@school.example')
  const second = secretInLetter(await mail.letterTo('bo@school.example'))
  assert.is((await post('/api/v1/register/check', { token: first })).status, 410)
  assert.is((await post('/api/v1/register/check', { token: second })).status, 200)
  await hub.store.write([hub.store.db.updateTable('address_link').set({ expires_at: Date.now() - 1 })])
  const over = await post('/api/v1/register/confirm', { token: second, name: 'Bo', password })
  assert.is(over.status, 410)
  assert.match((await problem(over)).hint, /older than a day/)
})

test('only the domains that the rules name may register, also when they change meanwhile', async () => {
  await rules({ domains: ['school.example', 'uni.example'] })
  const refused = await register('Eve', 'eve@evil-school.example')
  assert.is(refused.status, 422)
  const { code, issues, hint } = await problem(refused)
  assert.equal([code, issues?.[0]?.path], ['domain-not-permitted', 'email'])
  assert.match(hint, 'school.example or uni.example')
  assert.is((await register('Cy', 'cy@uni.example')).status, 202)
  const token = secretInLetter(await mail.letterTo('cy@uni.example'))
  await rules({ domains: ['school.example'] })
  assert.is((await post('/api/v1/register/confirm', { token, name: 'Cy', password })).status, 422)
  await rules({ open: false })
  assert.is((await post('/api/v1/register/confirm', { token, name: 'Cy', password })).status, 403)
})

test('nobody can have an address flooded with letters, from wherever they ask', async () => {
  await rules({})
  const statuses: number[] = []
  for (let n = 0; n < 6; n++) statuses.push((await register('Dee', 'dee@school.example')).status)
  assert.equal(statuses, [202, 202, 202, 202, 429, 429])
})

test('without a mail server registration can not be opened', async () => {
  const silent = await serveHub()
  try {
    const { cookie } = await silent.signIn()
    const body = { registration: { open: true, domains: [], role: 'student' }, staffSecondFactor: false }
    const refused = await askAs(silent, cookie, 'PUT', '/api/v1/settings/sign-in', body)
    assert.is(refused.status, 422)
    const { code, issues } = await problem(refused)
    assert.equal([code, issues?.[0]?.path], ['mail-not-configured', 'registration.open'])
    const change = { email: 'new@school.example', password: admin.password }
    const address = await askAs(silent, cookie, 'POST', '/api/v1/me/address', change)
    assert.is((await problem(address)).code, 'mail-not-configured')
  } finally {
    await silent.close()
  }
})

test('a new address holds once its link is opened; the old one is told and its links stop working', async () => {
  await rules({})
  await register('Fay', 'fay@school.example')
  const token = secretInLetter(await mail.letterTo('fay@school.example'))
  const cookie = cookieOf(await post('/api/v1/register/confirm', { token, name: 'Fay', password }))
  const ask = (email: string, using = password) =>
    askAs(hub, cookie, 'POST', '/api/v1/me/address', { email, password: using })
  assert.is((await problem(await ask('fay@new.example', 'not-the-password'))).code, 'wrong-credentials')
  assert.is((await problem(await ask('Fay@School.example'))).code, 'address-unchanged')
  await post('/api/v1/password/forgot', { email: 'fay@school.example' })
  const reset = secretInLetter(await mail.letterTo('fay@school.example'))
  assert.is((await ask('Fay@New.example')).status, 202)
  const link = secretInLetter(await mail.letterTo('fay@new.example'))
  const email = async () => ((await (await askAs(hub, cookie, 'GET', '/api/v1/me')).json()) as { email: string }).email
  assert.is(await email(), 'fay@school.example')
  const answers = await Promise.all([1, 2].map(() => post('/api/v1/address/confirm', { token: link })))
  assert.equal(answers.map(({ status }) => status).sort(), [200, 410])
  assert.is(await email(), 'fay@new.example')
  assert.match(await mail.letterTo('fay@school.example'), 'has another mail address now')
  assert.is((await post('/api/v1/password/reset', { token: reset, password })).status, 410)
  assert.is((await hub.signIn({ email: 'fay@school.example', password })).response.status, 401)
  assert.is((await hub.signIn({ email: 'fay@new.example', password })).response.status, 200)
})

test('an address that has an account is nobody else’s, also when it got one meanwhile', async () => {
  await rules({})
  const join = async (name: string) => {
    const email = `${name}@school.example`
    await register(name, email)
    const token = secretInLetter(await mail.letterTo(email))
    return cookieOf(await post('/api/v1/register/confirm', { token, name, password }))
  }
  const cookie = await join('gus')
  await askAs(hub, cookie, 'POST', '/api/v1/me/address', { email: admin.email, password })
  assert.match(await mail.letterTo(admin.email), 'nothing was changed')
  await askAs(hub, cookie, 'POST', '/api/v1/me/address', { email: 'hal@school.example', password })
  const link = secretInLetter(await mail.letterTo('hal@school.example'))
  await join('hal')
  assert.is((await problem(await post('/api/v1/address/confirm', { token: link }))).code, 'address-taken')
})

test('a person who left takes their links along', async () => {
  await rules({})
  await register('Ida', 'ida@school.example')
  const token = secretInLetter(await mail.letterTo('ida@school.example'))
  const cookie = cookieOf(await post('/api/v1/register/confirm', { token, name: 'Ida', password }))
  await askAs(hub, cookie, 'POST', '/api/v1/me/address', { email: 'ida@new.example', password })
  const link = secretInLetter(await mail.letterTo('ida@new.example'))
  assert.is((await askAs(hub, cookie, 'POST', '/api/v1/me/close', { password })).status, 204)
  assert.is((await post('/api/v1/address/confirm', { token: link })).status, 410)
})

test.run()
