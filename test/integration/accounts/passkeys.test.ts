import { takeSecondFactorOf } from '@fernlab/hub/accounts/second-factor'
import { relyingPartyAt } from '@fernlab/hub/accounts/web-authn'
import type { Me } from '@fernlab/shared/contracts/api'
import type { Passkey, PasskeyCreation, PasskeyRequest } from '@fernlab/shared/contracts/passkeys'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'
import { admin, type ServedHub, serveHub } from '../api/served-hub.ts'
import { type MailServer, startMailServer } from './mail-server.ts'
import { type KeptPasskey, makePasskey, type Quirks, showPasskey } from './software-authenticator.ts'
import { askAs, cookieOf, secretIn } from './visitor.ts'

const test = suite('passkeys', { timeoutMs: 60_000 })
let hub: ServedHub
let post: MailServer
let people = 0
const password = 'a-long-password'

test.before.each(async () => {
  post = await startMailServer()
  hub = await serveHub({ smtpUrl: post.url })
})
test.after.each(async () => {
  await hub.close()
  await post.close()
})

interface Somebody {
  readonly cookie: string
  readonly email: string
  readonly id: string
  readonly password: string
}
const codeIn = async (response: Response) => ((await response.json()) as { code: string }).code
const path = '/api/v1/me/passkeys'
/** Where the page is open: this machine by its name. */
const here = () => hub.url.replace('127.0.0.1', 'localhost')
const boss = async (): Promise<Somebody> => {
  const cookie = cookieOf((await hub.signIn()).response)
  const { id } = (await (await askAs(hub, cookie, 'GET', '/api/v1/me')).json()) as Me
  return { cookie, id, ...admin }
}

async function newPerson(): Promise<Somebody> {
  const made = await askAs(hub, (await boss()).cookie, 'POST', '/api/v1/invitations', { role: 'student' })
  const token = secretIn(((await made.json()) as { link: string }).link)
  const email = `person-${++people}@school.example`
  const joined = await hub.json('POST', '/api/v1/join', { token, name: 'Eli', email, password })
  return { cookie: cookieOf(joined), email, id: ((await joined.json()) as Me).id, password }
}

async function begin(who: Somebody): Promise<PasskeyCreation> {
  const begun = await askAs(hub, who.cookie, 'POST', `${path}/begin`, { password: who.password })
  assert.is(begun.status, 200)
  return (await begun.json()) as PasskeyCreation
}
const keep = (who: Somebody, credential: object, name = 'my phone') =>
  askAs(hub, who.cookie, 'POST', path, { name, credential })
async function add(who: Somebody, quirks: Partial<Quirks> = {}): Promise<KeptPasskey> {
  const { made, kept } = makePasskey(await begin(who), { origin: here(), ...quirks })
  assert.is((await keep(who, made)).status, 201)
  return kept
}
const list = async (who: Somebody) =>
  ((await (await askAs(hub, who.cookie, 'GET', path)).json()) as { items: Passkey[] }).items
async function ask(): Promise<PasskeyRequest> {
  return (await (await hub.json('POST', '/api/v1/sign-in/passkey/begin')).json()) as PasskeyRequest
}
const send = (credential: object) => hub.json('POST', '/api/v1/sign-in/passkey', { credential })
async function enter(kept: KeptPasskey, quirks: Partial<Quirks> = {}): Promise<Response> {
  return send(showPasskey(kept, await ask(), { origin: here(), ...quirks }))
}
const entries = async () =>
  (await hub.store.db.selectFrom('audit').select(['action', 'detail']).orderBy('id').execute()).filter(({ action }) =>
    action.startsWith('passkey'),
  )

test('one is made with the password, named, used without a name, and removed; its person is told', async () => {
  const eli = await newPerson()
  const refused = await askAs(hub, eli.cookie, 'POST', `${path}/begin`, { password: 'not-the-password' })
  assert.is(await codeIn(refused), 'wrong-credentials')
  const kept = await add(eli)
  assert.match(await post.letterTo(eli.email), /the passkey =?.*my phone/)
  const [made] = await list(eli)
  assert.is(made?.name, 'my phone')
  assert.is(made?.lastUsedAt, undefined)

  const entered = await enter(kept)
  assert.is(entered.status, 200)
  assert.is(((await entered.json()) as Me).id, eli.id)
  assert.is((await askAs(hub, cookieOf(entered), 'GET', '/api/v1/me')).status, 200)
  assert.ok(Date.parse((await list(eli))[0]?.lastUsedAt ?? '') >= Date.parse(made?.createdAt ?? ''))

  const one = `${path}/${kept.id}`
  assert.is((await askAs(hub, eli.cookie, 'PUT', one, { name: ' phone of 2026 ' })).status, 200)
  assert.is((await list(eli))[0]?.name, 'phone of 2026')
  const remove = (given: string) => askAs(hub, eli.cookie, 'POST', `${one}/remove`, { password: given })
  assert.is(await codeIn(await remove('not-the-password')), 'wrong-credentials')
  assert.is((await remove(password)).status, 204)
  assert.match(await post.letterTo(eli.email), /no longer signs in/)
  assert.is(await codeIn(await enter(kept)), 'passkey-removed')
  assert.is((await remove(password)).status, 404)
  assert.equal(
    (await entries()).map(({ action }) => action),
    ['passkey.added', 'passkey.removed'],
  )
})

