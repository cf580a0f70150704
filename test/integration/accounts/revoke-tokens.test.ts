import type { PersonInfo } from '@fernlab/shared/contracts/api'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'
import { type ServedHub, serveHub } from '../api/served-hub.ts'

const test = suite('revoking all tokens over the API', { timeoutMs: 60_000 })
let hub: ServedHub

test.before.each(async () => {
  hub = await serveHub({})
})
test.after.each(() => hub.close())

const post = async (path: string, headers: Record<string, string>) =>
  (await hub.json('POST', path, undefined, headers)).status
const works = async (headers: Record<string, string>) =>
  (await hub.json('GET', '/api/v1/me', undefined, headers)).status === 200

test('people revoke their own, also the one that asks, and nobody else’s', async () => {
  const [student, other] = [await hub.person('student', ['admin']), await hub.person('student', ['admin'])]
  const { token } = await hub.accounts.createToken({ personId: student.person.id }, { name: 'more', scopes: ['read'] })
  const more = { authorization: `Bearer ${token}` }
  assert.is(await post('/api/v1/tokens/revoke-all', more), 403, 'a token that may only read')
  assert.is(await post('/api/v1/tokens/revoke-all', student.bearer), 204)
  assert.equal(await Promise.all([student.bearer, more, other.bearer].map(works)), [false, false, true])
})

test('an admin revokes those of somebody, and the list of people tells who has some', async () => {
  const [student, admin] = [await hub.person('student', ['admin']), await hub.person('admin', ['admin'])]
  const path = `/api/v1/users/${student.person.id}/revoke-tokens`
  const listed = async () => {
    const answer = await hub.json('GET', '/api/v1/users', undefined, admin.bearer)
    const { items } = (await answer.json()) as { items: PersonInfo[] }
    return items.find(({ id }) => id === student.person.id)?.tokens
  }
  assert.is(await listed(), true)
  assert.is(await post(path, student.bearer), 403)
  assert.is(await post('/api/v1/users/nobody/revoke-tokens', admin.bearer), 404)
  assert.is(await post(path, admin.bearer), 204)
  assert.is(await works(student.bearer), false)
  assert.is(await listed(), false)
})

test.run()
