/** The hub's side of the sync against a scripted node: order, doubles, gaps, stale attempts, repair. */
import { openStore } from '@fernlab/hub/store/store'
import { silentLog } from '@fernlab/shared/primitives/log'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'
import { admin, startTestHub, type TestHub, until } from './hub-with-node.ts'
import { documentsOf, type ScriptedNode, startScriptedNode } from './scripted-node.ts'

const test = suite('the sync with a node', { timeoutMs: 20_000 })
let lab: TestHub
let node: ScriptedNode

test.before(async () => {
  lab = await startTestHub()
  node = await startScriptedNode(lab, 'n')
})
test.after(async () => {
  await node.close()
  await lab.close()
})

const submit = async (protocol = 'set') => (await lab.hub.runs.submit(admin, { lab: 'small', protocol })).run.id
const stateOf = async (id: string) => (await lab.hub.runs.get(id))?.state
const linesSince = (from: number, text: RegExp) =>
  lab.log.lines.slice(from).filter(({ level, message }) => level !== 'debug' && text.test(message))

/** A node's refusal for now. */
const busy = {
  code: 'bench-busy',
  kind: 'instrument',
  message: 'busy',
  studentMessage: 'busy',
  retry: 'later',
} as const

/** What the database holds of an attempt's documents, in order of arrival. */
async function stored(runId: string, attempt = 1): Promise<number[]> {
  const store = await openStore({ url: lab.config.databaseUrl, log: silentLog })
  const rows = await store.db
    .selectFrom('document')
    .select('seq')
    .where('run_id', '=', runId)
    .where('attempt', '=', attempt)
    .orderBy('id')
    .execute()
  await store.close()
  return rows.map(({ seq }) => seq)
}

test('start makes it running, stop ends it, and everything is acknowledged', async () => {
  const id = await submit()
  const assignment = await node.take()
  assert.is(assignment.runId, id)
  await node.accept(assignment)
  const [start, descriptor, page, stop] = documentsOf(assignment)
  assert.ok(start && descriptor && page && stop)
  await node.documents(start)
  await until(async () => (await stateOf(id)) === 'running', 'running')
  await node.documents(descriptor, page)
  await until(() => node.upTo(id, 1) === 3, 'the acknowledgement')
  assert.equal((await lab.hub.runs.get(id))?.rows, { primary: 2 })
  await node.documents(stop)
  assert.is((await lab.final(id)).state, 'succeeded')
  await until(() => node.upTo(id, 1) === 4, 'the last acknowledgement')
  assert.equal(await stored(id), [0, 1, 2, 3])
})

test('every document five times has no effect but its acknowledgement, and one log line', async () => {
  const id = await submit()
  const assignment = await node.take()
  const documents = documentsOf(assignment)
  const from = lab.log.lines.length
  for (const document of documents.slice(0, 3)) for (let i = 0; i < 5; i++) await node.documents(document)
  await until(() => node.upTo(id, 1) === 3, 'acknowledged')
  assert.is(linesSince(from, /came again/).length, 1)
  for (let i = 0; i < 5; i++) await node.documents(...documents)
  assert.is((await lab.final(id)).state, 'succeeded')
  await until(() => node.upTo(id, 1) === 4, 'acknowledged to the end')
  await node.documents(...documents)
  await until(() => linesSince(from, /finished attempt/).length > 0, 'the line')
  await node.documents(...documents)
  await node.greet()
  assert.is(linesSince(from, /finished attempt/).length, 1)
  assert.equal(await stored(id), [0, 1, 2, 3])
})

test('a gap is not stored; the hub says where it is', async () => {
  const id = await submit()
  const assignment = await node.take()
  const [start, descriptor, page, stop] = documentsOf(assignment)
  assert.ok(start && descriptor && page && stop)
  await node.documents(start)
  await until(() => node.upTo(id, 1) === 1, 'acknowledged')
  const welcomes = node.welcomes.length
  await node.documents(page, stop)
  await until(() => node.welcomes.length > welcomes, 'a welcome that tells')
  assert.equal(node.welcomes.at(-1)?.attempts, [{ runId: id, attempt: 1, seq: 1, wanted: true }])
  assert.is(node.upTo(id, 1), 1)
  await node.documents(descriptor, page, stop)
  assert.is((await lab.final(id)).state, 'succeeded')
  assert.equal(await stored(id), [0, 1, 2, 3])
})

test('counts that do not match end the run as failed, with its data', async () => {
  const id = await submit()
  const assignment = await node.take()
  await node.documents(...documentsOf(assignment, { rows: { primary: 7 } }))
  const run = await lab.final(id)
  assert.is(run.state, 'failed')
  assert.is(run.error?.code, 'documents-missing')
  assert.equal(await stored(id), [0, 1, 2, 3])
})