test('a challenge is good once, for its purpose, its person and five minutes', async () => {
  const eli = await newPerson()
  const other = await newPerson()
  const creation = await begin(eli)
  const { made, kept } = makePasskey(creation, { origin: here() })
  assert.is(await codeIn(await keep(other, made)), 'passkey-too-late')
  assert.is((await keep(eli, made)).status, 201)
  assert.is(await codeIn(await keep(eli, makePasskey(creation, { origin: here() }).made)), 'passkey-too-late')

  const question = await ask()
  const shown = showPasskey(kept, question, { origin: here() })
  const answers = await Promise.all([1, 2, 3].map(() => send(shown)))
  assert.equal(answers.map(({ status }) => status).sort(), [200, 410, 410])
  assert.is(await codeIn(await send(shown)), 'passkey-too-late')
  const { challenge } = await begin(eli)
  assert.is(await codeIn(await enter(kept, { challenge })), 'passkey-too-late')
  assert.is(await codeIn(await enter(kept, { challenge: 'made-up' })), 'passkey-too-late')
  const late = showPasskey(kept, await ask(), { origin: here() })
  await hub.store.write([hub.store.db.updateTable('one_time').set({ expires_at: Date.now() - 1 })])
  assert.is(await codeIn(await send(late)), 'passkey-too-late')
  const stored = JSON.stringify(await hub.store.db.selectFrom('one_time').selectAll().execute())
  assert.not.match(stored, challenge)
})

test('what is for another page, not signed by its device, or without its person is refused', async () => {
  const eli = await newPerson()
  const kept = await add(eli)
  const elsewhere = { origin: 'https://lab.evil.example' }
  const made = async (quirks: Partial<Quirks>) =>
    codeIn(await keep(eli, makePasskey(await begin(eli), { origin: here(), ...quirks }).made))
  for (const quirks of [elsewhere, { rpId: 'evil.example' }, { verified: false }]) {
    assert.is(await made(quirks), 'passkey-refused')
    assert.is(await codeIn(await enter(kept, quirks)), 'passkey-refused')
  }
  const stranger = await add(await newPerson())
  // Signed by the one, said to be the other.
  assert.is(await codeIn(await enter({ ...stranger, id: kept.id })), 'passkey-refused')
  assert.is(await codeIn(await enter({ ...kept, key: stranger.key })), 'passkey-refused')
  assert.is(await codeIn(await enter({ ...kept, userHandle: stranger.userHandle })), 'passkey-refused')
  const shown = showPasskey(kept, await ask(), { origin: here() })
  const response = { ...shown.response, clientDataJSON: Buffer.from('no json').toString('base64url') }
  assert.is(await codeIn(await send({ ...shown, response })), 'passkey-refused')
  assert.is((await send({ ...shown, id: 'not base64url!' })).status, 400)
  assert.is((await enter(kept)).status, 200)
})

test('nobody takes over, names or removes what is another person’s', async () => {
  const kept = await add(await newPerson())
  const thief = await newPerson()
  const made = async (id?: string) =>
    makePasskey(await begin(thief), { origin: here(), ...(id === undefined ? {} : { id }) }).made
  assert.is((await askAs(hub, thief.cookie, 'PUT', `${path}/${kept.id}`, { name: 'mine' })).status, 404)
  const remove = await askAs(hub, thief.cookie, 'POST', `${path}/${kept.id}/remove`, { password })
  assert.is(remove.status, 404)
  assert.is(await codeIn(await keep(thief, { ...(await made()), id: kept.id, rawId: kept.id })), 'passkey-refused')
  assert.is(await codeIn(await keep(thief, await made(kept.id))), 'passkey-refused')
  assert.is((await enter(kept)).status, 200)
})

test('a counter that goes back signs nobody in, is in the log, and its person is told', async () => {
  const eli = await newPerson()
  const kept = await add(eli, { counter: 1 })
  await post.letterTo(eli.email)
  assert.is((await enter(kept, { counter: 5 })).status, 200)
  for (const counter of [5, 4, 0]) assert.is(await codeIn(await enter(kept, { counter })), 'passkey-refused')
  assert.match(await post.letterTo(eli.email), /may have been copied/)
  assert.is((await enter(kept, { counter: 6 })).status, 200)
  const last = (await entries()).at(-1)
  assert.is(last?.action, 'passkey.counter-back')
  assert.equal(JSON.parse(last?.detail ?? '{}'), { name: 'my phone', counter: 0, before: 5 })
})

