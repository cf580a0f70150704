import type { Invitation, Me, Problem } from '@fernlab/shared/contracts/api'
import * as assert from 'uvu/assert'
import { cases } from '../../support/long.ts'
import { suite } from '../../support/suite.ts'
import { admin, type ServedHub, serveHub } from '../api/served-hub.ts'
import { askAs, cookieOf, secretIn } from './visitor.ts'

const test = suite('people: invitations and roles', { timeoutMs: 60_000 })
let hub: ServedHub
let boss: string

interface Made extends Invitation {
  readonly link: string
}

test.before(async () => {
  hub = await serveHub({ trustedProxies: ['loopback'] })
  boss = await signIn(admin.email, admin.password)
})
test.after(() => hub.close())

async function signIn(email: string, password: string): Promise<string> {
  const answer = await hub.json('POST', '/api/auth/sign-in/email', { email, password })
  assert.is(answer.status, 200, await answer.clone().text())
  return cookieOf(answer)
}

async function as<T>(
  cookie: string,
  method: string,
  path: string,
  body?: object,
): Promise<{ status: number; body: T }> {
  const response = await askAs(hub, cookie, method, path, body)
  const text = await response.text()
  return { status: response.status, body: (text === '' ? undefined : JSON.parse(text)) as T }
}

const secretOf = ({ link }: Made) => secretIn(link)
const invite = async (body: object, cookie = boss) => {
  const answer = await as<Made>(cookie, 'POST', '/api/v1/invitations', body)
  assert.is(answer.status, 201, JSON.stringify(answer.body))
  return answer.body
}
let people = 0
const join = (token: string, more: object = {}) => {
  const email = `person-${++people}@school.example`
  return hub.json('POST', '/api/v1/join', { token, name: 'Bo', email, password: 'a-long-password', ...more })
}
const code = async (response: Response) => ((await response.json()) as { code: string }).code

test('a person joins by the link, is signed in, and has the role', async () => {
  const made = await invite({ role: 'builder', note: 'the workshop' })
  assert.match(made.link, /\/join#token=.{20,}/)
  assert.equal([made.role, made.note, made.most, made.used, made.createdBy], ['builder', 'the workshop', 1, 0, 'Admin'])
  const looked = await hub.json('POST', '/api/v1/join/check', { token: secretOf(made) })
  assert.equal(await looked.json(), { role: 'builder', by: 'Admin', register: true })
  const joined = await join(secretOf(made), { name: 'Cy', email: 'Cy@School.example' })
  assert.is(joined.status, 201)
  const me = await as<Me>(cookieOf(joined), 'GET', '/api/v1/me')
  assert.equal([me.body.name, me.body.email, me.body.role], ['Cy', 'cy@school.example', 'builder'])
  await signIn('cy@school.example', 'a-long-password')
})

test('the link itself is in no list and not in the database', async () => {
  const made = await invite({})
  const listed = await as<{ items: Invitation[] }>(boss, 'GET', '/api/v1/invitations')
  assert.is(listed.body.items[0]?.id, made.id)
  assert.not.match(JSON.stringify(listed.body), secretOf(made))
  assert.not.match(JSON.stringify(await hub.store.db.selectFrom('invitation').selectAll().execute()), secretOf(made))
})

test('no more join than may, however many come at once', async () => {
  const made = await invite({ most: 3 })
  const answers = await Promise.all([1, 2, 3, 4, 5, 6, 7].map(() => join(secretOf(made))))
  assert.is(answers.filter(({ status }) => status === 201).length, 3)
  for (const late of answers.filter(({ status }) => status !== 201)) {
    assert.is(late.status, 410)
    assert.is(await code(late), 'invitation-over')
  }
  const { items } = (await as<{ items: Invitation[] }>(boss, 'GET', '/api/v1/invitations')).body
  assert.is(items.find(({ id }) => id === made.id)?.used, 3)
})

test('of people with accounts who want the last place in a group exactly one gets it, time and again', async () => {
  assert.is((await as(boss, 'POST', '/api/v1/groups', { id: 'few', name: 'Few' })).status, 201)
  const people = (await hub.people('student', 200)).map(
    (person) => ({ ...person, personId: person.id, scopes: 'all', via: 'session' }) as const,
  )
  const { body: own } = await as<Me>(boss, 'GET', '/api/v1/me')
  const { id: personId, name, email, role } = own
  const maker = { personId, name, email, role, scopes: 'all', via: 'session' } as const
  const terms = { role: 'student', group: 'few', register: false, most: 1, expiresInDays: 1 } as const
  const { invitations } = hub.accounts
  const claim = async (claimants: typeof people, what: string) => {
    const made = await invitations.create(maker, terms)
    const outcomes = await Promise.allSettled(claimants.map((who) => invitations.accept(who, secretIn(made.link))))
    const codes = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason.code] : []))
    assert.equal([codes.length, [...new Set(codes)]], [claimants.length - 1, ['invitation-over']], what)
    const winner = claimants[outcomes.findIndex(({ status }) => status === 'fulfilled')]
    const members = await hub.store.db
      .selectFrom('group_member')
      .select('person_id')
      .where('role', '=', 'member')
      .execute()
    assert.equal(members, [{ person_id: winner?.id }], what)
    await hub.groups.leave(winner ?? maker, 'few')
  }
  // Who asks first varies.
  const rivals = people.slice(0, 2)
  for (let round = 0; round < 1000; round++)
    await claim(round % 2 === 0 ? rivals : rivals.toReversed(), `two people, round ${round}`)
  for (let round = 0; round < cases(3); round++) await claim(people, `200 people, round ${round}`)
})

