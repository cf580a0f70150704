import type { Problem } from '@fernlab/shared/contracts/api'
import type {
  AppliedTemplate,
  BulkDone,
  EffectivePermission,
  Permission,
  PermissionTemplate,
} from '@fernlab/shared/contracts/permissions'
import { usualTerms } from '@fernlab/shared/contracts/terms'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'
import { type ServedHub, serveHub } from '../api/served-hub.ts'
import { smallLab } from '../hub/hub-with-node.ts'

const test = suite('permissions over HTTP', { timeoutMs: 60_000 })
let hub: ServedHub
type Person = Awaited<ReturnType<ServedHub['person']>>
let admin: Person
let pupil: Person

test.before.each(async () => {
  hub = await serveHub()
  admin = await hub.person('admin', ['admin'])
  pupil = await hub.person('student', ['read', 'run'])
  assert.is((await as(admin, 'PUT', '/api/v1/labs/small', { files: smallLab })).status, 201)
})
test.after.each(() => hub.close())

async function as<T = Problem>(who: Person, method: string, path: string, body?: object) {
  const response = await hub.json(method, path, body, { ...who.bearer })
  const text = await response.text()
  return { status: response.status, body: (text === '' ? undefined : JSON.parse(text)) as T }
}
const give = async (body: object) => {
  const made = await as<Permission>(admin, 'POST', '/api/v1/permissions', body)
  assert.is(made.status, 201, JSON.stringify(made.body))
  return made.body
}
const list = async (query = '', who = admin) =>
  (await as<{ items: Permission[] }>(who, 'GET', `/api/v1/permissions${query}`)).body.items
const mine = async (who = pupil, query = '') =>
  (await as<EffectivePermission>(who, 'GET', `/api/v1/labs/small/permission${query}`)).body

test('a fresh hub lets everyone who is signed in queue, and an admin may change that', async () => {
  const [first, ...more] = await list()
  assert.equal(
    [first?.id, first?.subject, first?.lab, first?.gives.mayQueue, more.length],
    ['everyone', { kind: 'everyone' }, null, true, 0],
  )
  assert.equal(first?.gives, usualTerms)
  const before = await mine()
  assert.equal(
    [before.gives.mayQueue, before.sources.mayQueue, before.protocols],
    [true, 'everyone', ['nothing', 'safe', 'set']],
  )
  const limited = await as<Permission>(admin, 'PUT', '/api/v1/permissions/everyone', {
    gives: { mostOpen: 2 },
    note: 'All',
  })
  assert.equal([limited.body.gives.mostOpen, limited.body.gives.mayQueue, limited.body.note], [2, true, 'All'])
  assert.is((await mine()).gives.mostOpen, 2)
  assert.is((await as(admin, 'DELETE', '/api/v1/permissions/everyone')).status, 204)
  const after = await mine()
  assert.equal([after.gives.mayQueue, after.sources, after.protocols, after.ask], [false, {}, [], ['Admin']])
  const audit = await as<{ items: { action: string; detail: { was: Permission; is?: Permission } }[] }>(
    admin,
    'GET',
    '/api/v1/audit',
  )
  const [removed, changed] = audit.body.items.filter(({ action }) => action.startsWith('permission.'))
  assert.equal([removed?.action, changed?.action], ['permission.removed', 'permission.changed'])
  assert.equal([changed?.detail.was.gives.mostOpen, changed?.detail.is?.gives.mostOpen], [null, 2])
})

test('a course gets what its permission gives, through an inner group, while both last', async () => {
  await as(admin, 'DELETE', '/api/v1/permissions/everyone')
  const teacher = await hub.person('instructor', ['read', 'admin'])
  for (const body of [
    { id: 'optics', name: 'Optics', kind: 'course', until: '2100-01-01T00:00:00.000Z' },
    { id: 'monday', name: 'Monday', within: 'optics' },
  ])
    assert.is((await as(admin, 'POST', '/api/v1/groups', body)).status, 201)
  const add = [{ who: pupil.person.id }, { who: teacher.person.id, role: 'instructor' }]
  assert.is((await as(admin, 'POST', '/api/v1/groups/monday/members', { add })).status, 200)
  const made = await give({
    subject: { kind: 'group', id: 'optics' },
    lab: 'small',
    protocols: ['set', 'set'],
    template: 'class',
    gives: { mostOpen: 2 },
  })
  assert.equal([made.subjectName, made.protocols, made.gives.mostOpen, made.gives.dayS], ['Optics', ['set'], 2, 7200])
  const may = await mine()
  assert.equal([may.gives.mostOpen, may.sources.dayS, may.protocols], [2, made.id, ['set']])
  assert.is((await mine(pupil, '?protocol=nothing')).gives.mayQueue, false)
  // A teacher looks at a pupil’s, a pupil not at a teacher’s.
  assert.equal((await mine(teacher, `?person=${pupil.person.id}`)).sources.mayQueue, made.id)
  assert.is((await as(pupil, 'GET', `/api/v1/labs/small/permission?person=${teacher.person.id}`)).status, 404)
  assert.is((await as(admin, 'PUT', '/api/v1/groups/optics', { until: '2020-01-01T00:00:00.000Z' })).status, 200)
  assert.is((await mine()).gives.mayQueue, false)
  await as(admin, 'PUT', '/api/v1/groups/optics', { until: null })
  assert.is((await mine()).gives.mayQueue, true)
  const told = await as<{ permissions: number }>(admin, 'GET', '/api/v1/groups/optics/removal')
  assert.is(told.body.permissions, 1)
  await as(admin, 'DELETE', '/api/v1/groups/optics')
  assert.equal([(await mine()).gives.mayQueue, await list()], [false, []])
})

