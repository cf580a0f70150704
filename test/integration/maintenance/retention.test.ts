import { openBenchHistory } from '@fernlab/hub/bench-care/bench-history'
import { timesBytes } from '@fernlab/hub/cameras/recorded'
import { FleetBook } from '@fernlab/hub/fleet/fleet-book'
import { createMaintenance } from '@fernlab/hub/maintenance/maintenance'
import { forgetOldRecords } from '@fernlab/hub/maintenance/old-records'
import { createRetention } from '@fernlab/hub/maintenance/retention'
import { ManualClock, systemClock } from '@fernlab/shared/primitives/clock'
import { silentLog } from '@fernlab/shared/primitives/log'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'
import { documentsOf, startTime, storeDocuments, storeRun, temporaryStore } from '../results/stored-run.ts'

const test = suite('retention', { timeoutMs: 20_000 })
let opened: Awaited<ReturnType<typeof temporaryStore>>
const day = 86_400_000
const hour = 3_600_000

test.before(async () => {
  opened = await temporaryStore()
})
test.after(() => opened.close())

const names = async (run: string) =>
  (await opened.store.database.read('SELECT DISTINCT name FROM document WHERE run_id = ? ORDER BY name', [run])).map(
    ({ name }) => name,
  )

const filmed = async () =>
  (await opened.store.database.read('SELECT run_id FROM recording')).map(({ run_id }) => run_id)

test('samples go by the rule, outputs and all that frames them stay, runs under way are left alone', async () => {
  const { store } = opened
  const clock = new ManualClock(startTime * 1000 + 40 * day)
  const retention = createRetention({ store, clock, log: silentLog })
  const old = await storeRun(store, { id: 'a'.repeat(26) })
  const running = await storeRun(store, { id: 'b'.repeat(26), state: 'running' })
  for (const run of [old, running]) await storeDocuments(store, [...documentsOf(run, { pages: 120, rowsPerPage: 2 })])
  const jpeg = Uint8Array.of(0xff, 0xd8, 0xff, 0xd9)
  for (const run_id of [old.id, running.id]) {
    const piece = { run_id, attempt: 1, part: 'view', number: 0, times: timesBytes([startTime]), pictures: jpeg }
    await store.write([store.db.insertInto('recording').values(piece)])
  }
  const doc = { stream: 'view.pictures', number: 0, time: startTime, jpeg }
  await storeDocuments(store, [{ runId: old.id, attempt: 1, seq: 1000, name: 'picture', doc }])

  assert.equal(await retention.sweep(), { dataOf: 0, runs: 0 })
  await retention.change({ dataDays: 41, runDays: null }, 'person-1')
  assert.equal(await retention.sweep(), { dataOf: 0, runs: 0 })
  assert.equal(await names(old.id), ['descriptor', 'event_page', 'picture', 'start', 'stop'])
  await retention.change({ dataDays: 39, runDays: null }, 'person-1')
  assert.equal(await retention.sweep(), { dataOf: 0, runs: 0 }, 'the change itself has swept')
  assert.equal(await names(old.id), ['descriptor', 'start', 'stop'])
  assert.equal(await filmed(), [running.id])
  assert.equal(await names(running.id), ['descriptor', 'event_page', 'start', 'stop'])
  const row = await store.db.selectFrom('run').selectAll().where('id', '=', old.id).executeTakeFirstOrThrow()
  assert.is(row.data_removed_at, clock.now())
  assert.equal(JSON.parse(row.outputs), old.outputs)
  assert.equal(await retention.sweep(), { dataOf: 0, runs: 0 })

  await retention.change({ dataDays: null, runDays: 30 }, 'person-1')
  await retention.sweep()
  assert.equal(await names(old.id), [])
  const audit = await store.db.selectFrom('audit').select('action').execute()
  assert.is(audit.filter(({ action }) => action === 'retention.sweep').length, 2)
  await retention.close()
})

