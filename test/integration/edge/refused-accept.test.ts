import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createBench } from '@fernlab/edge/benches/bench'
import { createRunPlans } from '@fernlab/edge/engine/plan'
import { createInbox } from '@fernlab/edge/inbox/inbox'
import { createInstrumentHandle } from '@fernlab/edge/instruments/instrument-handle'
import { createOutbox } from '@fernlab/edge/outbox/outbox'
import { createQueue, type Queue } from '@fernlab/edge/queue/queue'
import { createJournal } from '@fernlab/edge/store/journal'
import { openStore } from '@fernlab/edge/store/store'
import type { NodeDocument } from '@fernlab/shared/contracts/documents'
import type { Accepted } from '@fernlab/shared/contracts/sync'
import { decode } from '@fernlab/shared/links/codec'
import { systemClock as clock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { silentLog as log } from '@fernlab/shared/primitives/log'
import * as assert from 'uvu/assert'
import { MemoryInstrument } from '../../support/edge/memory-driver.ts'
import { protocolOf } from '../../support/edge/node.ts'
import { assignmentOf } from '../../support/edge/scripted-hub.ts'
import { suite } from '../../support/suite.ts'

const test = suite('assignments whose commit the disk refuses', { timeoutMs: 20_000 })

const until = async (what: string, holds: () => boolean | Promise<boolean>, ms = 15_000) => {
  for (const end = performance.now() + ms; !(await holds()); ) {
    if (performance.now() > end) throw new Error(`not within ${ms} ms: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

/** A node's way from the inbox to the disk, with one bench; its disk refuses a write when told to. */
async function startBench(folder: string) {
  const database = await openStore(join(folder, 'node.db'))
  const refused: string[][] = []
  let refusals = 0
  const journal = createJournal({
    clock,
    log,
    database: {
      write: async (statements) => {
        if (refusals === 0) return await database.write(statements)
        refusals--
        refused.push(statements.map(({ sql }) => sql))
        throw new LabError({ code: 'disk-full', kind: 'configuration', retry: 'later', message: 'the disk is full' })
      },
    },
  })
  const psu = new MemoryInstrument('psu', clock)
  const handle = createInstrumentHandle({ name: 'psu', instrument: psu, clock, log })
  const bench = createBench({
    name: 'bench-1',
    entry: { parts: { psu: 'psu' }, safeState: { 'psu.output': false } },
    parts: new Map([['psu', handle]]),
    fence: 0,
    clock,
    log,
    newId: () => 'lease',
    onValue: () => {},
  })
  const benches = new Map([['bench-1', bench]])
  const plans = createRunPlans()
  let queue: Queue | undefined
  const onForgotten = (key: Parameters<Queue['forgotten']>[0]) => queue?.forgotten(key)
  const outbox = createOutbox({ journal, database, clock, log, onOverdue: () => {}, onForgotten })
  const node = { name: 'n1', version: '0', clockOffsetMs: () => undefined }
  queue = createQueue({ benches, outbox, plans, journal, database, clock, log, node, onValue: () => {} })
  const answers: Accepted[] = []
  const diskTrouble = () => journal.trouble
  const inbox = createInbox({ benches, queue, plans, diskTrouble, answer: (one) => answers.push(one), log })
  handle.start()
  await until('the bench is free', () => bench.status.state === 'free')
  return {
    queue,
    bench,
    psu,
    journal,
    outbox,
    inbox,
    refused,
    answers,
    refuseOnce: () => {
      refusals = 1
    },
    rows: (table: 'attempt' | 'document') => database.read(`SELECT * FROM ${table} ORDER BY rowid`),
    close: async () => {
      await queue.close()
      await bench.close()
      await handle.close()
      outbox.close()
      await journal.close()
      await database.close()
    },
  }
}

test('a run that had begun touches nothing and leaves nothing, its bench is free, and the next one runs', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'fernlab-refused-'))
  const node = await startBench(folder)
  const definition = protocolOf('  - set: {psu.voltage: 4}\n  - wait: 0.05')
  const [begun, behind, next] = [assignmentOf(definition), assignmentOf(definition), assignmentOf(definition)]
  const before = node.psu.operations.length
  node.refuseOnce()
  node.inbox.receive({ assignments: [begun, behind] })
  await node.inbox.settled()
  assert.ok(
    node.refused.flat().some((sql) => sql.startsWith('INSERT INTO document')),
    'the start document was to share the commit',
  )
  assert.equal(
    node.answers.flatMap(({ accepted, refused }) => [
      ...accepted.map(({ runId }) => [runId]),
      ...refused.map(({ runId, error }) => [runId, error.code, error.retry]),
    ]),
    [begun, behind].map(({ runId }) => [runId, 'disk-full', 'later']),
  )
  assert.equal(node.outbox.inventory(), [])
  await until('the bench is free', () => node.bench.status.state === 'free' && node.queue.depth === 0)
  assert.ok(node.journal.trouble, 'free before the disk takes writes again')
  await until('the disk takes writes again', () => node.journal.trouble === undefined)
  await until('nothing is left', async () => (await node.rows('document')).length === 0)
  assert.equal(await node.rows('attempt'), [])
  assert.equal([node.outbox.depth, node.queue.find(begun), node.queue.find(behind)], [0, undefined, undefined])
  assert.is(node.psu.operations.length, before)

  node.inbox.receive({ assignments: [next] })
  await until('the next run ended', () => node.queue.find(next)?.state === 'stopped' && node.queue.depth === 0)
  await until('its stop is on disk', async () => (await node.rows('attempt'))[0]?.state === 'stopped')
  const documents = (await node.rows('document')).map(({ bytes }) => decode(bytes as Uint8Array) as NodeDocument)
  assert.equal(
    documents.map(({ runId, name }) => [runId, name]),
    [
      [next.runId, 'start'],
      [next.runId, 'stop'],
    ],
  )
  assert.equal(node.psu.sets('voltage'), [4])
  await node.close()
  await rm(folder, { recursive: true, force: true })
})

test('one that would have waited behind a run is not begun when that run ends', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'fernlab-refused-'))
  const node = await startBench(folder)
  const running = assignmentOf(protocolOf('  - set: {psu.voltage: 1}\n  - wait: 3600'), { maxSeconds: 7200 })
  const behind = assignmentOf(protocolOf('  - set: {psu.voltage: 4}'))
  node.inbox.receive({ assignments: [running] })
  await until('it runs', () => node.psu.sets('voltage').length === 1)
  node.refuseOnce()
  node.inbox.receive({ assignments: [behind] })
  await node.inbox.settled()
  assert.equal(
    node.answers.flatMap(({ refused }) => refused.map(({ runId }) => runId)),
    [behind.runId],
  )
  await until('the disk takes writes again', () => node.journal.trouble === undefined)
  node.queue.cancel(running, 'enough')
  await until('the bench is free', () => node.bench.status.state === 'free' && node.queue.depth === 0)
  await until('the stop is on disk', async () => (await node.rows('attempt'))[0]?.state === 'stopped')
  assert.equal(
    (await node.rows('attempt')).map(({ run_id }) => run_id),
    [running.runId],
  )
  assert.equal(node.psu.sets('voltage'), [1])
  await node.close()
  await rm(folder, { recursive: true, force: true })
})

test.run()
