/** Every change of a setting, a permission, a bench, a role or a person is in the audit log, with who did it. */
import { existsSync, readFileSync } from 'node:fs'
import { usualTerms } from '@fernlab/shared/contracts/terms'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'
import { appWith } from '../accounts/authenticator-app.ts'
import { type MailServer, startMailServer } from '../accounts/mail-server.ts'
import { askAs, cookieOf, secretIn, secretInLetter } from '../accounts/visitor.ts'
import { smallLab } from '../hub/hub-with-node.ts'
import { changes, type Entered } from './audited-changes.ts'
import { kinds } from './own-and-foreign.ts'
import { admin, type ServedHub, serveHub } from './served-hub.ts'

const test = suite('changes in the audit log', { timeoutMs: 120_000 })
const everyScope = ['read', 'run', 'account', 'builder', 'admin']
const password = 'a-long-enough-password'
const files = Object.fromEntries(smallLab.map(({ path, text }) => [path, text]))
let hub: ServedHub
let mail: MailServer
let head: Awaited<ReturnType<ServedHub['person']>>
let made = 0

test.before(async () => {
  mail = await startMailServer()
  hub = await serveHub({ smtpUrl: mail.url, benches: ['n.a'] })
  head = await hub.person('admin', everyScope)
  await hub.catalogue.push(files, { id: 'small' })
  await asHead('PUT', '/api/v1/permissions/everyone', { gives: { mayQueue: true, mayBook: true, mostBookings: 50 } })
})
test.after(async () => {
  await hub.close()
  await mail.close()
})

const asHead = (method: string, path: string, body?: object) => hub.json(method, path, body, head.bearer)
const json = async <Answer>(answer: Promise<Response>): Promise<Answer> => {
  const got = await answer
  assert.ok(got.ok, `${got.url}: ${got.status} ${got.ok ? '' : await got.clone().text()}`)
  return (await got.json()) as Answer
}
const thing = async (path: string, owner = head.person) => {
  const kind = kinds.find((one) => one.path === path)
  assert.ok(kind, path)
  return kind.make(hub, owner)
}
const own = { gives: { mayQueue: true }, lab: null, protocols: null }
const permission = async () =>
  (await json<{ id: string }>(asHead('POST', '/api/v1/permissions', { ...own, subject: { kind: 'everyone' } }))).id
const template = async () => {
  const id = `term-${++made}`
  await asHead('PUT', `/api/v1/permission-templates/${id}`, { title: 'A term', gives: usualTerms })
  return id
}
const invited = async (more: object = {}) =>
  secretIn((await json<{ link: string }>(asHead('POST', '/api/v1/invitations', { role: 'student', ...more }))).link)

/** Somebody new who is signed in with a password. */
async function newcomer() {
  const email = `person-${++made}@school.example`
  const body = { token: await invited(), name: 'Somebody', email, password }
  const answer = await hub.json('POST', '/api/v1/join', body, { origin: hub.url })
  assert.is(answer.status, 201)
  const cookie = cookieOf(answer)
  const ask = (method: string, path: string, more?: object) => askAs(hub, cookie, method, path, more)
  const { id } = await json<{ id: string }>(ask('GET', '/api/v1/me'))
  return { id, email, ask, person: { id, email, name: 'Somebody', role: 'student' as const } }
}
async function withSecondFactor() {
  const somebody = await newcomer()
  const begun = json<{ secret: string }>(somebody.ask('POST', '/api/v1/me/second-factor', { password }))
  const code = appWith((await begun).secret)
  const confirm = () => somebody.ask('POST', '/api/v1/me/second-factor/confirm', { code: code() })
  return { ...somebody, confirm }
}
const bookable = () => ({ lab: 'small', start: new Date(Date.now() + 3_600_000 * ++made).toISOString(), seconds: 60 })
async function booking() {
  const ada = await hub.person('student', everyScope)
  const { id } = await json<{ id: string }>(hub.json('POST', '/api/v1/bookings', bookable(), ada.bearer))
  return id
}
const dayIn = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10)
const everyWeek = () => ({
  lab: 'small',
  seconds: 60,
  weekly: { days: ['mon'], at: '10:00', timeZone: 'UTC', from: dayIn(1), until: dayIn(20) },
})
const openToAll = { registration: { open: true, domains: [], role: 'student' }, staffSecondFactor: false }
const recurring = () => thing('/api/v1/recurring/{id}')
const group = (owner = head.person) => thing('/api/v1/groups/{id}', owner)

