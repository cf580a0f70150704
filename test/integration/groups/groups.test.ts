import type { Me, Problem, Run } from '@fernlab/shared/contracts/api'
import type { Group, GroupMember, GroupRemoval, OwnGroup } from '@fernlab/shared/contracts/groups'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'
import { askAs, cookieOf, secretIn } from '../accounts/visitor.ts'
import { admin, type ServedHub, serveHub } from '../api/served-hub.ts'

const test = suite('groups and courses', { timeoutMs: 60_000 })
let hub: ServedHub
let boss: string
type Person = Awaited<ReturnType<ServedHub['person']>>

test.before.each(async () => {
  hub = await serveHub({ trustedProxies: ['loopback'] })
  boss = (await hub.signIn(admin)).cookie
})
test.after.each(() => hub.close())

async function as<T = Problem>(who: string | Person, method: string, path: string, body?: object) {
  const response =
    typeof who === 'string'
      ? await askAs(hub, who, method, path, body)
      : await hub.json(method, path, body, { ...who.bearer })
  const text = await response.text()
  return { status: response.status, body: (text === '' ? undefined : JSON.parse(text)) as T }
}
const make = async (body: object, who: string | Person = boss) => {
  const made = await as<Group>(who, 'POST', '/api/v1/groups', body)
  assert.is(made.status, 201, JSON.stringify(made.body))
  return made.body
}
const put = (id: string, people: readonly Person[], role = 'member', who: string | Person = boss) =>
  as<{ added: number; changed: number; removed: number }>(who, 'POST', `/api/v1/groups/${id}/members`, {
    add: people.map(({ person }) => ({ who: person.id, role })),
  })
const namesOf = async (who: string | Person, path: string) =>
  (await as<{ items: { id: string }[] }>(who, 'GET', path)).body.items.map(({ id }) => id)

test('people of a group are found by a part of their name or address, whatever its case, in groups within it too', async () => {
  const [a, b] = [await hub.person('student', ['read']), await hub.person('student', ['read'])]
  await make({ id: 'outer', name: 'Outer' })
  await make({ id: 'inner', name: 'Inner', within: 'outer' })
  await put('outer', [a])
  await put('inner', [b])
  const all = (await as<{ items: GroupMember[] }>(boss, 'GET', '/api/v1/groups/outer/members?inner=true')).body.items
  const [first, second] = [a, b].map(({ person }) => all.find(({ id }) => id === person.id))
  assert.ok(first !== undefined && second !== undefined && first.email !== second.email)
  const found = (q: string) => namesOf(boss, `/api/v1/groups/outer/members?inner=true&q=${encodeURIComponent(q)}`)
  assert.equal(await found(first.email.toUpperCase()), [a.person.id])
  assert.equal(await found(second.email), [b.person.id])
  assert.equal(await found('%'), [], 'a sign of patterns is a sign like any other')
  assert.equal((await found('')).sort(), [a.person.id, b.person.id].sort())
})

test('a member of an inner group counts as member of the outer', async () => {
  const [a, b] = [await hub.person('student', ['read']), await hub.person('student', ['read'])]
  await make({ id: 'school', name: 'School' })
  await make({ id: 'optics', name: 'Optics', kind: 'course', within: 'school', from: '2026-01-01T00:00:00.000Z' })
  assert.equal((await put('optics', [a, b])).body, { added: 2, changed: 0, removed: 0 })
  assert.equal((await put('school', [a])).body.added, 1)
  const { items } = (await as<{ items: Group[] }>(boss, 'GET', '/api/v1/groups')).body
  assert.equal(
    items.map(({ id, people, within }) => [id, people, within]),
    [
      ['optics', 2, 'school'],
      ['school', 2, undefined],
    ],
  )
  const all = (await as<{ items: GroupMember[] }>(boss, 'GET', '/api/v1/groups/school/members?inner=true')).body.items
  assert.equal(
    all.map(({ id, through }) => [id, through]),
    [
      [a.person.id, undefined],
      [b.person.id, 'optics'],
    ].sort(([x], [y]) => ((x ?? '') < (y ?? '') ? -1 : 1)),
  )
  assert.is((await namesOf(boss, '/api/v1/groups/school/members')).length, 1)
  const counted = await hub.groups.of(b.person.id)
  assert.equal([...counted.at(Date.UTC(2026, 5, 1))].sort(), ['optics', 'school'])
  assert.equal([...counted.at(Date.UTC(2025, 5, 1))], [])
})

