import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createAccounts } from '@fernlab/hub/accounts/accounts'
import { createIdentity } from '@fernlab/hub/accounts/identity'
import { resetPassword } from '@fernlab/hub/accounts/passwords'
import { createGroups } from '@fernlab/hub/groups/groups'
import { createMail } from '@fernlab/hub/mail/mail'
import { systemClock } from '@fernlab/shared/primitives/clock'
import type { LabError } from '@fernlab/shared/primitives/lab-error'
import { recordingLog } from '@fernlab/shared/primitives/log'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'
import { admin, type ServedHub, serveHub } from '../api/served-hub.ts'
import { temporaryStore } from '../results/stored-run.ts'
import { type MailServer, startMailServer } from './mail-server.ts'
import { secretIn } from './visitor.ts'

const test = suite('people: set-up, sign-in, tokens, lost passwords', { timeoutMs: 60_000 })
let hub: ServedHub
let mail: MailServer

test.before(async () => {
  mail = await startMailServer()
  hub = await serveHub({ smtpUrl: mail.url, trustedProxies: ['loopback'] })
})
test.after(async () => {
  await hub.close()
  await mail.close()
})

const code = async (response: Response) => ((await response.json()) as { code: string }).code
const me = (cookie: string) => fetch(`${hub.url}/api/v1/me`, { headers: { cookie } })

test('the set-up link makes one admin, however many come at once, and signs in', async () => {
  const fresh = await serveHub({ withAdmin: false })
  try {
    const site = async () => (await (await fetch(`${fresh.url}/api/v1/site`)).json()) as { setupNeeded: boolean }
    assert.ok((await site()).setupNeeded)
    const old = await fresh.accounts.ensureSetupLink()
    const link = await fresh.accounts.ensureSetupLink()
    const body = (token: string, n = 0) => ({
      token,
      name: `Ada ${n}`,
      email: `ada${n}@x.example`,
      password: 'a-long-password',
    })
    assert.is(await code(await fresh.json('POST', '/api/v1/setup', body('wrong'))), 'link-used-or-expired')
    assert.is(await code(await fresh.json('POST', '/api/v1/setup', body(secretIn(old)))), 'link-used-or-expired')
    const check = (token: string) => fresh.json('POST', '/api/v1/setup/check', { token })
    assert.is(await code(await check(secretIn(old))), 'link-used-or-expired')
    assert.is((await check(secretIn(link))).status, 204)
    const answers = await Promise.all(
      [1, 2, 3, 4, 5].map((n) => fresh.json('POST', '/api/v1/setup', body(secretIn(link), n))),
    )
    const won = answers.filter(({ status }) => status === 201)
    assert.is(won.length, 1)
    for (const lost of answers.filter(({ status }) => status !== 201)) assert.is(await code(lost), 'already-set-up')
    assert.is((await fresh.store.db.selectFrom('user').select('id').execute()).length, 1)
    const cookie = won[0]?.headers.getSetCookie().find((line) => line.startsWith('fernlab.session_token=')) ?? ''
    assert.match(cookie, /HttpOnly/i)
    assert.match(cookie, /SameSite=Lax/i)
    const asked = await fetch(`${fresh.url}/api/v1/me`, { headers: { cookie: cookie.split(';')[0] ?? '' } })
    assert.is(((await asked.json()) as { role: string }).role, 'admin')
    assert.not((await site()).setupNeeded)
    assert.is(await fresh.accounts.ensureSetupLink(), undefined)
  } finally {
    await fresh.close()
  }
})

test('a session begins with the password and ends with sign-out, at once', async () => {
  const { response, cookie } = await hub.signIn()
  assert.is(response.status, 200)
  const person = (await (await me(cookie)).json()) as { email: string }
  assert.is(person.email, admin.email)
  const out = await hub.json('POST', '/api/auth/sign-out', {}, { cookie, origin: hub.url })
  assert.is(out.status, 200)
  assert.is((await me(cookie)).status, 401)
  assert.is((await me(`${cookie}x`)).status, 401)
})

