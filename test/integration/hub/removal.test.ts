/** Nodes and benches that are gone for good. */
import { openStore } from '@fernlab/hub/store/store'
import type { Bench, NodeInfo } from '@fernlab/shared/contracts/api'
import type { RemovalPreview } from '@fernlab/shared/contracts/bench-care'
import { topics } from '@fernlab/shared/contracts/topics'
import { silentLog } from '@fernlab/shared/primitives/log'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'
import { admin, startTestHub, type TestHub, until } from './hub-with-node.ts'
import { startScriptedNode } from './scripted-node.ts'

const test = suite('removing nodes and benches', { timeoutMs: 40_000 })
let lab: TestHub

test.before.each(async () => {
  lab = await startTestHub()
})
test.after.each(() => lab.close())

const list = async <T>(what: string) => ((await (await lab.call(`/api/v1/${what}`)).json()) as { items: T[] }).items
const benches = async () => (await list<Bench>('benches')).map(({ id }) => id)
const nodes = async () => (await list<NodeInfo>('nodes')).map(({ id }) => id)
const preview = async (what: string) => (await (await lab.call(`/api/v1/${what}/removal`)).json()) as RemovalPreview
const remove = async (what: string, confirm?: string) => {
  const answer = await lab.call(`/api/v1/${what}${confirm === undefined ? '' : `?confirm=${confirm}`}`, {
    method: 'DELETE',
  })
  return [answer.status, answer.status === 204 ? '' : ((await answer.json()) as { code: string }).code]
}
const submit = async (bench?: string) =>
  (await lab.hub.runs.submit(admin, { lab: 'small', protocol: 'nothing', ...(bench === undefined ? {} : { bench }) }))
    .id

test('a node that is stopped goes with its benches; what waits for it alone is cancelled, what was on it stays', async () => {
  const edge = await lab.node('old')
  const done = await submit()
  await lab.final(done)
  assert.equal(await remove('nodes/old', 'old'), [409, 'still-in-use'])
  assert.match((await preview('nodes/old')).hindrance ?? '', /^old is connected/)
  assert.equal(await remove('benches/old.b-1', 'old.b-1'), [409, 'still-in-use'], 'its node would bring it back')
  await edge.close()
  await until(async () => (await list<NodeInfo>('nodes'))[0]?.state === 'offline', 'the node being away')
  const waits = await submit('old.b-1')
  const anywhere = await submit()
  assert.equal(await preview('nodes/old'), { benches: ['old.b-1'], waiting: 1, runsKept: 1 })
  assert.equal(await remove('nodes/old'), [422, 'not-confirmed'])
  assert.equal(await remove('nodes/old', 'older'), [422, 'not-confirmed'])
  assert.equal(await remove('nodes/old', 'old'), [204, ''])
  assert.equal([await nodes(), await benches()], [[], []])
  const cancelled = await lab.hub.runs.get(waits)
  assert.equal([cancelled?.state, cancelled?.reason], ['cancelled', 'old.b-1 was removed'])
  assert.is((await lab.hub.runs.get(anywhere))?.state, 'queued')
  assert.is((await lab.hub.runs.get(done))?.bench, 'old.b-1')
  assert.equal(await remove('nodes/old', 'old'), [404, 'node-unknown'])
  await lab.restart()
  assert.equal([await nodes(), await benches()], [[], []], 'for good')
  // The same name may come back as something else.
  await lab.node('old', { benches: 2 })
  assert.equal((await benches()).sort(), ['old.b-1', 'old.b-2'])
  await lab.final(anywhere)
})

test('nothing goes that a run is on, also when its node is away', async () => {
  const node = await startScriptedNode(lab, 'shaky')
  await node.greet()
  const id = await submit()
  await node.accept(await node.take())
  await node.link.publish(topics('main').nodeStatus('shaky'), new TextEncoder().encode('offline'), { retain: true })
  await node.close()
  await until(async () => (await list<NodeInfo>('nodes'))[0]?.state === 'offline', 'the node being away')
  assert.match((await preview('nodes/shaky')).hindrance ?? '', new RegExp(`^run ${id} is on shaky.b`))
  assert.equal(await remove('nodes/shaky', 'shaky'), [409, 'still-in-use'])
  await lab.hub.runs.giveUp(id, admin)
  assert.equal(await remove('nodes/shaky', 'shaky'), [204, ''])
  assert.is((await lab.hub.runs.get(id))?.state, 'interrupted')
})

test('a bench that its node has no more is removed by itself', async () => {
  const node = await startScriptedNode(lab, 'n', ['b', 'c'])
  await node.greet()
  await node.close()
  const smaller = await startScriptedNode(lab, 'n', ['b'])
  await smaller.greet()
  await until(async () => (await list<Bench>('benches')).some(({ gone }) => gone === true), 'the bench being gone')
  assert.equal(await remove('benches/n.b', 'n.b'), [409, 'still-in-use'])
  assert.equal(await remove('benches/n.c', 'n.c'), [204, ''])
  assert.equal(await benches(), ['n.b'])
  await smaller.greet()
  assert.equal(await benches(), ['n.b'])
  await smaller.close()
})

test('a removal is in the audit log, or is not done', async () => {
  const edge = await lab.node('old')
  await edge.close()
  await until(async () => (await list<NodeInfo>('nodes'))[0]?.state === 'offline', 'the node being away')
  const store = await openStore({ url: lab.config.databaseUrl, log: silentLog })
  await store.database.write([
    {
      sql: "CREATE TRIGGER no_entry BEFORE INSERT ON audit WHEN NEW.action LIKE '%.remove' BEGIN SELECT RAISE(ABORT, 'no room'); END",
    },
  ])
  assert.is((await remove('nodes/old', 'old'))[0], 500)
  assert.equal([await nodes(), await benches()], [['old'], ['old.b-1']])
  assert.is((await remove('benches/old.b-1', 'old.b-1'))[0], 500)
  assert.equal(await benches(), ['old.b-1'])
  await store.database.write([{ sql: 'DROP TRIGGER no_entry' }])
  assert.equal(await remove('benches/old.b-1', 'old.b-1'), [204, ''])
  assert.equal(await remove('nodes/old', 'old'), [204, ''])
  const entries = await store.db.selectFrom('audit').select('action').orderBy('id').execute()
  const actions = entries.map(({ action }) => action).filter((action) => /^(node|bench)\./.test(action))
  assert.equal(actions, ['node.revoke', 'bench.remove', 'node.revoke', 'node.remove'])
  await store.close()
})

test('only an admin removes', async () => {
  const answer = await fetch(`${lab.hub.httpUrl}/api/v1/nodes/x?confirm=x`, { method: 'DELETE' })
  assert.is(answer.status, 401)
})

test.run()