test('damaged documents end the run as failed instead of blocking it', async () => {
  const id = await submit()
  const assignment = await node.take()
  const [start, descriptor, page, stop] = documentsOf(assignment)
  assert.ok(start && descriptor && page?.name === 'event_page' && stop)
  await node.documents(start, descriptor, { ...page, doc: { ...page.doc, first: 5 } }, stop)
  const run = await lab.final(id)
  assert.is(run.error?.code, 'documents-damaged')
  await until(() => node.upTo(id, 1) === 4, 'the node may forget them')
  assert.equal(await stored(id), [0, 1])
})

test('a refusal for now queues the run again, with a new attempt; one for good ends it', async () => {
  const id = await submit()
  const first = await node.take()
  const asked = Date.now()
  await node.send('accepted', { accepted: [], refused: [{ runId: id, attempt: 1, error: busy }] })
  const second = await node.take()
  assert.is(second.runId, id)
  assert.is(second.attempt, 2)
  assert.ok(second.fence > first.fence)
  assert.ok(Date.now() - asked >= 900, 'left alone for a second')
  await node.send('accepted', {
    accepted: [],
    refused: [{ runId: id, attempt: 2, error: { ...busy, retry: 'never' } }],
  })
  assert.is((await lab.final(id)).state, 'failed')
})

test('an attempt that begins after the hub has given it up is told to stop', async () => {
  const id = await submit()
  const first = await node.take()
  await node.send('accepted', { accepted: [], refused: [{ runId: id, attempt: 1, error: busy }] })
  const second = await node.take()
  await node.documents(...documentsOf(first).slice(0, 1))
  await until(() => node.cancelled.some(({ runId, attempt }) => runId === id && attempt === 1), 'the cancel')
  await node.documents(...documentsOf(second))
  const run = await lab.final(id)
  assert.equal([run.state, run.attempt], ['succeeded', 2])
  assert.equal(await stored(id, 1), [])
})

test('an interrupted attempt starts again where that is safe; the old one is stale', async () => {
  const id = await submit('nothing')
  const first = await node.take()
  await node.documents(...documentsOf(first, { state: 'interrupted', reason: 'restarted' }))
  const second = await node.take()
  assert.equal([second.runId, second.attempt], [id, 2])
  const from = lab.log.lines.length
  for (let i = 0; i < 5; i++) await node.documents(...documentsOf(first))
  await until(() => linesSince(from, /finished attempt/).length === 1, 'one line')
  assert.is(await stateOf(id), 'assigned')
  await node.documents(...documentsOf(second))
  const run = await lab.final(id)
  assert.equal([run.state, run.attempt], ['succeeded', 2])
  assert.equal(await stored(id, 1), [0, 1, 2, 3])
  assert.equal(await stored(id, 2), [0, 1, 2, 3])
})

test('an interrupted attempt that may not start again ends so', async () => {
  const id = await submit()
  await node.documents(...documentsOf(await node.take(), { state: 'interrupted', reason: 'power cut' }))
  const run = await lab.final(id)
  assert.equal([run.state, run.reason], ['interrupted', 'power cut'])
})

test('an assignment that the node has no trace of is sent again', async () => {
  const id = await submit()
  const assignment = await node.take()
  await node.greet()
  const again = await node.take()
  assert.equal([again.runId, again.attempt, again.fence], [id, assignment.attempt, assignment.fence])
  await node.documents(...documentsOf(assignment))
  assert.is((await lab.final(id)).state, 'succeeded')
})

test('an attempt that the node accepted and lost is never executed under the same number', async () => {
  const id = await submit()
  const assignment = await node.take()
  await node.accept(assignment)
  await node.greet()
  const run = await lab.final(id)
  assert.equal([run.state, run.reason], ['interrupted', 'n lost it'])
})

test('a node is told why a run is to end, however often it is told', async () => {
  const id = await submit()
  const assignment = await node.take()
  await node.accept(assignment)
  const planned = await lab.call('/api/v1/benches/n.b/outages', {
    method: 'POST',
    json: { reason: 'smoke', atOnce: true },
  })
  const { id: outage } = (await planned.json()) as { id: string }
  const reasons = () => node.cancelled.flatMap(({ runId, reason }) => (runId === id ? [reason] : []))
  await until(() => reasons().length >= 2, 'the cancel, and again')
  await lab.restart()
  await until(() => node.link.connected, 'the connection')
  const { runId, attempt, fence } = assignment
  const before = reasons().length
  await node.greet([{ runId, attempt, fence, state: 'running', nextSeq: 0, firstHeld: 0 }], fence)
  await until(() => reasons().length > before, 'the cancel of a hub that has started again')
  assert.equal(new Set(reasons()), new Set(['the bench went out of use: smoke']))
  await node.documents(...documentsOf(assignment, { state: 'cancelled', reason: 'the bench went out of use: smoke' }))
  assert.is((await lab.final(id)).state, 'cancelled')
  await lab.call(`/api/v1/benches/n.b/outages/${outage}`, { method: 'DELETE' })
})