test('a look-up under way while a session ends is not remembered', async () => {
  const { cookie } = await hub.signIn()
  const { secret } = JSON.parse(await readFile(join(hub.folder, 'identity.json'), 'utf8')) as { secret: string }
  const { rules } = hub.accounts
  const lastSeen = { note: () => {} }
  const parts = { store: hub.store, secret, secure: false, rules, lastSeen, clock: systemClock, log: recordingLog() }
  const identity = createIdentity(parts)
  const underWay = identity.authenticate(new Headers({ cookie }))
  const { userId } = await hub.store.db.selectFrom('session').select('userId').executeTakeFirstOrThrow()
  identity.forget(userId)
  assert.is((await underWay)?.personId, userId)
  await hub.store.write([hub.store.db.deleteFrom('session').where('userId', '=', userId)])
  assert.is(await identity.authenticate(new Headers({ cookie })), undefined)
})

test('a new password ends the other sessions at once, whichever were heard of lately', async () => {
  const [here, elsewhere] = [(await hub.signIn()).cookie, (await hub.signIn()).cookie]
  assert.is((await me(elsewhere)).status, 200)
  const change = { currentPassword: admin.password, newPassword: admin.password, revokeOtherSessions: true }
  const changed = await hub.json('POST', '/api/auth/change-password', change, { cookie: here, origin: hub.url })
  assert.is(changed.status, 200)
  assert.is((await me(elsewhere)).status, 401)
})

test('hundreds of guesses at once are no way around the limit', async () => {
  const from = { 'x-forwarded-for': '203.0.113.40' }
  const body = { email: admin.email, password: 'wrong-password' }
  const answers = await Promise.all(
    Array.from({ length: 60 }, () => hub.json('POST', '/api/auth/sign-in/email', body, from)),
  )
  assert.is(answers.filter(({ status }) => status === 401).length, 20)
  assert.is(answers.filter(({ status }) => status === 429).length, 40)
})

test('wrong passwords look the same for known and unknown addresses, and are slowed down by address', async () => {
  const from = (address: string) => ({ 'x-forwarded-for': address })
  const attempt = (email: string, address: string) =>
    hub.json('POST', '/api/auth/sign-in/email', { email, password: 'wrong-password' }, from(address))
  const [known, unknown] = await Promise.all([
    attempt(admin.email, '203.0.113.1'),
    attempt('no@body.example', '203.0.113.1'),
  ])
  const [first, second] = [await known.json(), await unknown.json()]
  assert.equal(first, second)
  assert.is(known.status, 401)
  let refused = 0
  for (let n = 0; n < 25; n++) if ((await attempt(admin.email, '203.0.113.2')).status === 429) refused++
  assert.ok(refused >= 4 && refused <= 6, `${refused}`)
  assert.is((await hub.json('POST', '/api/auth/sign-in/email', admin, from('203.0.113.2'))).status, 429)
  assert.is((await hub.json('POST', '/api/auth/sign-in/email', admin, from('203.0.113.3'))).status, 200)
  // A forged hop in front of the proxy's own does not make another address.
  const forged = { 'x-forwarded-for': '198.51.100.7, 203.0.113.2' }
  assert.is((await hub.json('POST', '/api/auth/sign-in/email', admin, forged)).status, 429)
})

test('another site’s page can’t use the cookie', async () => {
  const { cookie } = await hub.signIn()
  const post = (headers: Record<string, string>) =>
    hub.json('POST', '/api/v1/tokens', { name: 'x', scopes: ['read'] }, { cookie, ...headers })
  assert.is(await code(await post({ origin: 'https://evil.example' })), 'origin-refused')
  assert.is(await code(await post({})), 'origin-refused')
  assert.is(await code(await post({ origin: 'null' })), 'origin-refused')
  assert.is((await post({ origin: hub.url })).status, 201)
  assert.is((await post({ 'sec-fetch-site': 'same-origin' })).status, 201)
})

test('of better-auth only the listed calls are there', async () => {
  for (const path of [
    'sign-up/email',
    'list-sessions',
    'update-user',
    'delete-user',
    'ok',
    'error',
    'reset-password',
    'sign-in/social',
  ]) {
    for (const method of ['GET', 'POST']) {
      const answer = await hub.json(method, `/api/auth/${path}`, method === 'POST' ? {} : undefined)
      assert.is(answer.status, 404, `${method} ${path}`)
    }
  }
})

