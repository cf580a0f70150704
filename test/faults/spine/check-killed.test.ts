/**
 * The hub is killed (-9) around a check of a bench that is a run: it is done once, its verdict is kept once, and the bench
 * is held by nobody afterwards.
 */
import { checkFaultPoints } from '@fernlab/hub/fault-point'
import { openStore } from '@fernlab/hub/store/store'
import type { Bench, Run } from '@fernlab/shared/contracts/api'
import { silentLog as log } from '@fernlab/shared/primitives/log'
import * as assert from 'uvu/assert'
import { type FaultLab, node, startFaultLab } from '../../support/faults/fault-lab.ts'
import { pause, within } from '../../support/faults/hub-client.ts'
import { labId } from '../../support/faults/lab-files.ts'
import { suite } from '../../support/suite.ts'

const test = suite('the hub is killed while a bench is checked by a run', { timeoutMs: 90_000 })
const config = {
  lab: labId,
  protocol: 'steps-never',
  parameters: { points: 2 },
  expect: { count: { low: 2, high: 2 } },
}
let lab: FaultLab

test.before(async () => {
  lab = await startFaultLab({ checks: { calibration: { kind: 'protocol', config } } })
  await within(30_000, 'the first check', verdictAfter(0))
})
test.after(() => lab.close())

const id = `${node}.one`
const bench = () => lab.client.get<Bench>(`/api/v1/benches/${id}`)
const done = async () => (await lab.client.get<{ items: Run[] }>(`/api/v1/runs?checks=${id}`)).items
async function verdictAfter(ms: number): Promise<{ at: number; run: string }> {
  for (;;) {
    const { checkedAt, run } = (await bench()).checks?.[0] ?? {}
    if (checkedAt !== undefined && run !== undefined && Date.parse(checkedAt) > ms)
      return { at: Date.parse(checkedAt), run }
    await pause(50)
  }
}
/** Lets it be due, as if a day had passed since the last. */
async function makeDue(): Promise<void> {
  const store = await openStore({ url: `sqlite:${lab.database}`, log })
  const set = { checked_at: Date.now() - 25 * 3_600_000 }
  await store.db.updateTable('bench_check').set(set).where('bench', '=', id).execute()
  await store.close()
}

const after = ['after-assign-publish', 'before-stop-commit', 'after-stop-commit'] as const
for (const point of [...checkFaultPoints, ...after]) {
  test(`at ${point}`, async () => {
    const { hub, client } = lab
    const before = await done()
    const { at } = await verdictAfter(0)
    await hub.kill()
    await makeDue()
    hub.launch({ FERNLAB_FAULT_POINT: point })
    const ended = hub.ended()
    hub.watch()
    assert.is(await within(40_000, `the hub passing ${point}`, ended), 'SIGKILL')
    await hub.settled()
    hub.unwatch()
    const { run } = await within(40_000, 'the verdict', verdictAfter(at))
    const { checks: [check] = [], run: holder } = await bench()
    assert.equal([check?.passed, holder], [true, undefined])
    // Whoever comes has the bench at once.
    const person = await client.submit({ lab: labId, protocol: 'steps-safe', parameters: { points: 1 } })
    const [own] = await lab.check([run, person])
    assert.equal([own?.state, own?.attempts.length], ['succeeded', 1])
    const known = new Set(before.map((one) => one.id))
    const made = (await done()).filter((one) => !known.has(one.id)).map((one) => one.id)
    assert.equal(made, [run], 'neither lost nor doubled')
  })
}

test.run()
