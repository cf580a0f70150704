/** Tokens for services: who is given what, and that they end with what they stand on. */
import type { Caller } from '@fernlab/hub/accounts/caller'
import { rightsFor } from '@fernlab/hub/directory/rights'
import { openStore } from '@fernlab/hub/store/store'
import type { GivenServiceToken } from '@fernlab/shared/contracts/directory'
import { type ServiceToken, serviceTokenSchema } from '@fernlab/shared/contracts/services'
import { silentLog } from '@fernlab/shared/primitives/log'
import { importJWK, jwtVerify } from 'jose'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'
import { admin, startTestHub, type TestHub, until as waitFor } from './hub-with-node.ts'
import { aService, type ServingNode, startServingNode } from './services-of-nodes.ts'
import { newPerson, type TestPerson } from './session-people.ts'

const test = suite('tokens for services', { timeoutMs: 120_000 })
let lab: TestHub
let node: ServingNode
let other: ServingNode
let staff: TestPerson
let student: TestPerson

const until = (condition: () => boolean | Promise<boolean>, what: string) => waitFor(condition, what, 60_000)
const ask = (who: TestPerson, services: readonly string[], lease?: string) =>
  who.ask('POST', '/api/v1/directory/tokens', { services, ...(lease === undefined ? {} : { lease }) })
/** What was given, and what a node reads of it with nothing but the key that it was told. */
const given = async (who: TestPerson, services: readonly string[], lease?: string) => {
  const { status, body } = await ask(who, services, lease)
  assert.is(status, 201, JSON.stringify(body))
  return { ...(body as GivenServiceToken), claims: await read((body as GivenServiceToken).token) }
}
const read = async (token: string): Promise<ServiceToken> => {
  const [told] = (node.welcomes.at(-1)?.serviceKeys ?? []) as { kid: string; x: string }[]
  assert.ok(told, 'the node was told no key')
  const key = await importJWK({ kty: 'OKP', crv: 'Ed25519', x: told.x }, 'EdDSA')
  const { payload, protectedHeader } = await jwtVerify(token, key, { algorithms: ['EdDSA'] })
  assert.is(protectedHeader.kid, told.kid)
  return serviceTokenSchema.parse(payload)
}
const take = async (who: TestPerson) => {
  const { status, body } = await who.ask('POST', '/api/v1/benches/n.b/lease', { ttlS: 600 })
  assert.is(status, 200, JSON.stringify(body))
  return (body as { lease: string }).lease
}
const revoked = (of = node) =>
  of.called.filter(({ method }) => method === 'services.revoke').map(({ params }) => params)
const isRevoked = (id: string, of = node) => revoked(of).some(({ tokens }) => (tokens as string[]).includes(id))

test.before(async () => {
  lab = await startTestHub()
  staff = await newPerson(lab, 'instructor')
  student = await newPerson(lab)
  node = await startServingNode(lab, 'n')
  other = await startServingNode(lab, 'other')
  await node.tell([aService('b.psu', { bench: 'b' }), aService('b.dmm', { bench: 'b' }), aService('fit')])
  await other.tell([aService('fit')])
  await until(async () => {
    const { items } = (await staff.ask('GET', '/api/v1/directory')).body as { items: unknown[] }
    return items.length === 4
  }, 'the services')
})
test.after(async () => {
  await node.close()
  await other.close()
  await lab.close()
})