test('a token makes none that lasts longer than itself', async () => {
  const { cookie } = await hub.signIn()
  const headers = { cookie, origin: hub.url }
  const make = async (more: object, by: Record<string, string> = headers) => {
    const answer = await hub.json('POST', '/api/v1/tokens', { name: 'script', scopes: ['account'], ...more }, by)
    return {
      status: answer.status,
      body: (await answer.json()) as { token: string; expiresAt?: string; detail: string },
    }
  }
  const { body } = await make({ expiresInDays: 2 })
  const bearer = { authorization: `Bearer ${body.token}` }
  const refused = await make({ expiresInDays: 3 }, bearer)
  assert.is(refused.status, 403)
  assert.match(refused.body.detail, 'lasts longer than itself')
  assert.is((await make({ expiresInDays: 1 }, bearer)).status, 201)
  assert.is((await make({}, bearer)).body.expiresAt, body.expiresAt, 'it ends with the one that asks')
  const me = async (by: Record<string, string>) =>
    (await (await hub.json('GET', '/api/v1/me', undefined, by)).json()) as { tokenExpiresAt?: string }
  assert.is((await me(bearer)).tokenExpiresAt, body.expiresAt)
  const endless = await make({})
  const forever = { authorization: `Bearer ${endless.body.token}` }
  assert.is((await make({}, forever)).body.expiresAt, undefined)
  assert.is((await me(forever)).tokenExpiresAt, undefined)
})

test('a token is shown once, works at once, and ends at once', async () => {
  const { cookie } = await hub.signIn()
  const headers = { cookie, origin: hub.url }
  const made = (await (
    await hub.json('POST', '/api/v1/tokens', { name: 'script', scopes: ['read'], expiresInDays: 1 }, headers)
  ).json()) as { id: string; token: string }
  const bearer = { authorization: `Bearer ${made.token}` }
  assert.is((await fetch(`${hub.url}/api/v1/me`, { headers: bearer })).status, 200)
  const list = (await (await fetch(`${hub.url}/api/v1/tokens`, { headers: { cookie } })).json()) as {
    items: { id: string; lastUsedAt?: string }[]
  }
  assert.not.match(JSON.stringify(list), made.token)
  assert.ok(list.items.find(({ id }) => id === made.id)?.lastUsedAt)
  const heard: string[] = []
  hub.accounts.onRevoked((id) => heard.push(id))
  assert.is((await hub.json('DELETE', `/api/v1/tokens/${made.id}`, undefined, headers)).status, 204)
  assert.equal(heard, [made.id])
  assert.is((await fetch(`${hub.url}/api/v1/me`, { headers: bearer })).status, 401)
  assert.is(await hub.accounts.verifyToken(made.token), undefined)
})

test('a student can’t make a token that may do more', async () => {
  const student = await hub.person('student', ['read', 'run', 'admin'])
  for (const scope of ['builder', 'admin', 'mqtt:read']) {
    const answer = await hub.json('POST', '/api/v1/tokens', { name: 'x', scopes: [scope] }, student.bearer)
    assert.is(answer.status, 403, scope)
  }
})

