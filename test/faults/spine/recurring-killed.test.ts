/** The hub is killed (-9) as it makes the run of a due time: the due time has one run, neither none nor two. */
import { recurringFaultPoints } from '@fernlab/hub/fault-point'
import { openStore } from '@fernlab/hub/store/store'
import type { Run } from '@fernlab/shared/contracts/api'
import type { Recurring } from '@fernlab/shared/contracts/recurring'
import { silentLog as log } from '@fernlab/shared/primitives/log'
import * as assert from 'uvu/assert'
import { type FaultLab, startFaultLab } from '../../support/faults/fault-lab.ts'
import { pause, within } from '../../support/faults/hub-client.ts'
import { labId } from '../../support/faults/lab-files.ts'
import { suite } from '../../support/suite.ts'

const test = suite('the hub is killed while it makes a recurring run', { timeoutMs: 60_000 })
let lab: FaultLab

test.before(async () => {
  lab = await startFaultLab()
})
test.after(() => lab.close())

/** Lets its next due time be one that has passed. */
async function makeDue(id: string): Promise<number> {
  const minuteMs = 60_000
  const due = Math.floor(Date.now() / minuteMs) * minuteMs - minuteMs
  const store = await openStore({ url: `sqlite:${lab.database}`, log })
  const set = { due_at: due, decided_at: due - minuteMs }
  await store.db.updateTable('recurring').set(set).where('id', '=', id).execute()
  await store.close()
  return due
}

for (const point of [...recurringFaultPoints, 'before-submit-commit', 'after-submit-commit'] as const) {
  test(`at ${point}`, async () => {
    const { hub, client } = lab
    const body = { name: point, lab: labId, protocol: 'steps-never', parameters: { points: 2 } }
    const { body: made } = await client.insist('POST', '/api/v1/recurring', { ...body, cron: '*/2 * * * *' })
    const { id } = made as Recurring
    await hub.kill()
    const due = await makeDue(id)
    hub.launch({ FERNLAB_FAULT_POINT: point })
    const ended = hub.ended()
    hub.watch()
    assert.is(await within(30_000, `the hub passing ${point}`, ended), 'SIGKILL')
    await hub.settled()
    const last = async () => (await client.get<Recurring>(`/api/v1/recurring/${id}`)).last
    const decided = async () => {
      while ((await last()).length === 0) await pause(100)
    }
    await within(30_000, 'the due time being decided', decided())
    await client.insist('POST', `/api/v1/recurring/${id}/pause`)
    hub.unwatch()
    const { items } = await client.get<{ items: Run[] }>(`/api/v1/runs?recurring=${id}`)
    const times = await last()
    assert.is(items.length, times.length, 'each due time has one run')
    assert.ok(times.every(({ outcome }) => outcome === 'run'))
    assert.ok(times.some((time) => Date.parse(time.due) >= due))
    await lab.check(items.map((run) => run.id))
  })
}

test.run()
