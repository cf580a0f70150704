/** Whoever has a live session calls the parts of its bench straight at the node, for as long as it lasts. */

import { connect } from '@fernlab/shared/clients/typescript/node'
import type { DirectoryEntry, GivenServiceToken } from '@fernlab/shared/contracts/directory'
import type { Session } from '@fernlab/shared/contracts/sessions'
import type { Peer } from '@fernlab/shared/rpc/peer/peer'
import * as assert from 'uvu/assert'
import { rejection } from '../../contract/driver-contract.ts'
import { ended, overNetwork } from '../../support/edge/service-clients.ts'
import { suite } from '../../support/suite.ts'
import { smallLab, startTestHub, type TestHub, until as waitFor } from './hub-with-node.ts'
import { newPerson, type TestPerson } from './session-people.ts'

const test = suite('services in a live session', { timeoutMs: 120_000 })
const SESSION = `
session:
  seconds: 600
  cleanUp: [{ set: { box.value: 2 } }]
limits:
  box.value: { low: 0, high: 10 }
`
const part = 'b-1.box'
let lab: TestHub
let ada: TestPerson
const peers: Peer[] = []

const until = (condition: () => boolean | Promise<boolean>, what: string) => waitFor(condition, what, 60_000)
const tokenOf = (who: TestPerson, session?: string, services = [part]) =>
  who.ask('POST', '/api/v1/directory/tokens', {
    services,
    ...(session === undefined ? {} : { lease: `session/${session}` }),
  })
const go = async (given: { body: unknown }) => {
  const { token, addresses } = given.body as GivenServiceToken
  const peer = await overNetwork(addresses[0] ?? '', token)
  peers.push(peer)
  return peer
}
const set = (peer: Peer, value: number) => peer.call(`${part}/signals.set`, { signal: 'value', value })
const numberOf = (readings: unknown) => (readings as { value: { value: number } }).value.value
const read = async (peer: Peer) => numberOf(await peer.call(`${part}/signals.read`, { signals: ['value'] }))
const codeOf = ({ status, body }: { status: number; body: unknown }) => [status, (body as { code?: string }).code]

test.before(async () => {
  lab = await startTestHub()
  const files = smallLab.map(({ path, text }) => ({ path, text: path === 'lab.yaml' ? `${text}${SESSION}` : text }))
  assert.is((await lab.call('/api/v1/labs/small', { method: 'PUT', json: { files } })).ok, true)
  await lab.node('real', { services: { listen: { host: '127.0.0.1', port: 0 } } })
  ada = await newPerson(lab)
  await until(async () => {
    const { items } = (await ada.ask('GET', `/api/v1/directory?name=${part}`)).body as { items: DirectoryEntry[] }
    return items[0]?.state === 'up'
  }, 'the service in the directory')
})
test.after.each(async () => {
  for (const peer of peers.splice(0)) await peer.close()
})
test.after(() => lab.close())

const begin = async (who: TestPerson): Promise<Session> => {
  const { id } = (await who.ask('POST', '/api/v1/sessions', { lab: 'small' })).body as Session
  const get = async () => (await who.ask('GET', `/api/v1/sessions/${id}`)).body as Session
  await until(async () => (await get()).state === 'active', 'the session is active')
  return await get()
}

test('the student who has the session drives its bench within its limits until it ends, and nobody else does', async () => {
  const session = await begin(ada)
  const given = await tokenOf(ada, session.id)
  assert.is(given.status, 201, JSON.stringify(given.body))
  assert.equal((given.body as GivenServiceToken).rights, ['read', 'use'])
  const mine = await go(given)
  await set(mine, 7)
  assert.is(await read(mine), 7)
  assert.is((await rejection(set(mine, 11))).code, 'value-out-of-limits')
  const values = mine.stream(`${part}/signals.follow`, { signals: ['value'], rateHz: 50 })
  for (let taken = 0; taken < 3; taken++) assert.is(numberOf((await values.next()).value), 7)

  const ben = await newPerson(lab)
  assert.equal(codeOf(await tokenOf(ben, session.id)), [409, 'session-not-active'])
  const other = await go(await tokenOf(ben))
  assert.is((await rejection(set(other, 1))).code, 'right-missing')
  assert.is((await rejection(read(other))).code, 'bench-busy')

  const over = ended(mine)
  assert.is((await ada.ask('DELETE', `/api/v1/sessions/${session.id}`)).status, 200)
  assert.match(await over, /hold-ended|token-revoked/)
  assert.match((await rejection(go(given))).message, /the session on bench b-1 has ended|revoked/)
  assert.equal(codeOf(await tokenOf(ada, session.id)), [409, 'session-not-active'])
  assert.is((await rejection(set(await go(await tokenOf(ada)), 1))).code, 'right-missing')

  // What was done straight is in the session's rows, as what is done on its page; what was only read is not.
  const rows = (await ada.ask('GET', `/api/v1/runs/${session.id}/data.json?stream=commands`)).body
  const text = JSON.stringify(rows)
  assert.match(text, new RegExp(ada.id))
  assert.match(text, /box\.value/)
  assert.not.match(text, /"read"/)
})

test('the TypeScript client has the bench by a session, and loses it with that', async () => {
  const { id } = await begin(ada)
  const token = ada.bearer.authorization.slice('Bearer '.length)
  await using client = connect({ hub: lab.hub.httpUrl, token })
  const box = await client.service(part)
  const lock = await client.lock([part], { session: id })
  await box.set('value', 5)
  assert.is(numberOf(await box.read(['value'])), 5)
  const lost = new Promise((resolve) => lock.lost.addEventListener('abort', resolve))
  assert.is((await ada.ask('DELETE', `/api/v1/sessions/${id}`)).status, 200)
  await lost
  assert.match((lock.lost.reason as { code: string }).code, /hold-ended|session-not-active/)
  assert.is((await rejection(box.set('value', 6))).code, 'right-missing')
  await lock.release()
})

test.run()
