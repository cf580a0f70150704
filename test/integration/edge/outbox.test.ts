import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createOutbox, type Outbox } from '@fernlab/edge/outbox/outbox'
import { createJournal, type Journal } from '@fernlab/edge/store/journal'
import { openStore } from '@fernlab/edge/store/store'
import type { NodeDocument } from '@fernlab/shared/contracts/documents'
import { documentsSchema } from '@fernlab/shared/contracts/sync'
import { decode } from '@fernlab/shared/links/codec'
import { ManualClock } from '@fernlab/shared/primitives/clock'
import { silentLog } from '@fernlab/shared/primitives/log'
import type { Database } from '@fernlab/shared/storage/database'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('the outbox over a real database')
let folder: string
let database: Database
let journal: Journal
let clock: ManualClock
let outbox: Outbox
let overdue: number
let forgotten: string[]

const make = () => {
  journal = createJournal({ database, clock, log: silentLog })
  outbox = createOutbox({
    journal,
    database,
    clock,
    log: silentLog,
    onOverdue: () => overdue++,
    onForgotten: ({ runId }) => forgotten.push(runId),
  })
}
test.before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fernlab-outbox-'))
  database = await openStore(join(folder, 'node.db'))
})
test.after(async () => {
  await database.close()
  await rm(folder, { recursive: true, force: true })
})
test.before.each(async () => {
  await database.write([{ sql: 'DELETE FROM document' }, { sql: 'DELETE FROM attempt' }])
  clock = new ManualClock()
  overdue = 0
  forgotten = []
  make()
})
test.after.each(async () => {
  outbox.close()
  await journal.close()
})

const key = { runId: 'r1', attempt: 1, fence: 1 }
const page = (stream: string, rows: number) => {
  const time = Float64Array.from({ length: rows }, (_, i) => i)
  return { name: 'event_page' as const, doc: { stream, first: 0, count: rows, time, columns: {} } }
}
const turns = async (n = 20) => {
  for (let i = 0; i < n; i++) await new Promise((resolve) => setTimeout(resolve, 2))
}
const accept = (runId = 'r1') =>
  database.write([
    {
      sql: "INSERT INTO attempt (run_id, attempt, bench, fence, state, accepted_at, assignment) VALUES (?, 1, 'b', 1, 'waiting', 0, x'a0')",
      params: [runId],
    },
  ])
const rowsLeft = async () => Number((await database.read('SELECT count(*) AS n FROM document'))[0]?.n)

/** A hub that takes messages and remembers them. */
const listen = () => {
  const messages: NodeDocument[][] = []
  const sizes: number[] = []
  outbox.connect(async (message) => {
    sizes.push(message.byteLength)
    messages.push(documentsSchema.parse(decode(message)).documents)
  })
  return { messages, sizes, all: () => messages.flat() }
}

test('nothing is sent before the welcome; then all in order, batched below 1 MB, within the window', async () => {
  await accept()
  const attempt = outbox.open(key)
  const hub = listen()
  for (let i = 0; i < 40; i++) await attempt.append('page', [page('t', 60_000)])
  await turns()
  assert.is(hub.messages.length, 0)
  outbox.welcomed([{ runId: 'r1', attempt: 1, seq: 0, wanted: true }])
  await turns()
  assert.ok(hub.sizes.every((size) => size <= 1024 * 1024))
  const sent = hub.all().length
  assert.ok(sent > 10 && sent < 40, `${sent} in the window of 8 MB`)
  for (let guard = 0; hub.all().length < 40 && guard < 100; guard++) {
    outbox.acknowledged(key, hub.all().length)
    await turns(5)
  }
  assert.equal(
    hub.all().map(({ seq }) => seq),
    Array.from({ length: 40 }, (_, i) => i),
  )
  assert.is(hub.all()[39]?.name, 'event_page')
})

test('many small documents of many attempts share a message', async () => {
  const hub = listen()
  outbox.welcomed([])
  const runs = Array.from({ length: 50 }, (_, i) => `run-${i}`)
  await Promise.all(runs.map((runId) => accept(runId)))
  await Promise.all(runs.map((runId) => outbox.open({ runId, attempt: 1, fence: 1 }).append('page', [page('t', 3)])))
  await turns()
  assert.is(hub.all().length, 50)
  assert.ok(hub.messages.length <= 5, `${hub.messages.length} messages`)
})