test('whom to ask is who teaches a group that may use the lab', async () => {
  const teacher = await hub.person('instructor', ['read', 'admin'])
  assert.is((await as(teacher, 'POST', '/api/v1/groups', { id: 'optics', name: 'Optics' })).status, 201)
  await give({ subject: { kind: 'group', id: 'optics' }, lab: 'small' })
  assert.equal((await mine()).ask, [teacher.person.name])
})

test('they are found by lab and by subject', async () => {
  const own = await give({ subject: { kind: 'person', id: pupil.person.email.toUpperCase() }, lab: 'small' })
  assert.equal(own.subject, { kind: 'person', id: pupil.person.id })
  await give({ subject: { kind: 'role', id: 'builder' } })
  const ids = async (query: string) => (await list(query)).map(({ subject }) => subject.kind).sort()
  assert.equal(await ids('?lab=small'), ['everyone', 'person', 'role'])
  assert.equal(await ids('?lab=other'), ['everyone', 'role'])
  assert.equal(await ids(`?kind=person&subject=${pupil.person.id}`), ['person'])
  assert.equal(await ids('?kind=everyone'), ['everyone'])
  const page = await as<{ items: Permission[]; cursor: string }>(admin, 'GET', '/api/v1/permissions?limit=2')
  const next = await list(`?limit=2&cursor=${page.body.cursor}`)
  assert.equal([page.body.items.length, next.length], [2, 1])
})

test('what can not be is refused with its path', async () => {
  const wrong: [object, string, number][] = [
    [{ subject: { kind: 'group', id: 'nowhere' } }, 'subject.id', 422],
    [{ subject: { kind: 'person', id: 'nobody@x.example' } }, 'subject.id', 422],
    [{ subject: { kind: 'everyone' }, lab: 'nowhere' }, 'lab', 422],
    [{ subject: { kind: 'everyone' }, template: 'nothing' }, 'template', 422],
    [
      { subject: { kind: 'everyone' }, from: '2026-01-02T00:00:00.000Z', until: '2026-01-01T00:00:00.000Z' },
      'until',
      422,
    ],
    [{ subject: { kind: 'role', id: 'king' } }, 'subject.id', 400],
    [{ subject: { kind: 'everyone' }, gives: { dayS: -1 } }, 'gives.dayS', 400],
    [{ subject: { kind: 'everyone' }, gives: { priority: 0 } }, 'gives.priority', 400],
    [{ subject: { kind: 'everyone' }, protocols: [] }, 'protocols', 400],
    [{}, 'subject', 400],
  ]
  for (const [body, path, status] of wrong) {
    const refused = await as(admin, 'POST', '/api/v1/permissions', body)
    assert.equal([refused.status, refused.body.issues?.[0]?.path], [status, path], JSON.stringify(body))
  }
  assert.is((await as(admin, 'PUT', '/api/v1/permissions/none', {})).status, 404)
  assert.is((await as(admin, 'DELETE', '/api/v1/permissions/none')).status, 404)
  assert.is((await list()).length, 1)
})

test('a copy differs in what is said; many are changed after a look, or none', async () => {
  const one = await give({ subject: { kind: 'role', id: 'student' }, lab: 'small', note: 'one' })
  const copied = await as<Permission>(admin, 'POST', `/api/v1/permissions/${one.id}/copy`, {
    subject: { kind: 'role', id: 'builder' },
    note: null,
  })
  assert.equal(
    [copied.status, copied.body.subject, copied.body.lab, copied.body.note],
    [201, { kind: 'role', id: 'builder' }, 'small', undefined],
  )
  const ids = [one.id, copied.body.id]
  const bulk = (body: object) => as<BulkDone & Problem>(admin, 'POST', '/api/v1/permissions/bulk', { ids, ...body })
  const looked = await bulk({ change: { gives: { dayS: 60 } }, preview: true })
  assert.equal(
    looked.body.items.map(({ before, after }) => [before.gives.dayS, after?.gives.dayS]),
    [
      [null, 60],
      [null, 60],
    ],
  )
  assert.is((await list('?kind=role'))[0]?.gives.dayS, null, 'a look changes nothing')
  assert.is((await bulk({ change: { gives: { dayS: 60 } } })).status, 200)
  assert.equal(
    (await list('?kind=role')).map(({ gives }) => gives.dayS),
    [60, 60],
  )
  const broken = await as(admin, 'POST', '/api/v1/permissions/bulk', { ids: [...ids, 'none'], remove: true })
  assert.equal([broken.status, broken.body.issues?.[0]?.path], [422, 'ids[2]'])
  assert.is((await bulk({})).status, 400)
  assert.is((await bulk({ remove: true })).body.items[0]?.after, null)
  assert.equal(await list('?kind=role'), [])
})

