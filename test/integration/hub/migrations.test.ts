/** Databases of earlier releases, opened by this one. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { CatalogueLab } from '@fernlab/hub/catalogue/catalogue'
import { FleetBook } from '@fernlab/hub/fleet/fleet-book'
import { readCursor, runEvents } from '@fernlab/hub/results/run-events'
import { createLedger } from '@fernlab/hub/runs/ledger'
import { loadOpenRuns, OpenRuns } from '@fernlab/hub/runs/open-runs'
import { runStatements } from '@fernlab/hub/runs/run-statements'
import { migrations } from '@fernlab/hub/store/migrations'
import { openStore, type Store } from '@fernlab/hub/store/store'
import { createTurn } from '@fernlab/hub/store/turn'
import type { Run } from '@fernlab/shared/contracts/api'
import { systemClock as clock } from '@fernlab/shared/primitives/clock'
import { silentLog as log } from '@fernlab/shared/primitives/log'
import { openDatabase } from '@fernlab/shared/storage/database'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'
import { tableRuns } from '../api/served-hub.ts'

const test = suite('events that were numbered across all runs')
const firstAt = Date.UTC(2026, 0, 1)

/** As they were written, in order of their global numbers, from 1 on: those of state told their time themselves. */
const written = [
  { run: 'over', name: 'state', more: { state: 'queued', attempt: 1 } },
  { run: 'open', name: 'state', more: { state: 'queued', attempt: 1 } },
  { run: 'over', name: 'state', more: { state: 'assigned', attempt: 1 }, bench: 'demo.rc-1' },
  { run: 'over', name: 'note', more: { note: 'cancelled by Ada' } },
  { run: 'open', name: 'state', more: { state: 'assigned', attempt: 1 }, bench: 'demo.rc-2' },
  { run: 'over', name: 'state', more: { state: 'cancelled', attempt: 1 }, bench: 'demo.rc-1' },
].map(({ run, name, more, bench }, i) => {
  const at = firstAt + i
  const time = name === 'state' ? { at: new Date(at).toISOString() } : {}
  return { run, number: i + 1, at, name, data: JSON.stringify({ ...more, ...time, ...(bench && { bench }) }) }
})
const writtenOf = (run: string) =>
  written.filter((one) => one.run === run).map(({ number, at, name, data }) => ({ number, at, name, data }))

/** A database as the migrations before `003-events-by-run` made it. */
async function earlierDatabase(path: string) {
  const before = migrations.slice(
    0,
    migrations.findIndex(({ name }) => name === '003-events-by-run'),
  )
  const database = await openDatabase({ path, migrations: before })
  const insertRun = `INSERT INTO run (id, person_id, lab, lab_version, protocol, protocol_digest, restart, parameters,
    priority, state, attempt, bench, fence, created_at) VALUES (?, 'p', 'l', 1, 'q', 'd', 'never', '{}', 5, ?, 1, ?, 1, ?)`
  await database.write([
    { sql: insertRun, params: ['over', 'cancelled', 'demo.rc-1', firstAt] },
    { sql: insertRun, params: ['open', 'assigned', 'demo.rc-2', firstAt] },
    {
      sql: "INSERT INTO attempt (run_id, attempt, node, bench, fence, state, assigned_at) VALUES ('open', 1, 'demo', 'demo.rc-2', 1, 'assigned', ?)",
      params: [firstAt],
    },
    {
      sql: 'INSERT INTO run_event (run_id, at, name, data) VALUES (?, ?, ?, ?)',
      rows: written.map(({ run, at, name, data }) => [run, at, name, data]),
    },
  ])
  await database.close()
}

const eventsOf = (store: Store, run: string) =>
  store.db
    .selectFrom('run_event')
    .select(['number', 'at', 'name', 'data'])
    .where('run_id', '=', run)
    .orderBy('number')
    .execute()

/** What a reader of a run that is over is sent from the cursor on: the ids and what they tell. */
async function sent(store: Store, id: string, lastId?: string) {
  const { runs } = tableRuns({ store })
  const run = (await runs.get(id)) as Run
  const { signal } = new AbortController()
  const events: { id: string; data: unknown }[] = []
  for await (const text of runEvents({ store, runs, clock, run, cursor: readCursor(lastId), signal })) {
    const found = /^id: (.*)\nevent: state\ndata: (.*)$/m.exec(text)
    if (found !== null) events.push({ id: String(found[1]), data: JSON.parse(String(found[2])) })
  }
  return events
}

test('are kept by run, in order, word for word; cursors stay good, and an open run counts on', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'fernlab-migrations-'))
  await earlierDatabase(join(folder, 'hub.db'))
  const store = await openStore({ url: `sqlite:${join(folder, 'hub.db')}`, log })
  assert.equal(await eventsOf(store, 'over'), writtenOf('over'))
  assert.equal(await eventsOf(store, 'open'), writtenOf('open'))
  const told = writtenOf('over')
    .filter(({ name }) => name === 'state')
    .map(({ number, data }) => ({ id: `${number}.1.-1`, data: JSON.parse(data) }))
  assert.equal(
    (await sent(store, 'over')).map(({ data }) => data),
    told.map(({ data }) => data),
  )
  assert.equal(
    (await sent(store, 'over', '3.1.-1')).map(({ data }) => data),
    told.slice(2).map(({ data }) => data),
  )

  const runs = new OpenRuns()
  for (const run of (await loadOpenRuns({ store, clock, labVersion: async () => ({ id: 'l' }) as CatalogueLab })).open)
    runs.add(run)
  const turn = createTurn({ database: store.database, onFailure: async () => {}, clock, log })
  const ledger = createLedger({
    turn,
    statements: runStatements(store.db),
    runs,
    book: new FleetBook(clock),
    clock,
    notices: { wanted: () => false, publish: () => {} },
  })
  const open = runs.get('open')
  assert.ok(open)
  ledger.start(open, clock.now())
  await turn.kept()
  ledger.finish(open, { state: 'failed', reason: 'no light', endedAt: clock.now() })
  await turn.kept()
  const grown = await eventsOf(store, 'open')
  assert.equal(grown.slice(0, 2), writtenOf('open'))
  assert.equal(
    grown.slice(2).map(({ number, data }) => [number, JSON.parse(data).state]),
    [
      [6, 'running'],
      [7, 'failed'],
    ],
  )
  const after = await sent(store, 'open', '2.1.-1')
  assert.equal(
    after.map(({ data }) => (data as { state: string }).state),
    ['assigned', 'running', 'failed'],
  )
  assert.equal(
    (await sent(store, 'open', '5.1.-1')).map(({ data }) => data),
    after.slice(1).map(({ data }) => data),
  )
  await store.close()
  await rm(folder, { recursive: true, force: true })
})

test.run()
