/** From the hub's directory straight to the node: found, taken, set and followed, also while the hub is away. */
import type { Bench } from '@fernlab/shared/contracts/api'
import type { AuditEntry } from '@fernlab/shared/contracts/audit'
import type { DirectoryEntry, GivenServiceToken } from '@fernlab/shared/contracts/directory'
import { connectWebSocket } from '@fernlab/shared/links/websocket/websocket-link'
import { systemClock } from '@fernlab/shared/primitives/clock'
import { cborFormat } from '@fernlab/shared/rpc/cbor-format'
import { createPeer, type Peer, SIGN_IN } from '@fernlab/shared/rpc/peer/peer'
import * as assert from 'uvu/assert'
import { rejection } from '../../contract/driver-contract.ts'
import { ended, overNetwork } from '../../support/edge/service-clients.ts'
import { suite } from '../../support/suite.ts'
import { startTestHub, type TestHub, until } from './hub-with-node.ts'
import { newPerson, type TestPerson } from './session-people.ts'

const test = suite('services straight at their node', { timeoutMs: 60_000 })
let lab: TestHub

test.before(async () => {
  lab = await startTestHub()
  await lab.node('bay', { limits: { 'box.value': { high: 5 } }, services: { listen: { host: '127.0.0.1', port: 0 } } })
})
test.after(() => lab.close())

const entryFor = async (person: TestPerson) => {
  const { items } = (await person.ask('GET', '/api/v1/directory?name=b-1.box')).body as { items: DirectoryEntry[] }
  return items[0]
}

async function byHub(person: TestPerson, token: string): Promise<Peer> {
  const link = await connectWebSocket({
    url: `${lab.hub.httpUrl.replace('http', 'ws')}/api/v1/nodes/bay/services`,
    headers: person.bearer,
    format: cborFormat,
    clock: systemClock,
    signal: new AbortController().signal,
  })
  const peer = createPeer({ link, clock: systemClock })
  await peer.call(SIGN_IN, { token })
  return peer
}

test('who has a bench sets it straight at the node, goes on while the hub is away, and is left when it is given back', async () => {
  const staff = await newPerson(lab, 'instructor')
  const found = () => entryFor(staff)
  await until(async () => (await found())?.state === 'up', 'the service being in the directory')
  const { lease } = (await staff.ask('POST', '/api/v1/benches/bay.b-1/lease', { ttlS: 600 })).body as { lease: string }
  const ask = await staff.ask('POST', '/api/v1/directory/tokens', { services: ['b-1.box'], lease })
  const { token, addresses } = ask.body as GivenServiceToken
  assert.equal(addresses, (await found())?.addresses)
  const holder = await overNetwork(addresses[0] ?? '', token)
  const set = (value: number) => holder.call('b-1.box/signals.set', { signal: 'value', value })
  await set(4)
  assert.match((await rejection(set(6))).message, /6( 1)? is above the limit of 5/)
  await until(async () => (await found())?.lockedBy?.mine === true, 'the directory saying who has it')
  const values = holder.stream('b-1.box/signals.follow', { signals: ['value'], rateHz: 50 })
  const next = async () => ((await values.next()).value as { value: { value: number } }).value.value
  assert.is(await next(), 4)
  await lab.hub.close()
  await set(3)
  for (let taken = 0; taken < 200; taken++) await next()
  assert.is(await next(), 3)
  // Another hub on the same folder knows the hold, and ends it.
  await lab.restart()
  const over = ended(holder)
  await until(
    async () => (await staff.ask('DELETE', '/api/v1/benches/bay.b-1/lease')).status < 300,
    'the bench being given back',
    30_000,
  )
  assert.match(await over, /hold-ended|token-revoked/)
})