/** How each call is made so that it changes something. */
const drives: Readonly<Record<string, () => Promise<Response>>> = {
  'PUT /api/v1/settings/retention': () => asHead('PUT', '/api/v1/settings/retention', { dataDays: 30, runDays: null }),
  'PUT /api/v1/settings/scheduling': () =>
    asHead('PUT', '/api/v1/settings/scheduling', { stepMinutes: 7, windowHours: 24 }),
  'PUT /api/v1/settings/sign-in': () => asHead('PUT', '/api/v1/settings/sign-in', openToAll),
  'PUT /api/v1/settings/usage': () => asHead('PUT', '/api/v1/settings/usage', { addressDays: 20, nameDays: 30 }),
  'PUT /api/v1/settings/lab-servers': () => asHead('PUT', '/api/v1/settings/lab-servers', { names: true }),
  'POST /api/auth/change-password': async () => {
    const somebody = await newcomer()
    const body = { currentPassword: password, newPassword: 'another-long-password' }
    return somebody.ask('POST', '/api/auth/change-password', body)
  },
  'POST /api/v1/join': async () => {
    const body = { token: await invited(), name: 'New', email: `new-${++made}@school.example`, password }
    return hub.json('POST', '/api/v1/join', body, { origin: hub.url })
  },
  'POST /api/v1/join/accept': async () => {
    const { ask } = await newcomer()
    return ask('POST', '/api/v1/join/accept', { token: await invited({ group: await group() }) })
  },
  'POST /api/v1/password/reset': async () => {
    const { email } = await newcomer()
    await hub.json('POST', '/api/v1/password/forgot', { email }, { origin: hub.url })
    const token = secretInLetter(await mail.letterTo(email))
    return hub.json('POST', '/api/v1/password/reset', { token, password: 'another-long-password' }, { origin: hub.url })
  },
  'POST /api/v1/me/second-factor/confirm': async () => (await withSecondFactor()).confirm(),
  'POST /api/v1/me/second-factor/recovery-codes': async () => {
    const { ask, confirm } = await withSecondFactor()
    await confirm()
    return ask('POST', '/api/v1/me/second-factor/recovery-codes', { password })
  },
  'POST /api/v1/me/second-factor/remove': async () => {
    const { ask, confirm } = await withSecondFactor()
    await confirm()
    return ask('POST', '/api/v1/me/second-factor/remove', { password })
  },
  'DELETE /api/v1/users/{id}/second-factor': async () => {
    const { id, confirm } = await withSecondFactor()
    await confirm()
    return asHead('DELETE', `/api/v1/users/${id}/second-factor`)
  },
  'POST /api/v1/register/confirm': async () => {
    const email = `registered-${++made}@school.example`
    await asHead('PUT', '/api/v1/settings/sign-in', openToAll)
    await hub.json('POST', '/api/v1/register', { name: 'Reg', email }, { origin: hub.url })
    const body = { token: secretInLetter(await mail.letterTo(email)), name: 'Reg', password }
    return hub.json('POST', '/api/v1/register/confirm', body, { origin: hub.url })
  },
  'POST /api/v1/address/confirm': async () => {
    const { ask } = await newcomer()
    const email = `moved-${++made}@school.example`
    await ask('POST', '/api/v1/me/address', { email, password })
    const body = { token: secretInLetter(await mail.letterTo(email)) }
    return hub.json('POST', '/api/v1/address/confirm', body, { origin: hub.url })
  },
  'DELETE /api/v1/me/sign-ins/{id}': async () => {
    const { ask, person } = await newcomer()
    return ask('DELETE', `/api/v1/me/sign-ins/${await thing('/api/v1/me/sign-ins/{id}', person)}`)
  },
  'POST /api/v1/me/sign-ins/end-others': async () => {
    const { ask, person } = await newcomer()
    await thing('/api/v1/me/sign-ins/{id}', person)
    return ask('POST', '/api/v1/me/sign-ins/end-others', {})
  },
  'PUT /api/v1/me': async () => (await newcomer()).ask('PUT', '/api/v1/me', { name: 'Another' }),
  'POST /api/v1/me/sign-out-everywhere': async () =>
    (await newcomer()).ask('POST', '/api/v1/me/sign-out-everywhere', {}),
  'POST /api/v1/me/close': async () => (await newcomer()).ask('POST', '/api/v1/me/close', { password }),
  'PUT /api/v1/labs/{lab}': () =>
    asHead('PUT', '/api/v1/labs/other', {
      files: Object.entries(files).map(([path, text]) => ({ path, text })),
    }),
  'DELETE /api/v1/labs/{lab}': async () => {
    await hub.catalogue.push(files, { id: 'gone' })
    return asHead('DELETE', '/api/v1/labs/gone')
  },
  'PUT /api/v1/bookings/{id}': async () => asHead('PUT', `/api/v1/bookings/${await booking()}`, { note: 'moved' }),
  'POST /api/v1/bookings/{id}/cancel': async () => asHead('POST', `/api/v1/bookings/${await booking()}/cancel`),
  'POST /api/v1/booking-series': () => asHead('POST', '/api/v1/booking-series', everyWeek()),
  'POST /api/v1/booking-series/{id}/cancel': async () => {
    const series = { ...everyWeek(), conflicts: 'skip', weekly: { ...everyWeek().weekly, at: '12:00' } }
    const { id } = await json<{ id: string }>(asHead('POST', '/api/v1/booking-series', series))
    return asHead('POST', `/api/v1/booking-series/${id}/cancel`)
  },
  'POST /api/v1/recurring/{id}/resume': async () => {
    const id = await recurring()
    await asHead('POST', `/api/v1/recurring/${id}/pause`)
    return asHead('POST', `/api/v1/recurring/${id}/resume`)
  },
  'DELETE /api/v1/recurring/{id}': async () => asHead('DELETE', `/api/v1/recurring/${await recurring()}`),
  'POST /api/v1/recurring/{id}/pause': async () => asHead('POST', `/api/v1/recurring/${await recurring()}/pause`),
  'POST /api/v1/tokens': () => asHead('POST', '/api/v1/tokens', { name: 'notebook', scopes: ['read'] }),
  'DELETE /api/v1/tokens/{id}': async () => asHead('DELETE', `/api/v1/tokens/${await thing('/api/v1/tokens/{id}')}`),
  'POST /api/v1/tokens/revoke-all': async () => {
    const { ask, person } = await newcomer()
    await thing('/api/v1/tokens/{id}', person)
    return ask('POST', '/api/v1/tokens/revoke-all', {})
  },
  'POST /api/v1/users/{id}/revoke-tokens': async () => {
    const { person } = await hub.person('student', ['read'])
    return asHead('POST', `/api/v1/users/${person.id}/revoke-tokens`)
  },
  'POST /api/v1/users/{id}/suspend': async () => {
    const { person } = await hub.person('student', ['read'])
    return asHead('POST', `/api/v1/users/${person.id}/suspend`)
  },
  'POST /api/v1/users/{id}/restore': async () => {
    const { person } = await hub.person('student', ['read'])
    await asHead('POST', `/api/v1/users/${person.id}/suspend`)
    return asHead('POST', `/api/v1/users/${person.id}/restore`)
  },
  'PUT /api/v1/users/{id}': async () => {
    const { person } = await hub.person('student', ['read'])
    return asHead('PUT', `/api/v1/users/${person.id}`, { role: 'builder' })
  },
  'POST /api/v1/users/import': () =>
    asHead('POST', '/api/v1/users/import', { csv: `name,email\nFay,fay-${++made}@school.example`, role: 'student' }),
  'POST /api/v1/invitations': () => asHead('POST', '/api/v1/invitations', { role: 'student' }),
  'DELETE /api/v1/invitations/{id}': async () =>
    asHead('DELETE', `/api/v1/invitations/${await thing('/api/v1/invitations/{id}')}`),
  'POST /api/v1/groups': () => asHead('POST', '/api/v1/groups', { id: 'optics', name: 'Optics', kind: 'group' }),
  'PUT /api/v1/groups/{id}': async () => asHead('PUT', `/api/v1/groups/${await group()}`, { name: 'Another name' }),
  'DELETE /api/v1/groups/{id}': async () => asHead('DELETE', `/api/v1/groups/${await group()}`),
  'POST /api/v1/groups/{id}/members': async () => {
    const { person } = await hub.person('student', ['read'])
    return asHead('POST', `/api/v1/groups/${await group()}/members`, { add: [{ who: person.email }] })
  },
  'DELETE /api/v1/me/groups/{id}': async () => {
    const { ask, person } = await newcomer()
    const id = await group(person)
    await asHead('PUT', `/api/v1/groups/${id}`, { kind: 'group' })
    return ask('DELETE', `/api/v1/me/groups/${id}`)
  },
  'POST /api/v1/permissions': () => asHead('POST', '/api/v1/permissions', { ...own, subject: { kind: 'everyone' } }),
  'POST /api/v1/permissions/bulk': async () =>
    asHead('POST', '/api/v1/permissions/bulk', { ids: [await permission()], change: { gives: { mayBook: true } } }),
  'PUT /api/v1/permissions/{id}': async () =>
    asHead('PUT', `/api/v1/permissions/${await permission()}`, { gives: { mayQueue: false } }),
  'DELETE /api/v1/permissions/{id}': async () => asHead('DELETE', `/api/v1/permissions/${await permission()}`),
  'POST /api/v1/permissions/{id}/copy': async () =>
    asHead('POST', `/api/v1/permissions/${await permission()}/copy`, { subject: { kind: 'role', id: 'student' } }),
  'PUT /api/v1/permission-templates/{id}': () =>
    asHead('PUT', '/api/v1/permission-templates/new', { title: 'New', gives: usualTerms }),
  'DELETE /api/v1/permission-templates/{id}': async () =>
    asHead('DELETE', `/api/v1/permission-templates/${await template()}`),
  'POST /api/v1/permission-templates/{id}/apply': async () =>
    asHead('POST', `/api/v1/permission-templates/${await template()}/apply`, {
      subjects: [{ kind: 'role', id: 'builder' }],
    }),
}