test('it is due once a night, for one hub of several', async () => {
  const { store } = opened
  const clock = new ManualClock(startTime * 1000 + 100 * day)
  const hubs = [1, 2].map(() => createRetention({ store, clock, log: silentLog }))
  await hubs[0]?.tick()
  await storeRun(store, { id: 'c'.repeat(26) })
  await Promise.all(hubs.map((hub) => hub.tick()))
  const left = async () =>
    (await store.db.selectFrom('run').select('id').where('id', '=', 'c'.repeat(26)).execute()).length
  assert.is(await left(), 1, 'not due yet')
  await clock.advance(day)
  await Promise.all(hubs.map((hub) => hub.tick()))
  assert.is(await left(), 0)
  const sweeps = await store.db.selectFrom('audit').select('id').where('action', '=', 'retention.sweep').execute()
  assert.is(sweeps.length, 3)
})

test('a clock that jumps years ahead removes nothing at once, and one that was ahead holds up no sweep', async () => {
  const { store } = opened
  const clock = new ManualClock(startTime * 1000 + 100 * day)
  const retention = createRetention({ store, clock, log: silentLog })
  await storeRun(store, { id: 'e'.repeat(26) })
  const left = async () =>
    (await store.db.selectFrom('run').select('id').where('id', '=', 'e'.repeat(26)).execute()).length
  const due = async () =>
    Number(
      (await store.db.selectFrom('setting').selectAll().where('name', '=', 'retention.due').executeTakeFirstOrThrow())
        .value,
    )
  await store.write([
    store.db
      .updateTable('setting')
      .set({ value: String(clock.now() + day) })
      .where('name', '=', 'retention.due'),
  ])
  clock.jump(730 * day)
  await retention.tick()
  assert.is(await left(), 1, 'it may be wrong')
  // Set right again within the day: the next sweep is the next night’s, not one in two years.
  clock.jump(-730 * day)
  await retention.tick()
  assert.is(await left(), 1)
  assert.ok((await due()) - clock.now() <= 25 * 3_600_000)
  await clock.advance(day)
  await retention.tick()
  assert.is(await left(), 0)
  await retention.close()
})

test('a clock that jumps two days in the morning removes nothing at once, nor once it is set back', async () => {
  const { store } = opened
  const clock = new ManualClock(startTime * 1000 + 200 * day)
  let sweeps = 0
  const forget = async () => void sweeps++
  const retention = createRetention({ store, clock, log: silentLog, forget })
  const dueAt = new Date(clock.now() + day).setHours(3, 0, 0, 0)
  await store.write([
    store.db
      .updateTable('setting')
      .set({ value: String(dueAt) })
      .where('name', '=', 'retention.due'),
  ])
  await retention.tick()
  for (const jumpMs of [2 * day, -2 * day]) {
    clock.jump(jumpMs)
    await retention.tick()
    await clock.advance(3 * hour)
    await retention.tick()
    assert.is(sweeps, 0)
  }
  clock.jump(2 * day)
  await retention.tick()
  await clock.advance(4 * hour)
  await retention.tick()
  assert.is(sweeps, 1, 'it has gone on steadily')
  await retention.close()
})

test('a hub that is on for the hours of one day a week sweeps in them', async () => {
  const { store } = opened
  const clock = new ManualClock(startTime * 1000 + 300 * day)
  const weeks = 10
  let sweeps = 0
  for (let week = 0; week < weeks; week++) {
    const forget = async () => void sweeps++
    const retention = createRetention({ store, clock, log: silentLog, forget })
    for (let hours = 0; hours < 9; hours++) {
      await retention.tick()
      await clock.advance(hour)
    }
    await retention.close()
    await clock.advance(7 * day - 9 * hour)
  }
  assert.ok(sweeps >= weeks, String(sweeps))
})

test('on a full disk, what new rules remove makes room for new runs', async () => {
  const own = await temporaryStore()
  try {
    const { store, folder } = own
    const run = await storeRun(store, { id: 'd'.repeat(26) })
    await storeDocuments(store, [...documentsOf(run, { pages: 40, rowsPerPage: 2000 })])
    const maintenance = await createMaintenance({
      store,
      folder,
      clock: systemClock,
      log: silentLog,
      minimumFreeBytes: 300_000,
      freeBytes: async () => 10_000,
    })
    assert.throws(maintenance.requireSpace, (error: { code: string }) => error.code === 'runs-refused')
    await maintenance.setRetention({ dataDays: 1, runDays: null }, 'person-1')
    assert.equal(await maintenance.sweep(), { dataOf: 0, runs: 0 }, 'the change itself has swept')
    maintenance.requireSpace()
    await maintenance.close()
  } finally {
    await own.close()
  }
})