test('a cancelled run is asked for until it ends, and a queued one ends at once', async () => {
  const id = await submit()
  const waiting = await submit()
  const assignment = await node.take()
  await node.accept(assignment)
  assert.is((await lab.hub.runs.cancel(waiting, admin)).state, 'cancelled')
  const asked = await lab.hub.runs.cancel(id, admin)
  assert.equal([asked.state, asked.cancelRequested], ['assigned', true])
  await until(() => node.cancelled.some(({ runId }) => runId === id), 'the cancel')
  const before = node.cancelled.length
  await node.greet([{ runId: id, attempt: 1, fence: assignment.fence, state: 'waiting', nextSeq: 0, firstHeld: 0 }])
  await until(() => node.cancelled.length > before, 'the cancel again')
  await node.documents(...documentsOf(assignment, { state: 'cancelled', reason: 'cancelled' }))
  assert.is((await lab.final(id)).state, 'cancelled')
  assert.is((await lab.hub.runs.cancel(id, admin)).state, 'cancelled', 'a final run stays as it is')
})

test('the hub’s restart in the middle changes nothing; the welcome says what it has', async () => {
  const id = await submit()
  const assignment = await node.take()
  const [start, descriptor, page, stop] = documentsOf(assignment)
  assert.ok(start && descriptor && page && stop)
  await node.documents(start, descriptor)
  await until(() => node.upTo(id, 1) === 2, 'acknowledged')
  await lab.restart()
  await until(() => node.link.connected, 'the connection')
  const welcome = await node.greet([
    { runId: id, attempt: 1, fence: assignment.fence, state: 'stopped', nextSeq: 4, firstHeld: 0 },
  ])
  assert.equal(welcome.attempts, [{ runId: id, attempt: 1, seq: 2, wanted: true }])
  await node.documents(page, stop)
  assert.is((await lab.final(id)).state, 'succeeded')
  assert.equal(await stored(id), [0, 1, 2, 3])
})

test('what a node holds and nobody wants is not wanted', async () => {
  const welcome = await node.greet([
    { runId: '0'.repeat(26), attempt: 1, fence: 1, state: 'running', nextSeq: 3, firstHeld: 0 },
  ])
  assert.equal(welcome.attempts, [{ runId: '0'.repeat(26), attempt: 1, seq: 3, wanted: false }])
})

test('an attempt whose documents the node has deleted and the hub has not ends at once, and says so', async () => {
  const id = await submit()
  const assignment = await node.take()
  const welcome = await node.greet([
    { runId: id, attempt: 1, fence: assignment.fence, state: 'running', nextSeq: 9, firstHeld: 5 },
  ])
  assert.equal(welcome.attempts, [{ runId: id, attempt: 1, seq: 9, wanted: false }])
  const run = await lab.final(id)
  assert.equal([run.state, run.error?.code], ['failed', 'documents-missing'])
  assert.match(run.reason ?? '', /n no longer holds document 0/)
})

test('a bench that has seen more than the hub remembers gets the fence above that', async () => {
  await node.greet([], 1000)
  const id = await submit()
  const assignment = await node.take()
  assert.is(assignment.fence, 1001)
  await node.greet([], 1000)
  assert.is((await node.take()).fence, 1001, 'the same, sent again')
  await node.documents(...documentsOf(assignment))
  assert.is((await lab.final(id)).state, 'succeeded')
})

test('another node’s documents for a run change nothing', async () => {
  const other = await startScriptedNode(lab, 'm', [])
  const id = await submit()
  const assignment = await node.take()
  const from = lab.log.lines.length
  await other.documents(...documentsOf(assignment))
  await until(() => linesSince(from, /another node/).length === 1, 'the line')
  assert.is(await stateOf(id), 'assigned')
  assert.is(other.upTo(id, 1), -1)
  await node.documents(...documentsOf(assignment))
  assert.is((await lab.final(id)).state, 'succeeded')
  await other.close()
})

test('who shuts a node out is told when its runs have ended; one that was missed ends all the same', async () => {
  const gone = await startScriptedNode(lab, 'gone', ['b'])
  const start = async () => {
    const { run } = await lab.hub.runs.submit(admin, { lab: 'small', protocol: 'set', bench: 'gone.b' })
    await gone.accept(await gone.take())
    return run.id
  }
  const revoke = async () => assert.ok((await lab.call('/api/v1/nodes/gone/revoke', { method: 'POST' })).ok)
  const first = await start()
  await revoke()
  const run = await lab.hub.runs.get(first)
  assert.equal([run?.state, run?.reason], ['interrupted', 'gone was shut out'])
  await gone.close()
  const back = await startScriptedNode(lab, 'gone', ['b'])
  const { run: left } = await lab.hub.runs.submit(admin, { lab: 'small', protocol: 'set', bench: 'gone.b' })
  await back.accept(await back.take())
  // As after a hub that died between the two writes.
  const store = await openStore({ url: lab.config.databaseUrl, log: silentLog })
  await store.db.updateTable('node').set({ revoked_at: 1, credential_hash: null }).where('id', '=', 'gone').execute()
  await store.close()
  await lab.restart()
  const ended = await lab.final(left.id)
  assert.equal([ended.state, ended.reason], ['interrupted', 'gone was shut out'])
  await back.close()
})

test.run()