test('who accepts twice at once is in, and takes one place', async () => {
  assert.is((await as(boss, 'POST', '/api/v1/groups', { id: 'pair', name: 'Pair' })).status, 201)
  const [person] = await hub.people('student', 1)
  if (person === undefined) throw new Error('there is one')
  const who = { ...person, personId: person.id, scopes: 'all', via: 'session' } as const
  for (const most of [1, 2]) {
    const made = await invite({ group: 'pair', register: false, most })
    const accept = () => hub.accounts.invitations.accept(who, secretOf(made))
    assert.equal(await Promise.all([accept(), accept(), accept()]), [
      { group: 'pair' },
      { group: 'pair' },
      { group: 'pair' },
    ])
    const { items } = (await as<{ items: Invitation[] }>(boss, 'GET', '/api/v1/invitations')).body
    assert.is(items.find(({ id }) => id === made.id)?.used, 1)
    await hub.groups.leave(who, 'pair')
  }
})

test('an address that has an account takes no place', async () => {
  const made = await invite({ most: 1 })
  const taken = await join(secretOf(made), { email: admin.email.toUpperCase() })
  assert.is(taken.status, 409)
  assert.is(await code(taken), 'address-taken')
  assert.is((await join(secretOf(made))).status, 201)
})

test('an invitation that was taken back, is too old or never was admits nobody', async () => {
  const back = await invite({ most: 5 })
  assert.is((await as(boss, 'DELETE', `/api/v1/invitations/${back.id}`)).status, 204)
  assert.is(await code(await join(secretOf(back))), 'invitation-over')
  const old = await invite({ most: 5 })
  await hub.store.write([hub.store.db.updateTable('invitation').set({ expires_at: 1 }).where('id', '=', old.id)])
  assert.is(await code(await join(secretOf(old))), 'invitation-over')
  assert.is(await code(await join('made-up')), 'invitation-over')
  assert.is(await code(await hub.json('POST', '/api/v1/join/check', { token: 'made-up' })), 'invitation-over')
})

test('wrong input is told with its path and makes nobody', async () => {
  const made = await invite({ most: 1 })
  const bad = await join(secretOf(made), { password: 'short', email: 'nobody' })
  const { issues } = (await bad.json()) as { issues: { path: string }[] }
  assert.equal(issues.map(({ path }) => path).sort(), ['email', 'password'])
  const nameless = await join(secretOf(made), { name: '   ', email: `${'a'.repeat(250)}@school.example` })
  const told = (await nameless.json()) as { issues: { path: string }[] }
  assert.equal(told.issues.map(({ path }) => path).sort(), ['email', 'name'])
  for (const body of [
    { most: 0 },
    { most: 1001 },
    { role: 'king' },
    { expiresInDays: 0 },
    { note: '  ' },
    { extra: 1 },
  ]) {
    assert.is((await as(boss, 'POST', '/api/v1/invitations', body)).status, 400, JSON.stringify(body))
  }
  assert.is((await join(secretOf(made))).status, 201)
})

test('an instructor invites students, sees and takes back only what is theirs', async () => {
  const teacher = cookieOf(await join(secretOf(await invite({ role: 'instructor' }))))
  const other = await invite({})
  const refused = await as<Problem>(teacher, 'POST', '/api/v1/invitations', { role: 'admin' })
  assert.equal([refused.status, refused.body.issues?.[0]?.path], [403, 'role'])
  assert.match(refused.body.hint ?? '', /Ask an admin/)
  const mine = await invite({ role: 'student' }, teacher)
  const { items } = (await as<{ items: Invitation[] }>(teacher, 'GET', '/api/v1/invitations')).body
  assert.equal(
    items.map(({ id }) => id),
    [mine.id],
  )
  assert.is((await as(teacher, 'DELETE', `/api/v1/invitations/${other.id}`)).status, 404)
  assert.is((await as(teacher, 'DELETE', `/api/v1/invitations/${mine.id}`)).status, 204)
})

