import { rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { nothing } from '@fernlab/hub/permissions/effective'
import { migrations } from '@fernlab/hub/store/migrations'
import { openDatabase } from '@fernlab/shared/storage/database'
import { fernlab } from 'fernlab/simulate/policies'
import { recordedLoad } from 'fernlab/simulate/recorded-load'
import { simulate } from 'fernlab/simulate/simulate'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('what a hub recorded')

test('its runs, bookings, outages and failures are played again', async () => {
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
    const booking = `INSERT INTO booking (id, person_id, lab, starts_at, ends_at, clean_up_ms, places, state, created_at,
      created_by, ended_at, cancelled_at, run_id) VALUES (?, 'p', 'l', ?, ?, 0, 1, ?, ?, 'p', ?, ?, ?)`
    await database.write([
      { sql: booking, params: ['used', 50_000, 80_000, 'over', 1, 70_000, null, 'three'] },
      { sql: booking, params: ['missed', 80_000, 99_000, 'missed', 2, 82_000, null, null] },
      { sql: booking, params: ['given back before', 50_000, 80_000, 'cancelled', 3, null, 4, null] },
      { sql: booking, params: ['to come', 900_000, 950_000, 'booked', 4, null, null, null] },
      { sql: run, params: ['three', 50_000] },
      { sql: run, params: ['check', 90_000] },
      { sql: "UPDATE run SET booking_id = 'used' WHERE id = 'three'" },
      { sql: "UPDATE run SET bench_check = 'c' WHERE id = 'check'" },
      { sql: attempt, params: ['three', 1, 'succeeded', 50_000, 70_000] },
      { sql: attempt, params: ['check', 1, 'succeeded', 90_000, 95_000] },
    ])
    const outage = `INSERT INTO bench_outage (id, bench, reason, at_once, from_at, until_at, weekly, created_by, created_at,
      ended_at) VALUES (?, ?, 'fuse', 0, ?, ?, ?, 's', ?, ?)`
    const night = JSON.stringify({ days: ['thu'], from: '00:00', until: '00:01', timeZone: 'UTC' })
    const history = 'INSERT INTO bench_history (bench, at, state, cause, letter) VALUES (?, ?, ?, ?, ?)'
    await database.write([
      { sql: outage, params: ['o', 'n.b', 10_000, 40_000, null, 5000, 20_000] },
      { sql: outage, params: ['w', 'n.b', null, null, night, 30_000, null] },
      { sql: outage, params: ['elsewhere', 'n.c', 1, 2, null, 1, null] },
      { sql: history, params: ['n.b', 61_000, 'offline', 'node', 'none'] },
      { sql: history, params: ['n.b', 62_000, 'fault', 'check', 'none'] },
      { sql: history, params: ['n.b', 63_000, 'up', 'bench', 'none'] },
      { sql: history, params: ['n.b', 64_000, 'maintenance', 'staff', 'none'] },
    ])
    const benches = await recordedLoad(path)
    const closings = [...(benches.closed?.get('n.b') ?? [])]
    assert.equal([...(benches.closed?.keys() ?? [])], ['n.b'])
    assert.equal(
      closings.map(({ plan, endedMs }) => [plan.id, plan.createdAt, endedMs]),
      [
        ['o', 5000, 20_000],
        ['w', 30_000, undefined],
      ],
    )
    assert.is(benches.closedS, 40, 'from 10 to 20, when it was ended, and from 30, when it was made, to 60')
    assert.equal(benches.failures, [{ bench: 'n.b', atMs: 61_000, backMs: 63_000 }])
    await database.write([{ sql: 'DELETE FROM bench_outage' }, { sql: 'DELETE FROM bench_history' }])
    const more = await recordedLoad(path)
    assert.equal(more.arrivals, load.arrivals, 'what ran in a booking, and checks, do not queue')
    assert.equal(
      more.bookings.map(({ id, startMs, endMs, leavesMs, bench }) => [id, startMs, endMs, leavesMs, bench]),
      [
        ['used', 50_000, 80_000, 70_000, 'n.b'],
        ['missed', 80_000, 99_000, 82_000, 'n.b'],
      ],
    )
    const played = simulate(more, fernlab(more))
    assert.equal([played.bookings, played.lateBookings, played.served], [2, 0, 2])
  } finally {
    await database.close()
    for (const end of ['', '-wal', '-shm']) rmSync(`${path}${end}`, { force: true })
  }
})

