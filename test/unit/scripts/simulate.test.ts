import { rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { migrations } from '@fernlab/hub/store/migrations'
import { openDatabase } from '@fernlab/shared/storage/database'
import { generateLoad, type Load, type LoadShape } from 'fernlab/simulate/load'
import { fernlab, firstCome } from 'fernlab/simulate/policies'
import { recordedLoad } from 'fernlab/simulate/recorded-load'
import { asTable } from 'fernlab/simulate/report'
import { jain, simulate } from 'fernlab/simulate/simulate'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('simulating the scheduler')
const few: LoadShape = { seed: 7, weeks: 1, benches: 6, labs: 3, people: 60, queued: 4, booked: 1 }
const minute = 60_000

test('plays a load the same each time, serves everybody, and begins no booking late', () => {
  const load = generateLoad(few)
  assert.equal(generateLoad(few), load)
  assert.is.not(JSON.stringify(generateLoad({ ...few, seed: 8 }).arrivals), JSON.stringify(load.arrivals))
  assert.ok(load.bookings.length > 20)
  for (const policy of [fernlab, firstCome]) {
    const outcome = simulate(load, policy(load))
    assert.equal(simulate(load, policy(load)), outcome)
    assert.equal([outcome.served, outcome.bookings, outcome.lateBookings], [240, load.bookings.length, 0])
    assert.ok(outcome.utilisation > 0 && outcome.utilisation < 1 && outcome.fairness > 0.3 && outcome.fairness <= 1)
  }
})

const arrival = (id: string, atMin: number, minutes: number, lab = 'l') => ({
  id,
  personId: id,
  lab,
  atMs: atMin * minute,
  estimatedS: minutes * 60,
  lastsS: minutes * 60,
})

test('a short run fills the gap before a booking, where strict first come keeps the bench free', () => {
  const load: Load = {
    benches: new Map([['x', ['l']]]),
    arrivals: [arrival('long', 0, 60), arrival('short', 1, 5)],
    bookings: [{ id: 'b', lab: 'l', bench: 'x', startMs: 30 * minute, endMs: 60 * minute, leavesMs: 50 * minute }],
    openS: 7200,
  }
  const ours = simulate(load, fernlab(load))
  const theirs = simulate(load, firstCome(load))
  assert.equal([ours.waitS.p50, ours.waitS.max], [3000, 3000])
  assert.equal([theirs.waitS.p50, theirs.waitS.max], [109 * 60, 109 * 60])
  assert.equal([ours.lateBookings, theirs.lateBookings], [0, 0])
  assert.is(ours.utilisation, (60 + 5 + 20) / 120)
  const table = asTable({ benches: 1 }, { fernlab: ours, other: theirs })
  assert.match(table, /^utilisation +70\.8 % +70\.8 %$/m)
})

test('Jain’s index is 1 for equal shares, and a part of it where one has all', () => {
  assert.equal([jain([2, 2, 2]), jain([1, 0, 0, 0]), jain([])], [1, 0.25, 1])
})

test('what a hub recorded is played again', async () => {
  const path = join(tmpdir(), `fernlab-simulate-${process.pid}.db`)
  const database = await openDatabase({ path, migrations })
  const run = `INSERT INTO run (id, person_id, lab, lab_version, protocol, protocol_digest, restart, parameters, priority,
    state, attempt, created_at, estimated_s) VALUES (?, 'p', 'l', 1, 'q', 'd', 'never', '{}', 5, 'succeeded', 1, ?, 30)`
  const attempt = `INSERT INTO attempt (run_id, attempt, node, bench, fence, state, assigned_at, ended_at)
    VALUES (?, ?, 'n', 'n.b', 1, ?, ?, ?)`
  try {
    await database.write([
      { sql: run, params: ['one', 1000] },
      { sql: run, params: ['two', 2000] },
      { sql: attempt, params: ['one', 1, 'refused', 1000, 1500] },
      { sql: attempt, params: ['one', 2, 'succeeded', 2000, 22_000] },
      { sql: attempt, params: ['two', 1, 'succeeded', 30_000, 40_000] },
    ])
    const load = await recordedLoad(path)
    assert.equal([...load.benches], [['n.b', ['l']]])
    assert.equal(
      load.arrivals.map(({ id, atMs, estimatedS, lastsS }) => [id, atMs, estimatedS, lastsS]),
      [
        ['one', 1000, 30, 20],
        ['two', 2000, 30, 10],
      ],
    )
    assert.is(simulate(load, fernlab(load)).waitS.max, 19)
  } finally {
    await database.close()
    for (const end of ['', '-wal', '-shm']) rmSync(`${path}${end}`, { force: true })
  }
})

test.run()