test('lists of invitations and people are paged, and people are found by a part of name or address', async () => {
  const first = await as<{ items: Invitation[]; cursor: string }>(boss, 'GET', '/api/v1/invitations?limit=2')
  const next = await as<{ items: Invitation[] }>(boss, 'GET', `/api/v1/invitations?limit=2&cursor=${first.body.cursor}`)
  assert.is(new Set([...first.body.items, ...next.body.items].map(({ id }) => id)).size, 4)
  const found = async (q: string) =>
    (await as<{ items: Me[] }>(boss, 'GET', `/api/v1/users?q=${encodeURIComponent(q)}`)).body.items.map(
      ({ email }) => email,
    )
  assert.equal(await found('CY@'), ['cy@school.example'])
  assert.equal(await found('%'), [])
  assert.equal(await found('_'), [])
})

test('another role holds at once, for sessions and tokens', async () => {
  const joined = await join(secretOf(await invite({ role: 'student' })))
  const cookie = cookieOf(joined)
  const { id } = (await joined.json()) as Me
  const made = await as<{ token: string }>(cookie, 'POST', '/api/v1/tokens', { name: 'mine', scopes: ['read'] })
  const byToken = async () =>
    (await fetch(`${hub.url}/api/v1/users`, { headers: { authorization: `Bearer ${made.body.token}` } })).status
  assert.is((await as(cookie, 'GET', '/api/v1/users')).status, 403)
  assert.is(await byToken(), 403)
  const changed = await as<Me>(boss, 'PUT', `/api/v1/users/${id}`, { role: 'instructor' })
  assert.equal([changed.status, changed.body.role], [200, 'instructor'])
  assert.is((await as(cookie, 'GET', '/api/v1/users')).status, 200)
  assert.is(await byToken(), 200)
  await as(boss, 'PUT', `/api/v1/users/${id}`, { role: 'guest' })
  assert.is((await as(cookie, 'GET', '/api/v1/users')).status, 403)
  assert.is(await byToken(), 403)
  const { items } = (
    await as<{ items: { action: string; subject: string; detail: object }[] }>(boss, 'GET', '/api/v1/audit')
  ).body
  const entry = items.find(({ action, subject }) => action === 'person.role' && subject === id)
  assert.equal(entry?.detail, { from: 'instructor', to: 'guest' })
  assert.is((await as(boss, 'PUT', '/api/v1/users/nobody', { role: 'guest' })).status, 404)
})

test('whoever loses a role loses the invitations to which it entitled', async () => {
  const joined = await join(secretOf(await invite({ role: 'admin' })))
  const { id } = (await joined.clone().json()) as Me
  const way = cookieOf(joined)
  const [back, kept] = [await invite({ role: 'admin' }, way), await invite({ role: 'student', most: 2 }, way)]
  assert.is((await as(boss, 'PUT', `/api/v1/users/${id}`, { role: 'instructor' })).status, 200)
  assert.is(await code(await join(secretOf(back))), 'invitation-over')
  assert.is((await join(secretOf(kept))).status, 201)
  const { items } = (await as<{ items: Invitation[] }>(boss, 'GET', '/api/v1/invitations')).body
  const takenBack = (of: Invitation) => items.find((item) => item.id === of.id)?.revokedAt !== undefined
  assert.equal([takenBack(back), takenBack(kept)], [true, false])
  // As one that was being made while the role was taken.
  await hub.store.write([hub.store.db.updateTable('invitation').set({ revoked_at: null }).where('id', '=', back.id)])
  assert.is(await code(await hub.json('POST', '/api/v1/join/check', { token: secretOf(back) })), 'invitation-over')
  assert.is(await code(await join(secretOf(back))), 'invitation-over')
  await as(boss, 'PUT', `/api/v1/users/${id}`, { role: 'student' })
  assert.is(await code(await join(secretOf(kept))), 'invitation-over')
})

test('there is always an admin left, also when two take it from each other at once', async () => {
  const answers = await as<{ items: Me[] }>(boss, 'GET', `/api/v1/users?q=${encodeURIComponent(admin.email)}`)
  const first = answers.body.items[0]?.id ?? ''
  const alone = await as<{ code: string }>(boss, 'PUT', `/api/v1/users/${first}`, { role: 'student' })
  assert.equal([alone.status, alone.body.code], [409, 'last-admin'])
  const joined = await join(secretOf(await invite({ role: 'admin' })))
  const second = (await joined.clone().json()) as Me
  const both = await Promise.all([
    as<{ code?: string }>(boss, 'PUT', `/api/v1/users/${second.id}`, { role: 'guest' }),
    as<{ code?: string }>(cookieOf(joined), 'PUT', `/api/v1/users/${first}`, { role: 'guest' }),
  ])
  const [won, lost] = both.map(({ status }) => status).sort()
  assert.is(won, 200)
  // Whoever was later is no admin any more, or would be the last.
  assert.ok(lost === 403 || lost === 409, String(lost))
  const left = await hub.store.db.selectFrom('person').select('id').where('role', '=', 'admin').execute()
  assert.is(left.length, 1)
})

test.run()