test('no group lies within itself, also when two are moved into each other at once', async () => {
  for (const id of ['a', 'b', 'c']) await make({ id, name: id.toUpperCase() })
  const move = (id: string, within: string) => as(boss, 'PUT', `/api/v1/groups/${id}`, { within })
  assert.is((await move('a', 'a')).body.code, 'group-cycle')
  const both = await Promise.all([move('a', 'b'), move('b', 'a')])
  assert.equal(both.map(({ status }) => status).sort(), [200, 409])
  const [outer, inner] = both[0]?.status === 200 ? ['b', 'a'] : ['a', 'b']
  assert.is((await move('c', inner)).status, 200)
  const round = await move(outer, 'c')
  assert.equal([round.status, round.body.code, round.body.issues?.[0]?.path], [409, 'group-cycle', 'within'])
})

test('names and ids are given once; times belong to courses and are in order', async () => {
  await make({ id: 'optics', name: 'Optics' })
  assert.is((await as(boss, 'POST', '/api/v1/groups', { id: 'optics', name: 'Other' })).status, 409)
  assert.is((await as(boss, 'POST', '/api/v1/groups', { id: 'other', name: 'OPTICS' })).body.code, 'group-exists')
  const time = '2026-01-01T00:00:00.000Z'
  const wrong = [
    [{ id: 'x', name: 'X', from: time }, 'from'],
    [{ id: 'x', name: 'X', kind: 'course', from: time, until: time }, 'until'],
    [{ id: 'x', name: 'X', within: 'nowhere' }, 'within'],
    [{ id: 'Not a slug', name: 'X' }, 'id'],
    [{ id: 'x', name: ' ' }, 'name'],
  ] as const
  for (const [body, path] of wrong) {
    assert.is((await as(boss, 'POST', '/api/v1/groups', body)).body.issues?.[0]?.path, path, JSON.stringify(body))
  }
  const back = await as(boss, 'PUT', '/api/v1/groups/optics', { until: time })
  assert.is(back.body.issues?.[0]?.path, 'until')
})

test('people are put in and taken out all at once, or nobody is', async () => {
  const [a, b] = [await hub.person('student', ['read']), await hub.person('student', ['read'])]
  await make({ id: 'optics', name: 'Optics' })
  await put('optics', [a])
  const change = (body: object) => as<Problem & { added: number }>(boss, 'POST', '/api/v1/groups/optics/members', body)
  const refused = await change({ add: [{ who: b.person.email }, { who: 'nobody@x.example' }], remove: ['nobody'] })
  assert.equal([refused.status, refused.body.issues?.map(({ path }) => path)], [422, ['add[1].who', 'remove[0]']])
  assert.equal(await namesOf(boss, '/api/v1/groups/optics/members'), [a.person.id])
  const done = await change({ add: [{ who: b.person.email.toUpperCase(), role: 'instructor' }], remove: [a.person.id] })
  assert.equal(done.body as object, { added: 1, changed: 0, removed: 1 })
  assert.equal(await namesOf(boss, '/api/v1/groups/optics/members'), [b.person.id])
  assert.is((await change({})).status, 400)
  const entries = (await as<{ items: { action: string }[] }>(boss, 'GET', '/api/v1/audit')).body.items
  assert.is(entries.filter(({ action }) => action === 'group.members').length, 2)
})

test('what a removal takes away is said first; what was within moves out', async () => {
  const a = await hub.person('student', ['read'])
  await make({ id: 'school', name: 'School' })
  await make({ id: 'physics', name: 'Physics', within: 'school' })
  await make({ id: 'optics', name: 'Optics', within: 'physics' })
  await put('physics', [a])
  const invited = await as<{ link: string }>(boss, 'POST', '/api/v1/invitations', { group: 'physics', most: 5 })
  const told = await as<GroupRemoval>(boss, 'GET', '/api/v1/groups/physics/removal')
  assert.equal(told.body, { people: 1, inner: ['optics'], invitations: 1, permissions: 0 })
  assert.is((await as(boss, 'DELETE', '/api/v1/groups/physics')).status, 204)
  assert.is((await as<Group>(boss, 'GET', '/api/v1/groups/optics')).body.within, 'school')
  assert.is((await as(boss, 'GET', '/api/v1/groups/physics')).status, 404)
  const token = secretIn(invited.body.link)
  assert.is((await hub.json('POST', '/api/v1/join/check', { token })).status, 410)
})