test('who may be bumped is known from its permissions, and from who was bumped', async () => {
  const path = join(tmpdir(), `fernlab-simulate-leave-${process.pid}.db`)
  const database = await openDatabase({ path, migrations })
  const run = `INSERT INTO run (id, person_id, lab, lab_version, protocol, protocol_digest, restart, parameters, priority,
    state, attempt, created_at, estimated_s, bumped_at) VALUES (?, ?, 'l', 1, ?, 'd', 'never', '{}', 5, 'succeeded', 1, ?, 30, ?)`
  const attempt = `INSERT INTO attempt (run_id, attempt, node, bench, fence, state, assigned_at, ended_at)
    VALUES (?, ?, 'n', 'n.b', 1, ?, ?, ?)`
  const permission = `INSERT INTO permission (id, subject_kind, subject, lab, protocols, starts_at, ends_at, gives, created_at)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0)`
  const gives = (mayBeBumped: boolean) => JSON.stringify({ ...nothing, mayQueue: true, mayBeBumped })
  const people = ['staff', 'free', 'course', 'gone'].map((id) => ({
    sql: 'INSERT INTO person (id, role) VALUES (?, ?)',
    params: [id, id === 'staff' ? 'admin' : 'student'],
  }))
  try {
    await database.write([
      { sql: 'DELETE FROM permission' },
      ...people,
      { sql: permission, params: ['all', 'everyone', '', null, null, null, null, gives(true)] },
      { sql: permission, params: ['free', 'person', 'free', 'l', '["q"]', null, null, gives(false)] },
      { sql: permission, params: ['in course', 'group', 'outer', 'l', null, null, null, gives(false)] },
      { sql: "INSERT INTO people_group VALUES ('outer', 'outer', 'group', NULL, NULL, NULL, 0)" },
      { sql: "INSERT INTO people_group VALUES ('inner', 'inner', 'course', 'outer', 5000, 9000, 0)" },
      { sql: "INSERT INTO group_member VALUES ('inner', 'course', 'member', 0)" },
      ...[
        ['by staff', 'staff', 'q', 1000, null],
        ['by free', 'free', 'q', 2000, null],
        ['by free, of another', 'free', 'other', 3000, null],
        ['before the course', 'course', 'q', 4000, null],
        ['in the course', 'course', 'q', 6000, null],
        ['after the course', 'course', 'q', 9000, null],
        ['by nobody who is known', 'k3jd', 'q', 9500, null],
        ['bumped', 'k3jd', 'q', 9600, 9700],
        ['bumped and again', 'k3jd', 'q', 9800, null],
      ].flatMap((params, at) => [
        { sql: run, params },
        { sql: attempt, params: [params[0] ?? null, 2, 'succeeded', 20_000 + at, 30_000 + at] },
      ]),
      { sql: attempt, params: ['bumped and again', 1, 'bumped', 9800, 9900] },
    ])
    const { arrivals } = await recordedLoad(path)
    assert.equal(
      arrivals.filter(({ mayBeBumped }) => mayBeBumped).map(({ id }) => id),
      ['by free, of another', 'before the course', 'after the course', 'bumped', 'bumped and again'],
    )
    assert.is(arrivals.length, 9)
  } finally {
    await database.close()
    for (const end of ['', '-wal', '-shm']) rmSync(`${path}${end}`, { force: true })
  }
})

test.run()
