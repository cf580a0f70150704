/** The directory of a hub, over what its nodes tell. */

import type { DirectoryEntry, DirectoryService } from '@fernlab/shared/contracts/directory'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'
import { startTestHub, type TestHub, until as waitFor } from './hub-with-node.ts'
import { aService, type ServingNode, startServingNode } from './services-of-nodes.ts'
import { newPerson, type TestPerson } from './session-people.ts'

const test = suite('the directory of services', { timeoutMs: 120_000 })
let lab: TestHub
let one: ServingNode
let two: ServingNode
let staff: TestPerson
let student: TestPerson

const until = (condition: () => Promise<boolean>, what: string) => waitFor(condition, what, 60_000)
const list = async (query = '', who = staff) =>
  ((await who.ask('GET', `/api/v1/directory${query}`)).body as { items: DirectoryEntry[] }).items
const entry = async (id: string, who = staff) => (await list('?limit=200', who)).find((each) => each.id === id)
const stateOf = async (id: string) => (await entry(id))?.state

const parts = [
  aService('b.psu', { bench: 'b', tags: ['supply', 'dc'], description: 'A supply' }),
  aService('b.scope', { bench: 'b', tags: ['scope'] }),
  aService('fit', { daemon: 'maths', tags: ['maths'], metadata: { maker: 'us' } }),
]
/** Locks at the node that somebody has ended for another, as it tells of them and as the audit log has them. */
const ended = (id: string) => ({
  id,
  target: 'service fit',
  owner: 'ada',
  by: staff.id,
  reason: 'it hangs',
  at: new Date(0).toISOString(),
})
const tellEnded = (...ids: string[]) =>
  one.send('services', { addresses: [], services: parts, endedLocks: ids.map((id) => ended(id)) })
const written = async () => {
  const { items } = (await (await lab.call('/api/v1/audit?action=services.lock-ended')).json()) as {
    items: { subject: string; detail: { id: string; by: string; reason: string } }[]
  }
  return items.map(
    ({ subject, detail }) => `${subject} ${detail.id} ${detail.by === staff.id && detail.reason === 'it hangs'}`,
  )
}

test.before(async () => {
  lab = await startTestHub()
  staff = await newPerson(lab, 'instructor')
  student = await newPerson(lab)
  one = await startServingNode(lab, 'one')
  two = await startServingNode(lab, 'two')
  await one.tell(parts)
  await two.tell([aService('b.psu', { bench: 'b', tags: ['supply', 'ac'] })])
  await until(async () => (await list()).length === 4, 'the services')
})
test.after(async () => {
  await one.close()
  await two.close()
  await lab.close()
})

test('an entry says where a service is and how it stands', async () => {
  const found = await entry('one/b.psu')
  assert.ok(found !== undefined && !Number.isNaN(Date.parse(found.lastSeen)))
  assert.equal(
    { ...found, lastSeen: '' },
    {
      id: 'one/b.psu',
      name: 'b.psu',
      node: 'one',
      site: 'main',
      address: 'fernlab://main/one/b.psu',
      bench: 'one.b',
      state: 'up',
      addresses: ['ws://one.lab.example:8090/rpc'],
      description: 'A supply',
      tags: ['supply', 'dc'],
      metadata: {},
      kind: 'supply',
      version: '1.0',
      lastSeen: '',
    },
  )
})

test('a search is by name, tags and state, page by page', async () => {
  const ids = async (query: string) => (await list(query)).map(({ id }) => id)
  assert.equal(await ids('?tag=supply&tag=dc'), ['one/b.psu'])
  assert.equal(await ids('?anyTag=ac&anyTag=maths'), ['one/fit', 'two/b.psu'])
  assert.equal(await ids('?pattern=*.s*'), ['one/b.scope'])
  const first = (await staff.ask('GET', '/api/v1/directory?limit=3')).body as { items: unknown[]; cursor: string }
  assert.is(first.items.length, 3)
  assert.equal(await ids(`?limit=3&cursor=${first.cursor}`), ['two/b.psu'])
  for (const query of ['state=nowhere', `pattern=${'*'.repeat(300)}`, 'tag=', 'name=']) {
    assert.is((await staff.ask('GET', `/api/v1/directory?${query}`)).status, 400, query)
  }
})

test('one service is shown with its contract; a name of two nodes needs its node', async () => {
  const found = await staff.ask('GET', '/api/v1/directory/fit')
  assert.equal((found.body as DirectoryService).contract, parts[2]?.contract)
  assert.equal((found.body as DirectoryService).metadata, { maker: 'us' })
  const both = await staff.ask('GET', '/api/v1/directory/b.psu')
  assert.is(both.status, 409)
  assert.match((both.body as { detail: string }).detail, 'one/b.psu or two/b.psu')
  for (const named of ['two/b.psu', 'two%2Fb.psu']) {
    const two = await staff.ask('GET', `/api/v1/directory/${named}`)
    assert.is((two.body as DirectoryService).address, 'fernlab://main/two/b.psu', named)
  }
  for (const wrong of ['nobody', 'one%2F..%2Ffit', '..%2F..%2Fsite', '%', 'three/fit', '*']) {
    assert.is((await staff.ask('GET', `/api/v1/directory/${wrong}`)).status, 404, wrong)
  }
  assert.is((await staff.ask('GET', `/api/v1/directory/${'a'.repeat(10_000)}`)).status, 400)
})