test('an instructor of a course sees its people and their runs, stops none, and nobody else’s', async () => {
  const [teacher, pupil, other] = [
    await hub.person('student', ['read', 'run']),
    await hub.person('student', ['read', 'run']),
    await hub.person('student', ['read', 'run']),
  ]
  await make({ id: 'physics', name: 'Physics', kind: 'course' })
  await make({ id: 'optics', name: 'Optics', within: 'physics' })
  await put('physics', [teacher], 'instructor')
  await put('optics', [pupil])
  const submit = (who: Person) => as<Run>(who, 'POST', '/api/v1/runs', { lab: 'l', protocol: 'p' })
  const [theirs, foreign] = [(await submit(pupil)).body, (await submit(other)).body]
  assert.equal(await namesOf(teacher, '/api/v1/groups'), ['optics', 'physics'])
  assert.equal(await namesOf(teacher, '/api/v1/groups/optics/members'), [pupil.person.id])
  assert.is((await as(teacher, 'GET', `/api/v1/runs/${theirs.id}`)).status, 200)
  assert.is((await as(teacher, 'GET', `/api/v1/runs/${theirs.id}/documents`)).status, 200)
  assert.is((await as(teacher, 'GET', `/api/v1/runs/${foreign.id}`)).status, 404)
  assert.is((await as(teacher, 'POST', `/api/v1/runs/${theirs.id}/cancel`)).status, 403)
  assert.is((await as(teacher, 'POST', `/api/v1/runs/${foreign.id}/cancel`)).status, 404)
  assert.equal(await namesOf(teacher, '/api/v1/runs?group=physics'), [theirs.id])
  assert.equal(await namesOf(teacher, `/api/v1/runs?person=${pupil.person.id}`), [theirs.id])
  assert.equal(await namesOf(teacher, `/api/v1/runs?person=${other.person.id}`), [])
  assert.equal(await namesOf(teacher, '/api/v1/runs'), [])
  // The pupil sees the group and not who is in it; a stranger sees nothing of it.
  assert.equal(await namesOf(pupil, '/api/v1/groups'), ['optics', 'physics'])
  assert.is((await as(pupil, 'GET', '/api/v1/groups/optics/members')).status, 404)
  assert.is((await as(pupil, 'GET', '/api/v1/runs?group=optics')).status, 404)
  assert.is((await as(other, 'GET', '/api/v1/groups/optics')).status, 404)
  assert.is((await as(pupil, 'GET', `/api/v1/runs/${foreign.id}`)).status, 404)
})

test('instructors of the site make groups and change theirs, not others’', async () => {
  const [one, two] = [
    await hub.person('instructor', ['read', 'admin']),
    await hub.person('instructor', ['read', 'admin']),
  ]
  const made = await make({ id: 'optics', name: 'Optics' }, one)
  assert.equal([made.manages, made.mine], [true, 'instructor'])
  await make({ id: 'inner', name: 'Inner', within: 'optics' }, one)
  await make({ id: 'school', name: 'School' })
  assert.is((await as(one, 'PUT', '/api/v1/groups/optics', { name: 'Optics 2' })).status, 200)
  assert.is((await as(one, 'PUT', '/api/v1/groups/inner', { name: 'Inner 2' })).status, 200)
  assert.is((await as<Group>(two, 'GET', '/api/v1/groups/optics')).body.manages, false)
  for (const [method, path] of [
    ['PUT', ''],
    ['DELETE', ''],
    ['GET', '/removal'],
    ['POST', '/members'],
  ] as const) {
    const body = method === 'PUT' ? { name: 'Mine' } : method === 'POST' ? { remove: ['x'] } : undefined
    assert.is((await as(two, method, `/api/v1/groups/optics${path}`, body)).status, 403, method + path)
  }
  // Being within a group may give what it has.
  const into = await as(one, 'PUT', '/api/v1/groups/optics', { within: 'school' })
  assert.equal([into.status, into.body.issues?.[0]?.path], [403, 'within'])
})