test('a template is given to many in many labs, all or none, and the same is not given twice', async () => {
  await as(admin, 'PUT', '/api/v1/permission-templates/term', {
    title: 'A term',
    gives: { ...usualTerms, mostOpen: 7 },
  })
  const apply = (body: object) =>
    as<AppliedTemplate & Problem>(admin, 'POST', '/api/v1/permission-templates/term/apply', body)
  const before = (await list()).length
  const count = async () => (await list()).length - before
  const subjects = [
    { kind: 'role', id: 'student' },
    { kind: 'role', id: 'builder' },
  ]
  const wrong = await apply({ subjects: [...subjects, { kind: 'group', id: 'nowhere' }], labs: [null] })
  assert.equal([wrong.status, wrong.body.issues?.[0]?.path], [422, 'subjects[2].id'])
  const noLab = await apply({ subjects, labs: ['no-such-lab'] })
  assert.equal([noLab.status, noLab.body.issues?.[0]?.path], [422, 'labs'])
  assert.is(await count(), 0)
  const looked = await apply({ subjects, labs: [null, 'small'], preview: true })
  assert.equal([looked.body.items.length, looked.body.already, await count()], [4, 0, 0])
  const done = await apply({ subjects, labs: [null, 'small'], note: 'This term' })
  assert.equal([done.status, done.body.items.length, await count()], [200, 4, 4])
  assert.ok(
    done.body.items.every(({ id, gives, note }) => id !== undefined && gives.mostOpen === 7 && note !== undefined),
  )
  assert.is((await mine()).permissions.filter(({ note }) => note === 'This term').length, 2, 'it holds at once')
  const again = await apply({ subjects: [...subjects, { kind: 'everyone' }], labs: [null, null] })
  assert.equal([again.body.items.length, again.body.already, await count()], [1, 2, 5])
  const unknown = await as(admin, 'POST', '/api/v1/permission-templates/nothing/apply', { subjects })
  assert.is(unknown.status, 404)
  assert.is((await apply({ subjects: [] })).status, 400)
  const many = { subjects: Array.from({ length: 30 }, (_, at) => ({ kind: 'person', id: `p${at}` })) }
  assert.is((await apply({ ...many, labs: Array.from({ length: 30 }, (_, at) => `lab-${at}`) })).status, 400)
})

test('templates are kept, and what began with one stays when it goes', async () => {
  const names = async () =>
    (await as<{ items: PermissionTemplate[] }>(admin, 'GET', '/api/v1/permission-templates')).body.items.map(
      ({ id }) => id,
    )
  assert.equal(await names(), ['class', 'staff', 'try-out'])
  const { gives } = (await list())[0] as Permission
  const saved = await as(admin, 'PUT', '/api/v1/permission-templates/short', {
    title: 'Short',
    gives: { ...gives, sessionS: 60 },
  })
  assert.is(saved.status, 200)
  const made = await give({ subject: { kind: 'everyone' }, template: 'short' })
  assert.is((await as(admin, 'DELETE', '/api/v1/permission-templates/short')).status, 204)
  assert.is((await as(admin, 'DELETE', '/api/v1/permission-templates/short')).status, 404)
  assert.is((await as<Permission>(admin, 'GET', `/api/v1/permissions/${made.id}`)).body.gives.sessionS, 60)
})

test('students read only what holds for them; who closes the account leaves no permission', async () => {
  assert.is((await as(pupil, 'GET', '/api/v1/permissions')).status, 403)
  assert.is((await as(pupil, 'POST', '/api/v1/permissions', { subject: { kind: 'everyone' } })).status, 403)
  const teacher = await hub.person('instructor', ['read', 'admin'])
  assert.is((await list('', teacher)).length, 1)
  assert.is((await as(teacher, 'DELETE', '/api/v1/permissions/everyone')).status, 403)
  assert.is((await as(pupil, 'GET', '/api/v1/labs/none/permission')).status, 404)
  const unlimited = await mine(admin)
  assert.equal([unlimited.unlimited, unlimited.gives.mostOpen, unlimited.permissions], [true, null, []])
})

test.run()
