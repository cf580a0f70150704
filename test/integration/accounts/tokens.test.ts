import { newPerson } from '@fernlab/hub/accounts/new-person'
import { createTokens, type Tokens } from '@fernlab/hub/accounts/tokens'
import type { Store } from '@fernlab/hub/store/store'
import { ManualClock } from '@fernlab/shared/primitives/clock'
import { silentLog } from '@fernlab/shared/primitives/log'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'
import { temporaryStore } from '../results/stored-run.ts'

const test = suite('API tokens: what is remembered of them, and for how long')
let folder: Awaited<ReturnType<typeof temporaryStore>>
let store: Store
let clock: ManualClock
let tokens: Tokens
let reads = 0
let personId = ''

test.before.each(async () => {
  folder = await temporaryStore()
  // Counts look-ups.
  const counting = new Proxy(folder.store.db, {
    get: (db, name) => {
      if (name === 'selectFrom') reads++
      const value = Reflect.get(db, name)
      return typeof value === 'function' ? value.bind(db) : value
    },
  })
  store = { ...folder.store, db: counting }
  clock = new ManualClock()
  const { person, inserts } = newPerson({ store, clock, name: 'A', email: 'a@b.example', role: 'builder' })
  await store.write(inserts)
  personId = person.id
  tokens = createTokens({ store, clock, log: silentLog })
  reads = 0
})
test.after.each(async () => {
  await tokens.close()
  await folder.close()
})

const named = { name: 't', scopes: ['read'] }
const make = (expiresInDays?: number) => tokens.create(personId, { ...named, expiresInDays })

test('a token is looked up once a second, however often it comes', async () => {
  const { token } = await make()
  for (let i = 0; i < 20; i++) assert.is((await tokens.verify(token))?.personId, personId)
  assert.is(reads, 1)
  await clock.advance(1000)
  assert.ok(await tokens.verify(token))
  assert.is(reads, 2)
})

test('a revocation here takes effect at once, also on a look-up under way', async () => {
  const { id, token } = await make()
  assert.ok(await tokens.verify(token))
  assert.is(await tokens.revoke(personId, id), true)
  assert.is(await tokens.verify(token), undefined)

  const other = await make()
  const underWay = tokens.verify(other.token)
  const revoked = tokens.revoke(personId, other.id)
  await Promise.all([underWay, revoked])
  assert.is(await tokens.verify(other.token), undefined, 'what was read before is not remembered')
})

test('all tokens of a person end in one write, at once, and each is told', async () => {
  const { person: other, inserts } = newPerson({ store, clock, name: 'B', email: 'b@b.example', role: 'admin' })
  await store.write(inserts)
  const [ended, first, second, foreign] = [
    await make(),
    await make(),
    await make(1),
    await tokens.create(other.id, named),
  ]
  assert.is(await tokens.revoke(personId, ended.id), true)
  await clock.advance(10)
  const told: string[] = []
  tokens.onRevoked((id, of) => told.push(`${id} ${of}`))
  assert.ok(await tokens.verify(first.token))
  await tokens.revokeAll({ personId: other.id }, personId)
  assert.is(await tokens.verify(first.token), undefined)
  assert.is(await tokens.verify(second.token), undefined)
  assert.ok(await tokens.verify(foreign.token))
  assert.equal(told.sort(), [`${first.id} ${personId}`, `${second.id} ${personId}`].sort())
  const entries = await store.db.selectFrom('audit').selectAll().where('action', '=', 'token.revoked-all').execute()
  assert.equal(
    entries.map(({ person_id, subject }) => [person_id, subject]),
    [[other.id, personId]],
  )
})

test('what another process changes takes effect within a second', async () => {
  const { id, token } = await make()
  assert.is((await tokens.verify(token))?.role, 'builder')
  await store.write([store.db.updateTable('person').set({ role: 'student' }).where('id', '=', personId)])
  await clock.advance(1000)
  assert.is((await tokens.verify(token))?.role, 'student')
  await store.write([store.db.updateTable('token').set({ revoked_at: clock.now() }).where('id', '=', id)])
  await clock.advance(1000)
  assert.is(await tokens.verify(token), undefined)
})

test('a remembered token ends at its expiry, not a second later', async () => {
  const { token } = await make(1)
  await clock.advance(86_400_000 - 1)
  assert.ok(await tokens.verify(token))
  await clock.advance(1)
  assert.is(await tokens.verify(token), undefined)
})

test('another admin token from the settings ends the one before at once', async () => {
  await tokens.establish(personId, 'settings', 'first-token-of-32-characters-or-more')
  assert.ok(await tokens.verify('first-token-of-32-characters-or-more'))
  await tokens.establish(personId, 'settings', 'second-token-of-32-characters-or-more')
  assert.is(await tokens.verify('first-token-of-32-characters-or-more'), undefined)
  assert.ok(await tokens.verify('second-token-of-32-characters-or-more'))
})

test.run()