test('who may maintain benches ends the hold of another with a reason, and cuts who uses it at the node', async () => {
  const owner = await newPerson(lab, 'instructor')
  const other = await newPerson(lab, 'instructor')
  const lease = '/api/v1/benches/bay.b-1/lease'
  const why = `${lease}?reason=${encodeURIComponent('left over night')}`
  const end = async (path: string) => {
    const answer = await lab.call(path, { method: 'DELETE' })
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown> }
  }
  await until(async () => (await end(why)).status === 404, 'nobody having the bench')
  const taken = (await owner.ask('POST', lease, { ttlS: 600 })).body as { lease: string }
  const asked = await owner.ask('POST', '/api/v1/directory/tokens', { services: ['b-1.box'], lease: taken.lease })
  const { token, addresses } = asked.body as GivenServiceToken
  const holder = await overNetwork(addresses[0] ?? '', token)
  await holder.call('b-1.box/signals.set', { signal: 'value', value: 2 })

  assert.is((await end(lease)).status, 404, 'not without a reason')
  assert.is((await end(`${lease}?reason=`)).status, 400)
  // A token that may drive benches, and not maintain them.
  const refused = await other.ask('DELETE', why)
  assert.equal([refused.status, (refused.body as { code: string }).code], [403, 'scope-missing'])
  const student = await newPerson(lab, 'student', ['read', 'run'])
  assert.is((await student.ask('DELETE', why)).status, 403)
  // Who builds labs maintains benches, and drives none.
  const builder = await newPerson(lab, 'builder', ['builder'])
  assert.is((await builder.ask('DELETE', `${lease}?lease=${taken.lease}`)).status, 403)
  assert.is((await builder.ask('DELETE', lease)).status, 404)
  await holder.call('b-1.box/signals.set', { signal: 'value', value: 3 })

  const over = ended(holder)
  const overByHub = ended(await byHub(owner, token))
  const begun = performance.now()
  assert.equal(await end(why), { status: 200, body: { safe: true } })
  assert.match(await over, /hold-ended: the hold of bench b-1 was ended by .+: left over night/)
  assert.is(await overByHub, await over, 'the same by way of the hub')
  assert.ok(performance.now() - begun < 5000, 'within 5 s')
  assert.is((await end(why)).status, 404, 'it has ended already')
  // Whoever had it is told who and why, whatever they ask, also by another hub on the same folder; others are not.
  const me = (await (await lab.call('/api/v1/me')).json()) as { name: string }
  const told = { why: 'ended-by-other', by: me.name, reason: 'left over night' }
  const asks = [
    ['POST', lease, { ttlS: 60, lease: taken.lease }],
    ['POST', '/api/v1/benches/bay.b-1/exchange', { lease: taken.lease, read: ['box.value'] }],
    ['POST', '/api/v1/directory/tokens', { services: ['b-1.box'], lease: taken.lease }],
  ] as const
  const refusals = async (person: typeof owner) => {
    const answers = []
    for (const [method, path, body] of asks)
      answers.push((await person.ask(method, path, body)).body as { code: string; details?: object })
    return answers.map(({ code, details }) => [code, details])
  }
  assert.equal(await refusals(owner), Array(3).fill(['lease-ended', told]))
  assert.equal(await refusals(other), Array(3).fill(['lease-ended', undefined]))
  await lab.restart()
  assert.equal((await refusals(owner))[2], ['lease-ended', told])
  await until(async () => (await entryFor(owner))?.state === 'up', 'its services being there again')
  assert.is((await owner.ask('POST', lease, { ttlS: 60 })).status, 200)
  assert.equal(await builder.ask('DELETE', why), { status: 200, body: { safe: true } })
  const { items } = (await (await lab.call('/api/v1/audit?limit=20')).json()) as { items: AuditEntry[] }
  const entry = items.find(({ action, detail }) => action === 'bench.released' && detail.lease === taken.lease)
  assert.equal(entry?.detail, { holder: owner.id, lease: taken.lease, reason: 'left over night' })
})

test('whoever says which hold is meant ends that, however its time is written, and no other of their own', async () => {
  const owner = await newPerson(lab, 'instructor')
  const bench = '/api/v1/benches/bay.b-1'
  const taken = (await owner.ask('POST', `${bench}/lease`, { ttlS: 600 })).body as { lease: string }
  const { leasedSince = '' } = (await owner.ask('GET', bench)).body as Bench
  const ending = (since: string, more = '') => owner.ask('DELETE', `${bench}/lease?since=${since}${more}`)
  const before = new Date(Date.parse(leasedSince) - 1).toISOString()
  for (const more of ['', '&reason=another', `&lease=${taken.lease}`]) {
    const { status, body } = await ending(before, more)
    const { code, details } = body as { code: string; details: { since: string; mine: boolean } }
    assert.equal([status, code, details.since, details.mine], [409, 'hold-changed', leasedSince, true], more)
  }
  assert.is((await owner.ask('POST', `${bench}/lease`, { ttlS: 600, lease: taken.lease })).status, 200)
  assert.is((await ending(leasedSince.replace('Z', '000Z'))).status, 200)
  assert.is((await ending(leasedSince)).status, 404)
})

test.run()
