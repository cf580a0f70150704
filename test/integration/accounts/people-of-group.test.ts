import type { PersonInfo } from '@fernlab/shared/contracts/api'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'
import { type ServedHub, serveHub } from '../api/served-hub.ts'

const test = suite('people by group', { timeoutMs: 60_000 })
let hub: ServedHub

test.before(async () => {
  hub = await serveHub()
})
test.after(() => hub.close())

test('the list of people is narrowed to a group with all within it, and to a role, page by page', async () => {
  const { bearer, person } = await hub.person('admin', ['admin'])
  const [inner, outer, other] = [
    await hub.person('student', ['read']),
    await hub.person('student', ['read']),
    await hub.person('student', ['read']),
  ]
  const caller = { personId: person.id, ...person, scopes: ['admin'], via: 'token' as const }
  await hub.groups.create(caller, { id: 'school', name: 'School', kind: 'group' })
  await hub.groups.create(caller, { id: 'optics', name: 'Optics', kind: 'course', within: 'school' })
  const members = (group: string, id: string) =>
    hub.store.write([
      hub.store.db.insertInto('group_member').values({ group_id: group, person_id: id, role: 'member', added_at: 0 }),
    ])
  await members('optics', inner.person.id)
  await members('school', inner.person.id)
  await members('school', outer.person.id)
  const list = async (query: string) => {
    const answer = await hub.json('GET', `/api/v1/users?${query}`, undefined, bearer)
    assert.is(answer.status, 200)
    return (await answer.json()) as { items: PersonInfo[]; cursor?: string }
  }
  const ids = ({ items }: { items: PersonInfo[] }) => items.map(({ id }) => id)
  assert.equal(ids(await list('group=optics')), [inner.person.id])
  const both = [inner.person.id, outer.person.id].sort()
  assert.equal(ids(await list('group=school')), both)
  const first = await list('group=school&limit=1')
  assert.equal(ids(first), both.slice(0, 1))
  assert.equal(ids(await list(`group=school&limit=1&cursor=${first.cursor}`)), both.slice(1))
  assert.equal(ids(await list(`group=school&q=${other.person.email}`)), [])
  assert.ok(ids(await list('role=admin')).includes(person.id))
  assert.equal(ids(await list('role=instructor')), [])
  assert.equal(ids(await list('group=school&role=admin')), [])
  assert.equal(ids(await list('group=school&role=student')), both)
  const unknown = await hub.json('GET', '/api/v1/users?group=nowhere', undefined, bearer)
  assert.equal([unknown.status, ((await unknown.json()) as { code: string }).code], [404, 'group-unknown'])
})

test.run()