test('what can be done without leaves more room than new runs need', async () => {
  const { store, folder } = opened
  let free = 1_000_000_000
  const options = { store, folder, clock: systemClock, log: silentLog, minimumFreeBytes: 300_000_000 }
  const maintenance = await createMaintenance({ ...options, freeBytes: async () => free })
  maintenance.requireSpace()
  assert.throws(() => maintenance.requireSpace(4), /this needs 1200 MB/)
  free = 2_000_000_000
  await maintenance.lookAtDisk()
  maintenance.requireSpace(4)
  await maintenance.close()
})

test('storage tells sizes and rules', async () => {
  const { store, folder } = opened
  const maintenance = await createMaintenance({
    store,
    folder,
    clock: systemClock,
    log: silentLog,
    minimumFreeBytes: 1,
  })
  const storage = await maintenance.storage()
  assert.ok(storage.databaseBytes > 10_000)
  assert.ok(storage.freeBytes > 0)
  assert.ok(storage.acceptingRuns)
  assert.equal(storage.retention, { dataDays: null, runDays: 30 })
  await maintenance.close()
})

test('a clock that jumps years ahead takes no history of benches, due times or notices away; with time they go', async () => {
  const { store } = opened
  const clock = new ManualClock(startTime * 1000 + 500 * day)
  const { db } = store
  const nowMs = clock.now()
  const change = (at: number, state: 'up' | 'fault') =>
    db.insertInto('bench_history').values({ bench: 'n.old', at, state, cause: 'bench', letter: 'none' })
  const notice = (id: string, at: number) =>
    db
      .insertInto('booking_notice')
      .values({ id, booking_id: 'b', person_id: 'person-1', what: 'missed', at, detail: '{}', letter: 'none' })
  const dueTime = (due: number) =>
    db
      .insertInto('recurring_time')
      .values({ recurring_id: 'r', due_at: due, at: due, outcome: 'missed', by_hand: 0, missed_before: 0 })
  await store.write([
    db.deleteFrom('setting').where('name', '=', 'retention.due'),
    change(nowMs - 401 * day, 'up'),
    change(nowMs - 10 * day, 'fault'),
    change(nowMs - day, 'up'),
    notice('too-old', nowMs - 61 * day),
    notice('fresh', nowMs - 10 * day),
    dueTime(nowMs - 401 * day),
    dueTime(nowMs - 10 * day),
  ])
  const left = async () =>
    await Promise.all(
      [
        "bench_history WHERE bench = 'n.old'",
        "booking_notice WHERE booking_id = 'b'",
        "recurring_time WHERE recurring_id = 'r'",
      ].map(async (where) => (await store.database.read(`SELECT COUNT(*) AS left FROM ${where}`))[0]?.left),
    )
  const history = await openBenchHistory({
    ...{ store, clock, letters: false, log: silentLog },
    book: new FleetBook(clock),
    onNoted: () => {},
  })
  const retention = createRetention({ store, clock, log: silentLog, forget: () => forgetOldRecords(store, clock) })
  await retention.tick()
  await clock.advance(23 * hour)
  clock.jump(730 * day)
  await retention.tick()
  await clock.advance(3 * hour)
  await retention.tick()
  assert.equal(await left(), [3, 2, 2], 'it may be wrong')
  clock.jump(-730 * day)
  await retention.tick()
  for (let hours = 0; hours < 30; hours++) {
    await clock.advance(hour)
    await retention.tick()
  }
  assert.equal(await left(), [2, 1, 1])
  history.close()
  await retention.close()
  await store.write([change(nowMs - 401 * day, 'up'), change(nowMs, 'up')])
  const maintenance = await createMaintenance({ store, folder: opened.folder, clock, log: silentLog })
  await maintenance.sweep()
  assert.equal(await left(), [3, 1, 1], 'each night')
  await maintenance.close()
})

test.run()