test('an invitation leads into a group, also people who have an account', async () => {
  const pupil = await hub.person('student', ['read', 'admin'])
  await make({ id: 'optics', name: 'Optics' })
  const invited = await as<{ link: string }>(boss, 'POST', '/api/v1/invitations', { group: 'optics', most: 2 })
  const token = secretIn(invited.body.link)
  assert.equal(await (await hub.json('POST', '/api/v1/join/check', { token })).json(), {
    role: 'student',
    by: 'Admin',
    group: { id: 'optics', name: 'Optics' },
    register: true,
  })
  const joined = await hub.json('POST', '/api/v1/join', {
    token,
    name: 'Bo',
    email: 'bo@school.example',
    password: 'a-long-password',
  })
  assert.is(joined.status, 201)
  const accepted = await as<{ group: string }>(pupil, 'POST', '/api/v1/join/accept', { token })
  assert.equal([accepted.status, accepted.body.group], [200, 'optics'])
  assert.is((await namesOf(boss, '/api/v1/groups/optics/members')).length, 2)
  const exported = await as<{ groups: { id: string }[] }>(cookieOf(joined), 'GET', '/api/v1/me/export')
  assert.equal(
    exported.body.groups.map(({ id }) => id),
    ['optics'],
  )
})

test('an invitation for members only makes no account, and who is in takes no second place', async () => {
  const pupil = await hub.person('student', ['read', 'admin'])
  await make({ id: 'optics', name: 'Optics' })
  const body = { group: 'optics', most: 1, register: false }
  const invited = await as<{ link: string; id: string }>(boss, 'POST', '/api/v1/invitations', body)
  const token = secretIn(invited.body.link)
  const person = { token, name: 'Bo', email: 'bo@school.example', password: 'a-long-password' }
  assert.is((await hub.json('POST', '/api/v1/join', person)).status, 410)
  // At once from two pages: one place, one person.
  const accept = () => as(pupil, 'POST', '/api/v1/join/accept', { token })
  assert.is((await accept()).status, 200)
  const again = await accept()
  assert.is(again.status, 410, 'the one place is taken')
  assert.is((await as(boss, 'POST', '/api/v1/invitations', { register: false })).body.issues?.[0]?.path, 'group')
  assert.is((await as(boss, 'POST', '/api/v1/invitations', { group: 'nowhere' })).status, 404)
})

test('an invitation ends with its maker’s right to change the group', async () => {
  const teacher = await hub.person('instructor', ['read', 'admin'])
  const pupil = await hub.person('student', ['read', 'admin'])
  await make({ id: 'optics', name: 'Optics' }, teacher)
  const other = await make({ id: 'other', name: 'Other' })
  assert.is((await as(teacher, 'POST', '/api/v1/invitations', { group: other.id })).status, 422)
  const invited = await as<{ link: string }>(teacher, 'POST', '/api/v1/invitations', { group: 'optics', most: 9 })
  await as(boss, 'POST', '/api/v1/groups/optics/members', { remove: [teacher.person.id] })
  const token = secretIn(invited.body.link)
  assert.is((await as(pupil, 'POST', '/api/v1/join/accept', { token })).status, 410)
})

test('a list of people puts them into groups, also those who have an account', async () => {
  const pupil = await hub.person('student', ['read'])
  for (const id of ['optics', 'physics']) await make({ id, name: id })
  const csv = `name,email,groups\nBo,bo@school.example,optics physics\nOld,${pupil.person.email},\n`
  const read = (more: object) =>
    as<Problem & { people: { groups: string[]; known: boolean }[] }>(boss, 'POST', '/api/v1/users/import', {
      csv,
      ...more,
    })
  const looked = await read({ group: 'optics', preview: true })
  assert.equal(
    looked.body.people.map(({ groups, known }) => [groups, known]),
    [
      [['optics', 'physics'], false],
      [['optics'], true],
    ],
  )
  assert.equal(await namesOf(boss, '/api/v1/groups/optics/members'), [])
  assert.is((await read({ group: 'optics' })).status, 200)
  assert.is((await namesOf(boss, '/api/v1/groups/optics/members')).length, 2)
  assert.is((await namesOf(boss, '/api/v1/groups/physics/members')).length, 1)
  const unknown = await read({ group: 'nowhere' })
  assert.equal([unknown.status, unknown.body.issues?.[0]?.path], [422, 'csv[3].groups'])
})