const roles = ['admin', 'instructor', 'builder', 'student', 'guest'] as const
const asks = { 'parts alone': [false, false], 'own services': [false, true], 'a hold': [true, false] } as const
const wanted: Record<(typeof roles)[number], Record<keyof typeof asks, string>> = {
  admin: { 'parts alone': 'read unlock', 'own services': 'read use lock unlock', 'a hold': 'read use unlock' },
  instructor: { 'parts alone': 'read unlock', 'own services': 'read use lock unlock', 'a hold': 'read use unlock' },
  builder: { 'parts alone': 'read unlock', 'own services': 'read unlock', 'a hold': 'read unlock' },
  student: { 'parts alone': 'read', 'own services': 'read', 'a hold': 'read' },
  guest: { 'parts alone': 'read', 'own services': 'read', 'a hold': 'read' },
}
for (const role of roles) {
  test(`a ${role} is given what they may do`, () => {
    for (const [what, [hold, own]] of Object.entries(asks)) {
      const may = rightsFor({ ...admin, role } as Caller, { hold, own }).join(' ')
      assert.is(may, wanted[role][what as keyof typeof asks], what)
      const reading = rightsFor({ ...admin, role, via: 'token', scopes: ['read'] } as Caller, { hold, own })
      assert.equal(reading, ['read'], `${what}, with a token that may read`)
    }
  })
}

test('a token names node, person, services and rights, and is read with the key of the welcome', async () => {
  const { claims, node: of, addresses, expiresAt, rights } = await given(student, ['b.psu', 'n/fit', 'n/b.psu'])
  assert.equal([of, addresses], ['n', ['ws://n.lab.example:8090/rpc']])
  const { iss, aud, sub, services, iat, exp, hold } = claims
  assert.equal([iss, aud, sub, services, hold], ['main', 'main/n', student.id, ['b.psu', 'fit'], undefined])
  assert.equal([rights, claims.rights], [['read'], ['read']])
  assert.is(exp * 1000, Date.parse(expiresAt))
  assert.ok(exp - iat <= 3600 && exp - iat > 3500, `${exp - iat} s`)
})

test('an own lease is in the token; nobody else’s, and none that has ended', async () => {
  const lease = await take(staff)
  const { claims } = await given(staff, ['b.psu'], lease)
  assert.equal([claims.hold, claims.rights], [{ bench: 'b', lease }, ['read', 'use']])
  const colleague = await newPerson(lab, 'instructor')
  for (const [who, services] of [
    [colleague, ['b.psu']],
    [student, ['b.psu']],
    [staff, ['other/fit']],
  ] as const) {
    const refused = await ask(who, services, lease)
    assert.equal([refused.status, (refused.body as { code: string }).code], [409, 'lease-ended'])
  }
  await staff.ask('DELETE', '/api/v1/benches/n.b/lease')
  assert.is((await ask(staff, ['b.psu'], lease)).status, 409)
  await until(() => isRevoked(claims.jti), 'the end of the token')
  assert.ok(revoked().some(({ holds }) => JSON.stringify(holds) === JSON.stringify([lease])))
  const page = (await (await lab.call('/api/v1/audit?limit=50')).json()) as {
    items: { action: string; subject: string }[]
  }
  assert.ok(page.items.some(({ action, subject }) => action === 'services.token' && subject === 'n'))
})

test('a lease that its node has ended is over when it is to be renewed, and its tokens with it', async () => {
  const third = await startServingNode(lab, 'third')
  await third.tell([aService('b.lamp', { bench: 'b' })])
  const asked = await staff.ask('POST', '/api/v1/benches/third.b/lease', { ttlS: 600 })
  const { lease } = asked.body as { lease: string }
  await until(async () => (await staff.ask('GET', '/api/v1/directory/third/b.lamp')).status === 200, 'the service')
  const { claims } = await given(staff, ['b.lamp'], lease)
  third.forgetLeases()
  const renewal = await staff.ask('POST', '/api/v1/benches/third.b/lease', { ttlS: 600, lease })
  assert.equal([renewal.status, (renewal.body as { code: string }).code], [409, 'lease-invalid'])
  const { state } = (await staff.ask('GET', '/api/v1/benches/third.b')).body as { state: string }
  assert.is(state, 'free')
  await until(() => isRevoked(claims.jti, third), 'the end of the token')
  await third.close()
})

test('a whole bench is asked for by its name', async () => {
  const { claims } = await given(student, ['n/b.*', 'b.psu'])
  assert.equal([...claims.services].sort(), ['b.dmm', 'b.psu'])
  // Another node had a bench of that name.
  const { status, body } = await ask(student, ['b.*'])
  assert.equal([status, (body as { code: string }).code], [409, 'service-ambiguous'])
})

