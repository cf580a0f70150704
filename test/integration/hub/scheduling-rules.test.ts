/** What the scheduler reads from the database: bench time used lately, the place of a run, the site's rules. */
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createScheduling } from '@fernlab/hub/scheduling/scheduling'
import { migrations } from '@fernlab/hub/store/migrations'
import { openStore } from '@fernlab/hub/store/store'
import { ManualClock } from '@fernlab/shared/primitives/clock'
import { newRunId } from '@fernlab/shared/primitives/ids'
import { silentLog as log } from '@fernlab/shared/primitives/log'
import { openDatabase } from '@fernlab/shared/storage/database'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('what the scheduler keeps', { timeoutMs: 20_000 })
const hour = 3_600_000
const now = Date.UTC(2026, 9, 1)
const path = join(tmpdir(), `fernlab-scheduling-${process.pid}.db`)

const insertRun = `INSERT INTO run (id, person_id, lab, lab_version, protocol, protocol_digest, restart, parameters,
  priority, state, attempt, created_at) VALUES (?, ?, 'l', 1, 'q', 'd', 'never', '{}', ?, ?, 1, ?)`

test.after(() => rm(path, { force: true }))

test('priorities of an earlier release are turned round, and bench time of the window is known after a restart', async () => {
  const before = migrations.slice(
    0,
    migrations.findIndex(({ name }) => name === '009-scheduling'),
  )
  const earlier = await openDatabase({ path, migrations: before })
  const rows: [string, string, number, number, number, string][] = [
    // Person, priority, hours ago that it ended, minutes that it took, how the attempt ended.
    ['old', 'ada', 0, 200, 60, 'succeeded'],
    ['one', 'ada', 9, 100, 30, 'succeeded'],
    ['two', 'ada', 3, 1, 6, 'cancelled'],
    ['three', 'bob', 5, 2, 3, 'failed'],
    ['four', 'bob', 0, 2, 50, 'refused'],
  ]
  for (const [, person, priority, agoH, minutes, state] of rows) {
    const endedAt = now - agoH * hour
    const id = newRunId(endedAt - hour)
    await earlier.write([
      { sql: insertRun, params: [id, person, priority, 'succeeded', endedAt - hour] },
      {
        sql: "INSERT INTO attempt (run_id, attempt, node, bench, fence, state, assigned_at, ended_at) VALUES (?, 1, 'n', 'n.b', 1, ?, ?, ?)",
        params: [id, state, endedAt - minutes * 60_000, endedAt],
      },
    ])
  }
  await earlier.close()

  const clock = new ManualClock(now)
  const store = await openStore({ url: `sqlite:${path}`, log })
  const priorities = await store.db.selectFrom('run').select('priority').orderBy('id').execute()
  assert.equal(
    priorities.map(({ priority }) => priority),
    [5, 1, 1, 5, 2],
  )
  let windowMs = 0
  const scheduling = createScheduling({ store, clock, onChange: (rules) => (windowMs = rules.windowMs) })
  const { used } = await scheduling.load()
  assert.equal([used.of('ada'), used.of('bob'), used.of('eve')], [36 * 60, 180, 0])

  assert.equal(await scheduling.rules(), { stepMinutes: 10, windowHours: 168, graceMinutes: 10, warningMinutes: 5 })
  await scheduling.change({ stepMinutes: 30, windowHours: 24, graceMinutes: 5, warningMinutes: 2 }, 'somebody')
  assert.is(windowMs, 24 * hour)
  assert.equal(await scheduling.rules(), { stepMinutes: 30, windowHours: 24, graceMinutes: 5, warningMinutes: 2 })
  const again = await scheduling.load()
  assert.equal([again.used.of('ada'), again.rules.stepMs], [6 * 60, 1_800_000])
  const audit = await store.db.selectFrom('audit').select(['person_id', 'action', 'detail']).execute()
  assert.equal(audit, [
    {
      person_id: 'somebody',
      action: 'settings.scheduling',
      detail: JSON.stringify({
        from: { stepMinutes: 10, windowHours: 168, graceMinutes: 10, warningMinutes: 5 },
        to: { stepMinutes: 30, windowHours: 24, graceMinutes: 5, warningMinutes: 2 },
      }),
    },
  ])
  await store.close()
})

test.run()
