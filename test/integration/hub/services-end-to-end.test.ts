/** A program goes to a node with a token of its hub, and leaves when what that stands on ends. */
import type { Bench } from '@fernlab/shared/contracts/api'
import type { DirectoryEntry, GivenServiceToken } from '@fernlab/shared/contracts/directory'
import type { Peer } from '@fernlab/shared/rpc/peer/peer'
import * as assert from 'uvu/assert'
import { rejection } from '../../contract/driver-contract.ts'
import { ended, overNetwork } from '../../support/edge/service-clients.ts'
import { suite } from '../../support/suite.ts'
import { startTestHub, type TestHub, until as waitFor } from './hub-with-node.ts'
import { newPerson, type TestPerson } from './session-people.ts'

const test = suite('from a hub’s token to a node’s services', { timeoutMs: 120_000 })
let lab: TestHub
let staff: TestPerson
const peers: Peer[] = []
const part = 'b-1.box'

const until = (condition: () => boolean | Promise<boolean>, what: string) => waitFor(condition, what, 60_000)
const entry = async (who = staff) => {
  const { items } = (await who.ask('GET', `/api/v1/directory?name=${part}`)).body as { items: DirectoryEntry[] }
  return items[0]
}
const bench = async () => (await staff.ask('GET', '/api/v1/benches/real.b-1')).body as Bench
const take = async (who = staff) => {
  const { status, body } = await who.ask('POST', '/api/v1/benches/real.b-1/lease', { ttlS: 3600 })
  assert.is(status, 200, JSON.stringify(body))
  return (body as { lease: string }).lease
}
/** Asks the hub, and signs in at the address that it tells. */
const goTo = async (who: TestPerson, { lease, graceS = 10 }: { lease?: string; graceS?: number } = {}) => {
  const body = { services: [part], ...(lease === undefined ? {} : { lease }) }
  const answer = await who.ask('POST', '/api/v1/directory/tokens', body)
  assert.is(answer.status, 201, JSON.stringify(answer.body))
  const { token, addresses } = answer.body as GivenServiceToken
  const peer = await overNetwork(addresses[0] ?? '', token, graceS)
  peers.push(peer)
  return peer
}
const set = (peer: Peer, value: number) => peer.call(`${part}/signals.set`, { signal: 'value', value })
const read = (peer: Peer) => peer.call(`${part}/signals.read`, { signals: ['value'] })

test.before(async () => {
  lab = await startTestHub()
  staff = await newPerson(lab, 'instructor')
  await lab.node('real', { services: { listen: { host: '127.0.0.1', port: 0 } } })
  await until(async () => (await entry())?.state === 'up', 'the service in the directory')
})
test.after.each(async () => {
  for (const peer of peers.splice(0)) await peer.close()
})
test.after(() => lab.close())

test('who has the bench sets, who has not only reads, and the end of the lease ends the link', async () => {
  const lease = await take()
  const mine = await goTo(staff, { lease })
  await set(mine, 3)
  assert.match(JSON.stringify(await read(mine)), '"value":3')
  await until(async () => (await entry())?.lockedBy?.mine === true, 'the lock in the directory')
  const student = await newPerson(lab)
  assert.is((await rejection(set(await goTo(student), 4))).code, 'right-missing')
  const over = ended(mine)
  assert.is((await staff.ask('DELETE', '/api/v1/benches/real.b-1/lease')).status, 200)
  await over
  await until(async () => (await entry())?.state === 'up', 'the end of the lock')
  assert.match(JSON.stringify(await read(await goTo(student))), '"value":0', 'it went to its safe state')
})

test('a hold whose link is gone is over at the node, and the hub gives the bench to others', async () => {
  const lease = await take()
  const mine = await goTo(staff, { lease, graceS: 0 })
  await set(mine, 2)
  await mine.close()
  await until(async () => (await bench()).state === 'free', 'the bench being free')
  const colleague = await newPerson(lab, 'instructor')
  await take(colleague)
  assert.is((await colleague.ask('DELETE', '/api/v1/benches/real.b-1/lease')).status, 200)
  const uses = (await (await lab.call('/api/v1/usage/direct?limit=10')).json()) as { items: { ended?: string }[] }
  assert.equal(
    uses.items.map(({ ended }) => ended),
    ['released', 'expired', 'released'],
  )
})

test('who is suspended is gone from the node', async () => {
  const colleague = await newPerson(lab, 'instructor')
  const link = await goTo(colleague)
  await read(link)
  const over = ended(link)
  const from = performance.now()
  await lab.call(`/api/v1/users/${colleague.id}/suspend`, { method: 'POST' })
  await over
  const tookMs = performance.now() - from
  assert.ok(tookMs < 5000, `the link ended ${tookMs} ms later`)
})

test.run()