test('it meets the duty of staff, and then the password alone signs them in no more', async () => {
  const ana = await boss()
  const rules = { registration: { open: false, domains: [], role: 'student' }, staffSecondFactor: true }
  const change = () => askAs(hub, ana.cookie, 'PUT', '/api/v1/settings/sign-in', rules)
  assert.is(await codeIn(await change()), 'second-factor-missing')
  const kept = await add(ana)
  assert.is((await change()).status, 200)
  const about = (await (await askAs(hub, ana.cookie, 'GET', '/api/v1/me')).json()) as Me
  assert.is(about.mustSetUp, undefined)
  const { response } = await hub.signIn()
  assert.equal(await response.json(), { secondFactor: true, by: ['passkey'] })
  assert.is(cookieOf(response), '')
  const entered = await enter(kept)
  assert.is((await askAs(hub, cookieOf(entered), 'GET', '/api/v1/users')).status, 200)
  const listed = await askAs(hub, cookieOf(entered), 'GET', '/api/v1/users')
  const { items } = (await listed.json()) as { items: { id: string; secondFactor: boolean }[] }
  assert.is(items.find(({ id }) => id === ana.id)?.secondFactor, true)
  // The way back for an admin who lost it, on the hub's machine.
  await takeSecondFactorOf({ store: hub.store, email: admin.email })
  assert.is(await codeIn(await enter(kept)), 'passkey-removed')
  const again = (await (await askAs(hub, (await boss()).cookie, 'GET', '/api/v1/me')).json()) as Me
  assert.is(again.mustSetUp, 'second-factor')
})

test('an admin takes them away with the second factor, and a closed account leaves none; the export names them', async () => {
  const eli = await newPerson()
  const kept = await add(eli)
  const exported = await (await askAs(hub, eli.cookie, 'GET', '/api/v1/me/export')).text()
  const { passkeys } = JSON.parse(exported) as { passkeys: Passkey[] }
  assert.equal(
    passkeys.map(({ name }) => name),
    ['my phone'],
  )
  assert.not.match(exported, kept.id)
  const reset = await askAs(hub, (await boss()).cookie, 'DELETE', `/api/v1/users/${eli.id}/second-factor`)
  assert.is(reset.status, 204)
  assert.is(await codeIn(await enter(kept)), 'passkey-removed')
  const next = await add(eli)
  assert.is((await askAs(hub, eli.cookie, 'POST', '/api/v1/me/close', { password })).status, 204)
  assert.is(await codeIn(await enter(next)), 'passkey-removed')
  assert.equal(await hub.store.db.selectFrom('passkey').select('id').execute(), [])
})

test('guessing is slowed down as with passwords', async () => {
  const kept = await add(await newPerson())
  const statuses: number[] = []
  for (let n = 0; n < 21; n++) statuses.push((await enter(kept, { verified: false })).status)
  assert.equal([statuses.filter((status) => status === 401).length, statuses.at(-1)], [20, 429])
})

test('they are for a name over HTTPS, or for this machine itself', () => {
  const at = (address: string) => relyingPartyAt(address)
  assert.equal(at('https://lab.school.example/'), { id: 'lab.school.example', origin: 'https://lab.school.example' })
  assert.equal(at('https://lab.example:8443'), { id: 'lab.example', origin: 'https://lab.example:8443' })
  assert.equal(at('http://127.0.0.1:8080'), { id: 'localhost', origin: 'http://localhost:8080' })
  assert.equal(at('http://[::1]:8080'), { id: 'localhost', origin: 'http://localhost:8080' })
  for (const address of ['http://lab.example', 'https://192.168.1.4', 'https://[fd00::1]', 'http://10.0.0.1:8080'])
    assert.is(at(address), undefined, address)
})

test('where the address allows none, the answer says what to do', async () => {
  const ana = await boss()
  const { passkeysAt } = (await (await hub.json('GET', '/api/v1/site')).json()) as { passkeysAt?: string }
  assert.is(passkeysAt, here())
  await hub.close()
  hub = await serveHub({ publicUrl: 'http://10.0.0.1:8080' })
  const begun = await askAs(hub, (await boss()).cookie, 'POST', `${path}/begin`, { password: ana.password })
  assert.is(begun.status, 409)
  assert.match(await begun.text(), /FERNLAB_PUBLIC_URL/)
  assert.is(await codeIn(await hub.json('POST', '/api/v1/sign-in/passkey/begin')), 'passkeys-need-address')
  assert.not.match(await (await hub.json('GET', '/api/v1/site')).text(), /passkeysAt/)
})

test.run()