test('a bench that is taken locks its parts; who has it is told to those who may know', async () => {
  const taken = await staff.ask('POST', '/api/v1/benches/one.b/lease', { ttlS: 600, reason: ' for the thesis ' })
  assert.is(taken.status, 200)
  const { name: own } = (await staff.ask('GET', '/api/v1/me')).body as { name: string }
  const seen = await entry('one/b.psu')
  assert.is(seen?.state, 'locked')
  assert.equal([seen?.lockedBy?.mine, seen?.lockedBy?.person], [true, { id: staff.id, name: own }])
  assert.is(seen?.lockedBy?.reason, 'for the thesis')
  assert.is((await entry('one/fit'))?.state, 'up')
  const bySomebody = (await entry('one/b.psu', student))?.lockedBy
  assert.equal(Object.keys(bySomebody ?? {}), ['since'])
  await staff.ask('DELETE', '/api/v1/benches/one.b/lease')
  assert.is(await stateOf('one/b.psu'), 'up')
})

test('a lock at the node is shown by its owner and words, to those who may know', async () => {
  const lock = { owner: staff.id, reason: 'for the thesis', since: new Date().toISOString() }
  await one.tell([...parts.slice(0, 2), aService('fit', { state: 'locked', lock })])
  await until(async () => (await stateOf('one/fit')) === 'locked', 'the lock')
  assert.is((await entry('one/fit'))?.lockedBy?.reason, 'for the thesis')
  assert.equal((await entry('one/fit', student))?.lockedBy, { since: lock.since })
  await one.tell(parts)
  await until(async () => (await stateOf('one/fit')) === 'up', 'the end of the lock')
})

test('who has ended the lock of another at a node is in the audit log, once', async () => {
  await tellEnded('a')
  await tellEnded('a')
  await tellEnded('a', 'b')
  await until(async () => (await written()).length >= 2, 'the entries')
  assert.equal(await written(), ['one b true', 'one a true'])
  await one.tell(parts)
})

test('what a node no longer tells of leaves at once; a name that it tells twice changes nothing', async () => {
  await one.tell([...parts, aService('more')])
  await until(async () => (await stateOf('one/more')) === 'up', 'another service')
  await one.tell([aService('twice'), aService('twice')])
  await one.tell(parts)
  await until(async () => (await stateOf('one/more')) === undefined, 'the service leaving')
  const lines = lab.log.lines.filter(({ fields }) => (fields as { code?: string }).code === 'service-twice')
  assert.is(lines.length, 1)
  assert.is(await stateOf('one/twice'), undefined)
})

test('who is away is gone, with the last address, and is back under the same name; also over a restart', async () => {
  await two.leave()
  await until(async () => (await stateOf('two/b.psu')) === 'gone', 'the node being away')
  const gone = await entry('two/b.psu')
  assert.equal(gone?.addresses, ['ws://two.lab.example:8090/rpc'])
  assert.is(await stateOf('one/b.psu'), 'up')
  await one.leave()
  await lab.restart()
  assert.equal(
    (await list()).map(({ id, state, addresses }) => [id, state, addresses.length]),
    ['one/b.psu', 'one/b.scope', 'one/fit', 'two/b.psu'].map((id) => [id, 'gone', 1]),
  )
  await two.comeBack()
  await two.greet()
  // It is connected, and has not said a word of its services yet.
  assert.is(await stateOf('two/b.psu'), 'gone')
  await two.tell([aService('b.psu', { bench: 'b' })], ['wss://elsewhere.example/rpc'])
  await until(async () => (await stateOf('two/b.psu')) === 'up', 'the service being back')
  assert.equal((await entry('two/b.psu'))?.addresses, ['wss://elsewhere.example/rpc'])
  await one.comeBack()
  await one.greet()
  await tellEnded('a', 'b', 'c')
  await until(async () => (await written()).length >= 3, 'the newest entry')
  assert.equal(await written(), ['one c true', 'one b true', 'one a true'])
  await one.tell(parts)
  await until(async () => (await stateOf('one/fit')) === 'up', 'the first node being back')
})

test('services of a node that is removed are forgotten', async () => {
  const third = await startServingNode(lab, 'third')
  await third.tell([aService('short')])
  await until(async () => (await stateOf('third/short')) === 'up', 'its service')
  await third.leave()
  await until(async () => (await stateOf('third/short')) === 'gone', 'it being away')
  const removed = await lab.call('/api/v1/nodes/third?confirm=third', { method: 'DELETE' })
  assert.is(removed.status, 204, await removed.text())
  assert.is(await stateOf('third/short'), undefined)
  await third.close()
})

test.run()