test('what does not fit is refused, and nothing is given', async () => {
  for (const [services, status, code] of [
    [['nobody'], 404, 'service-unknown'],
    [['fit'], 409, 'service-ambiguous'],
    [['n/fit', 'other/fit'], 422, 'services-apart'],
    [[], 400, 'request-invalid'],
    [['*'], 400, 'request-invalid'],
    [['nothing.*'], 404, 'service-unknown'],
    [['n/nothing.*'], 404, 'service-unknown'],
    [['*.lamp'], 400, 'request-invalid'],
    [['n/../fit'], 400, 'request-invalid'],
    [['a'.repeat(10_000)], 400, 'request-invalid'],
    [Array.from({ length: 101 }, () => 'n/fit'), 400, 'request-invalid'],
  ] as const) {
    const { status: found, body } = await ask(staff, services)
    assert.equal([found, (body as { code: string }).code], [status, code], JSON.stringify(services).slice(0, 60))
  }
})

test('a token ends with the API token by which it was asked for, and with another role, and with its person', async () => {
  const one = await newPerson(lab, 'instructor')
  const kept = await given(staff, ['n/fit'])
  const first = await given(one, ['n/fit'])
  assert.equal(first.rights, ['read', 'use', 'lock'])
  const { items } = (await one.ask('GET', '/api/v1/tokens')).body as { items: { id: string }[] }
  const end = await fetch(`${lab.hub.httpUrl}/api/v1/tokens/${items[0]?.id}`, {
    method: 'DELETE',
    headers: one.browser,
  })
  assert.is(end.status, 204)
  await until(() => isRevoked(first.claims.jti), 'the end of the first')

  const two = await newPerson(lab, 'instructor')
  const second = await given(two, ['n/fit'])
  const changed = await lab.call(`/api/v1/users/${two.id}`, { method: 'PUT', json: { role: 'student' } })
  assert.ok(changed.ok, await changed.text())
  await until(() => isRevoked(second.claims.jti), 'the end of the second')
  const reading = await given(two, ['n/fit'])
  assert.equal(reading.rights, ['read'])

  const suspended = await lab.call(`/api/v1/users/${two.id}/suspend`, { method: 'POST' })
  assert.ok(suspended.ok, await suspended.text())
  await until(() => isRevoked(reading.claims.jti), 'the end of the third')
  assert.not(isRevoked(kept.claims.jti))
})

test('a node that was away is told when it is back, also by a hub that was started again, and knows the same key', async () => {
  const one = await newPerson(lab, 'instructor')
  const away = await given(one, ['other/fit'])
  const [before] = node.welcomes.at(-1)?.serviceKeys ?? []
  await other.leave()
  await until(async () => {
    const { state } = (await staff.ask('GET', '/api/v1/directory/other/fit')).body as { state: string }
    return state === 'gone'
  }, 'the node being away')
  const { goneSince } = (await ask(one, ['other/fit'])).body as { goneSince?: string }
  assert.ok(Math.abs(Date.parse(goneSince ?? '') - Date.now()) < 60_000, goneSince)
  assert.not.ok('goneSince' in ((await ask(one, ['n/fit'])).body as object), 'that one is there')
  await lab.call(`/api/v1/users/${one.id}/suspend`, { method: 'POST' })
  await node.leave()
  await lab.restart()
  await other.comeBack()
  const { serviceKeys } = await other.greet()
  await until(() => isRevoked(away.claims.jti, other), 'the end of the token')
  assert.equal(serviceKeys, [before])
  const store = await openStore({ url: lab.config.databaseUrl, log: silentLog })
  const kept = await store.db.selectFrom('setting').select('value').where('name', '=', 'services.key').execute()
  await store.close()
  assert.is(kept.length, 1)
  assert.equal(Object.keys(JSON.parse(kept[0]?.value ?? '{}')), ['kid', 'x', 'sealed'])
})

test.run()