test('one’s own groups say as what and since when; a group is left, a course only when it is over', async () => {
  const [pupil, other] = [
    await hub.person('student', ['read', 'admin']),
    await hub.person('student', ['read', 'admin']),
  ]
  const [tutor, second] = [
    await hub.person('instructor', ['read', 'admin']),
    await hub.person('instructor', ['read', 'admin']),
  ]
  await make({ id: 'school', name: 'School' })
  await make({ id: 'club', name: 'Club', within: 'school' })
  await make({ id: 'optics', name: 'Optics', kind: 'course', from: '2026-01-01T00:00:00.000Z' })
  for (const id of ['club', 'optics']) await put(id, [pupil])
  await put('club', [tutor], 'instructor')
  const own = async (who: Person) => (await as<{ items: OwnGroup[] }>(who, 'GET', '/api/v1/me/groups')).body.items
  const leave = async (who: Person, id: string) => {
    const { status, body } = await as(who, 'DELETE', `/api/v1/me/groups/${id}`)
    return [status, body?.code]
  }
  assert.equal(
    (await own(pupil)).map(({ since, ...group }) => ({ ...group, recent: Date.now() - Date.parse(since) < 60_000 })),
    [
      { id: 'club', name: 'Club', kind: 'group', role: 'member', instructors: [tutor.person.name], recent: true },
      {
        ...{ id: 'optics', name: 'Optics', kind: 'course', role: 'member', from: '2026-01-01T00:00:00.000Z' },
        ...{ instructors: [], stays: 'course', recent: true },
      },
    ],
    'not those that one is in through others',
  )
  assert.equal(await own(other), [])
  assert.equal(await leave(pupil, 'optics'), [409, 'group-stays'])
  assert.equal(await leave(pupil, 'school'), [404, 'group-unknown'])
  assert.equal(await leave(other, 'club'), [404, 'group-unknown'])
  assert.equal(await leave(pupil, 'club'), [204, undefined])
  assert.equal(await leave(pupil, 'club'), [404, 'group-unknown'])
  assert.is((await hub.groups.of(pupil.person.id)).at(Date.now()).has('club'), false)
  await as(boss, 'PUT', '/api/v1/groups/optics', { until: '2026-02-01T00:00:00.000Z' })
  assert.equal(await leave(pupil, 'optics'), [204, undefined])

  assert.equal((await own(tutor))[0]?.stays, 'last-instructor')
  assert.equal(await leave(tutor, 'club'), [409, 'group-stays'])
  await put('club', [second], 'instructor')
  const both = await Promise.all([leave(tutor, 'club'), leave(second, 'club')])
  assert.equal(both.map(([status]) => status).sort(), [204, 409], 'one of two who leave at once stays')
  const log = (await as<{ items: { subject: string }[] }>(boss, 'GET', '/api/v1/audit?action=group.left')).body.items
  assert.equal(log.map(({ subject }) => subject).sort(), ['club', 'club', 'optics'])
})

test('who closes the account is in no group any more', async () => {
  await make({ id: 'optics', name: 'Optics' })
  const invited = await as<{ link: string }>(boss, 'POST', '/api/v1/invitations', { group: 'optics' })
  const password = 'a-long-password'
  const joined = await hub.json('POST', '/api/v1/join', {
    token: secretIn(invited.body.link),
    name: 'Bo',
    email: 'bo@school.example',
    password,
  })
  const cookie = cookieOf(joined)
  assert.is((await as<Me>(cookie, 'GET', '/api/v1/me')).status, 200)
  assert.is((await as(cookie, 'POST', '/api/v1/me/close', { password })).status, 204)
  assert.equal(await hub.store.db.selectFrom('group_member').selectAll().execute(), [])
})

test.run()