test('a document is deleted only when it was acknowledged, and the attempt when its stop was', async () => {
  await accept()
  const attempt = outbox.open(key)
  const hub = listen()
  outbox.welcomed([])
  await attempt.append('page', [page('t', 1)])
  await attempt.append('page', [page('t', 1)])
  await turns()
  assert.is(hub.all().length, 2)
  assert.is(await rowsLeft(), 2)
  outbox.acknowledged(key, 1)
  outbox.acknowledged(key, 1)
  await clock.advance(200)
  await turns()
  assert.is(await rowsLeft(), 1)
  await attempt.append('stop', [page('t', 1)])
  await turns()
  outbox.acknowledged(key, 3)
  await clock.advance(200)
  await turns()
  assert.is(await rowsLeft(), 0)
  assert.equal(forgotten, ['r1'])
  assert.is(Number((await database.read('SELECT count(*) AS n FROM attempt'))[0]?.n), 0)
  assert.is(outbox.depth, 0)
})

test('an acknowledgement that is overdue asks for a comparison, and the welcome repairs', async () => {
  const attempt = outbox.open(key)
  assert.equal(outbox.inventory(), [], 'nothing is said of an attempt that is not on disk')
  await accept()
  attempt.accepted = true
  let hub = listen()
  outbox.welcomed([])
  for (let i = 0; i < 5; i++) await attempt.append('page', [page('t', 1)])
  await turns()
  assert.is(hub.all().length, 5)
  await clock.advance(9000)
  assert.is(overdue, 0)
  await clock.advance(2000)
  assert.is(overdue, 1)
  hub = listen()
  outbox.welcomed([{ runId: 'r1', attempt: 1, seq: 2, wanted: true }])
  await turns()
  assert.equal(
    hub.all().map(({ seq }) => seq),
    [2, 3, 4],
  )
  assert.equal(outbox.inventory(), [{ runId: 'r1', attempt: 1, fence: 1, state: 'waiting', nextSeq: 5, firstHeld: 2 }])
})

test('a link that breaks in the middle loses and doubles nothing after the next welcome', async () => {
  await accept()
  const attempt = outbox.open(key)
  let calls = 0
  outbox.connect(async () => {
    if (++calls > 1) throw new Error('broken')
  })
  outbox.welcomed([])
  await attempt.append('page', [page('t', 1)])
  await turns()
  await attempt.append('page', [page('t', 1)])
  await turns()
  outbox.connect(undefined)
  await attempt.append('page', [page('t', 1)])
  const hub = listen()
  outbox.welcomed([{ runId: 'r1', attempt: 1, seq: 1, wanted: true }])
  await turns()
  assert.equal(
    hub.all().map(({ seq }) => seq),
    [1, 2],
  )
})

test('what is unwanted is named, and gone when it is forgotten', async () => {
  await accept()
  const attempt = outbox.open(key)
  await attempt.append('page', [page('t', 1)])
  assert.equal(outbox.welcomed([{ runId: 'r1', attempt: 1, seq: 0, wanted: false }]), [{ runId: 'r1', attempt: 1 }])
  outbox.forget(key)
  await clock.advance(200)
  await turns()
  assert.is(await rowsLeft(), 0)
  assert.not.ok(outbox.has(key))
})

test('a new life of the node sends what the last one had committed', async () => {
  await accept()
  const attempt = outbox.open(key)
  attempt.rows.t = 2
  await attempt.append('page', [page('t', 1), page('t', 1)])
  outbox.close()
  await journal.close()
  make()
  const [row] = await database.read('SELECT * FROM attempt')
  assert.equal(JSON.parse(String(row?.rows)), { t: 2 })
  outbox.open(key, { state: 'stopped', nextSeq: Number(row?.next_seq), acknowledged: 0, rows: { t: 2 } })
  const hub = listen()
  outbox.welcomed([])
  await turns()
  assert.equal(
    hub.all().map(({ seq }) => seq),
    [0, 1],
  )
})

test.run()
