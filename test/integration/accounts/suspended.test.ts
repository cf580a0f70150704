/** An admin shuts somebody out, and lets them in again. */
import type { PersonInfo } from '@fernlab/shared/contracts/api'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'
import { admin, type ServedHub, serveHub } from '../api/served-hub.ts'

const test = suite('suspended accounts over the API', { timeoutMs: 60_000 })
let hub: ServedHub
test.before.each(async () => {
  hub = await serveHub({})
})
test.after.each(() => hub.close())

const password = 'a-long-enough-password'
const code = async (answer: Response) => ((await answer.json()) as { code?: string }).code

/** Somebody who signs in with a password, and has a token. */
async function joined(head: Record<string, string>, role = 'student') {
  const email = `${role}-${Math.random().toString(36).slice(2)}@school.example`
  const invited = await hub.json('POST', '/api/v1/invitations', { role, most: 1 }, head)
  const { link } = (await invited.json()) as { link: string }
  const token = new URLSearchParams(new URL(link).hash.slice(1)).get('token')
  const answer = await hub.json('POST', '/api/v1/join', { token, name: 'Ada', email, password })
  assert.ok(answer.ok, await answer.clone().text())
  const { id } = (await answer.json()) as { id: string }
  const made = await hub.accounts.createToken({ personId: id }, { name: 't', scopes: ['read', 'run'] })
  return { id, email, bearer: { authorization: `Bearer ${made.token}` }, cookie: cookieOf(answer) }
}
const cookieOf = (answer: Response) => ({
  origin: hub.url,
  cookie: answer.headers
    .getSetCookie()
    .map((line) => line.split(';')[0])
    .join('; '),
})
const signIn = (email: string, secret = password) =>
  hub.json('POST', '/api/auth/sign-in/email', { email, password: secret })
const me = async (headers: Record<string, string>) => (await hub.json('GET', '/api/v1/me', undefined, headers)).status

test('signs in no more, by nothing, until an admin lets them in; their token works again then', async () => {
  const head = cookieOf(await signIn(admin.email, admin.password))
  const ada = await joined(head)
  const path = `/api/v1/users/${ada.id}`
  assert.equal([await me(ada.bearer), await me(ada.cookie)], [200, 200])
  assert.is((await hub.json('POST', `${path}/suspend`, undefined, ada.bearer)).status, 403)
  assert.is((await hub.json('POST', `${path}/suspend`, undefined, head)).status, 204)
  assert.equal([await me(ada.bearer), await me(ada.cookie)], [401, 401])
  const refused = await signIn(ada.email)
  assert.equal([refused.status, await code(refused), refused.headers.getSetCookie()], [403, 'account-suspended', []])
  assert.is(await code(await signIn(ada.email, 'another-long-password')), 'wrong-credentials', 'strangers are not told')
  const listed = async () => {
    const { items } = (await (await hub.json('GET', '/api/v1/users', undefined, head)).json()) as {
      items: PersonInfo[]
    }
    return items.find(({ id }) => id === ada.id)?.suspendedAt !== undefined
  }
  assert.is(await listed(), true)
  assert.is((await hub.json('POST', `${path}/suspend`, undefined, head)).status, 204, 'again')
  assert.is((await hub.json('POST', `${path}/restore`, undefined, head)).status, 204)
  assert.equal([await listed(), await me(ada.bearer), await me(ada.cookie)], [false, 200, 401])
  assert.is((await signIn(ada.email)).status, 200)
  const audit = await hub.json('GET', `/api/v1/audit?subject=${ada.id}&action=person`, undefined, head)
  const { items } = (await audit.json()) as { items: { action: string }[] }
  assert.equal(
    items.map(({ action }) => action).filter((action) => action !== 'person.joined'),
    ['person.restored', 'person.suspended'],
  )
})

test('what waits is stopped, and an invitation of theirs lets nobody in', async () => {
  const head = cookieOf(await signIn(admin.email, admin.password))
  const teacher = await joined(head, 'instructor')
  const invited = await hub.json('POST', '/api/v1/invitations', { role: 'student', most: 1 }, teacher.cookie)
  const token = new URLSearchParams(new URL(((await invited.json()) as { link: string }).link).hash.slice(1)).get(
    'token',
  )
  const run = await hub.json('POST', '/api/v1/runs', { lab: 'rc', protocol: 'step' }, teacher.bearer)
  const { id } = (await run.json()) as { id: string }
  assert.is((await hub.json('POST', `/api/v1/users/${teacher.id}/suspend`, undefined, head)).status, 204)
  const after = (await (await hub.json('GET', `/api/v1/runs/${id}`, undefined, head)).json()) as { state: string }
  assert.is(after.state, 'cancelled')
  const body = { token, name: 'Bo', email: 'bo@school.example', password }
  assert.is(await code(await hub.json('POST', '/api/v1/join', body)), 'invitation-over')
})

test('nobody suspends themselves, nor the last admin who can sign in', async () => {
  const head = cookieOf(await signIn(admin.email, admin.password))
  const { id } = (await (await hub.json('GET', '/api/v1/me', undefined, head)).json()) as { id: string }
  const suspend = async (who: string, headers: Record<string, string>) =>
    code(await hub.json('POST', `/api/v1/users/${who}/suspend`, undefined, headers))
  assert.is(await suspend(id, head), 'suspend-yourself')
  assert.is(await suspend('nobody', head), 'person-unknown')
  const program = await hub.person('admin', ['admin'])
  assert.is(await suspend(id, program.bearer), 'last-admin', 'a program signs in to nothing')
  assert.is(await me(head), 200)
  const second = await joined(head, 'admin')
  assert.is((await hub.json('POST', `/api/v1/users/${second.id}/suspend`, undefined, head)).status, 204)
  assert.is(await suspend(id, program.bearer), 'last-admin', 'a suspended admin counts for nothing')
})

test.run()