const newest = async () =>
  (await hub.store.db.selectFrom('audit').select('id').orderBy('id', 'desc').limit(1).executeTakeFirst())?.id ?? 0

test('every call that can change something stands in the table, and no other', () => {
  const document = JSON.parse(readFileSync(new URL('../../../docs/openapi.json', import.meta.url), 'utf8')) as {
    paths: Record<string, Record<string, unknown>>
  }
  const changing = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.keys(methods)
      .filter((method) => method !== 'get')
      .map((method) => `${method.toUpperCase()} ${path}`),
  )
  assert.equal(Object.keys(changes).sort(), changing.sort())
})

for (const [call, what] of Object.entries(changes)) {
  if (!('entry' in what)) continue
  test(`${call} leaves ${what.entry}`, () => (what.shownBy === undefined ? drive(call, what) : isShown(what)))
}

async function drive(call: string, { entry }: Entered): Promise<void> {
  const make = drives[call]
  assert.ok(make, 'nothing drives it')
  const before = await newest()
  const answer = await make()
  assert.ok(answer.ok, `${answer.status} ${answer.ok ? '' : await answer.text()}`)
  const rows = await hub.store.db.selectFrom('audit').selectAll().where('id', '>', before).execute()
  // What had to be there before is in the log as well; the call itself comes last.
  const found = rows.filter(({ action }) => action === entry).at(-1)
  assert.ok(found, `found ${rows.map(({ action }) => action)}`)
  assert.ok(found.person_id !== null, 'by nobody')
  assert.ok(found.subject !== '', 'about nothing')
  // A closed account loses its addresses at once.
  assert.is(found.address, entry === 'person.left' ? null : '127.0.0.1', 'from where')
  for (const secret of [password, admin.password, 'another-long-password']) assert.not.match(found.detail, secret)
  // What was there before is told beside what is there now.
  const sides = Object.keys(JSON.parse(found.detail) as object)
  if (/\.changed$|^settings\./.test(entry) && !/^(booking|password)/.test(entry))
    assert.ok(['was,is', 'from,to'].includes(sides.slice(0, 2).join()), found.detail)
}

function isShown({ entry, shownBy }: Entered): void {
  const path = new URL(`../${shownBy}.test.ts`, import.meta.url)
  assert.ok(existsSync(path), `there is no test ${shownBy}`)
  assert.ok(readFileSync(path, 'utf8').includes(`'${entry}'`), `${shownBy} does not name ${entry}`)
}

test.run()