test('a lost password: the answer tells nothing, the letter’s link works once and ends every session', async () => {
  const { cookie } = await hub.signIn()
  mail.letters.length = 0
  const ask = (email: string) => hub.json('POST', '/api/v1/password/forgot', { email })
  const [known, unknown] = await Promise.all([ask(admin.email.toUpperCase()), ask('no@body.example')])
  assert.is(known.status, 202)
  assert.is(await known.text(), await unknown.text())
  for (let n = 0; n < 750 && mail.letters.length === 0; n++) await new Promise((resolve) => setTimeout(resolve, 20))
  assert.is(mail.letters.length, 1)
  const letter = (mail.letters[0] ?? '').replaceAll('=\r\n', '').replaceAll('=3D', '=')
  assert.match(letter, 'To: admin@school.example')
  const token = /#token=([\w-]{43})/.exec(letter)?.[1] ?? ''
  assert.is(
    await code(await hub.json('POST', '/api/v1/password/reset', { token: 'x', password: 'another-password' })),
    'link-used-or-expired',
  )
  const answers = await Promise.all(
    [1, 2].map(() => hub.json('POST', '/api/v1/password/reset', { token, password: 'another-password' })),
  )
  assert.equal(answers.map(({ status }) => status).sort(), [204, 410])
  assert.is((await me(cookie)).status, 401)
  assert.is((await hub.signIn()).response.status, 401)
  assert.is((await hub.signIn({ ...admin, password: 'another-password' })).response.status, 200)

  const link = await resetPassword({ store: hub.store, email: admin.email, publicUrl: hub.url })
  const second = /#token=([\w-]{43})/.exec(link)?.[1] ?? ''
  assert.is((await hub.json('POST', '/api/v1/password/reset', { token: second, password: admin.password })).status, 204)
  assert.is((await hub.signIn()).response.status, 200)
})

test('without mail the answer says whom to ask', async () => {
  const silent = await serveHub()
  try {
    const answer = await silent.json('POST', '/api/v1/password/forgot', { email: admin.email })
    assert.match(((await answer.json()) as { message: string }).message, 'Ask its admin')
  } finally {
    await silent.close()
  }
})

test('the settings make the first admin and its token; weak ones stop the start', async () => {
  const opened = await temporaryStore()
  const folder = await mkdtemp(join(tmpdir(), 'fernlab-accounts-'))
  const log = recordingLog()
  const opens: Awaited<ReturnType<typeof createAccounts>>[] = []
  const open = async (settings: object) => {
    const accounts = await createAccounts({
      store: opened.store,
      groups: createGroups({ store: opened.store, clock: systemClock }),
      mail: createMail({ smtpUrl: undefined }),
      clock: systemClock,
      log,
      config: { site: 'here', publicUrl: () => 'http://x.example', secure: true, dataFolder: folder, ...settings },
    })
    opens.push(accounts)
    return accounts
  }
  const refusal = (settings: object) =>
    open(settings).then(
      () => '',
      (error: LabError) => error.message,
    )
  try {
    assert.match(
      await refusal({ adminToken: 'short' }),
      'FERNLAB_ADMIN_TOKEN has 5 characters, it must have 32 or more',
    )
    assert.match(await refusal({ adminEmail: 'a@b.c', adminPassword: 'short' }), 'FERNLAB_ADMIN_PASSWORD has 5')
    const adminToken = 't'.repeat(32)
    const alone = await open({ adminToken })
    assert.is((await alone.verifyToken(adminToken))?.role, 'admin')
    assert.ok(await alone.setupNeeded(), 'a token alone leaves the set-up link')
    const both = await open({ adminToken, ...{ adminEmail: admin.email, adminPassword: admin.password } })
    assert.is((await both.verifyToken(adminToken))?.email, admin.email)
    assert.not(await both.setupNeeded())
    const request = new Request('https://lab.example/api/auth/sign-in/email', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(admin),
    })
    const cookie =
      (await both.signIn.handle(request, { address: '203.0.113.9', userAgent: undefined }))?.headers
        .getSetCookie()
        .join() ?? ''
    assert.match(cookie, /^__Host-Http-fernlab\.session_token=.*; Secure/, 'over HTTPS cookies stay on HTTPS')
    const changed = await open({ adminToken: 'u'.repeat(40) })
    assert.is(await changed.verifyToken(adminToken), undefined)
    assert.is((await changed.verifyToken('u'.repeat(40)))?.email, admin.email)

    const { secret } = JSON.parse(await readFile(join(folder, 'identity.json'), 'utf8')) as { secret: string }
    assert.ok(secret.length >= 43)
    assert.is((await stat(join(folder, 'identity.json'))).mode & 0o077, 0)
    const logged = JSON.stringify(log.lines)
    for (const hidden of [secret, adminToken, admin.password]) assert.not.match(logged, hidden)
  } finally {
    for (const accounts of opens) await accounts.close()
    await opened.close()
    await rm(folder, { recursive: true, force: true })
  }
})

test.run()
