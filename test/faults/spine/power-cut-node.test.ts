/** The node's power is cut twenty times: nothing that it acknowledged is lost, and every run ends exactly once. */
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MOST_RESTARTS } from '@fernlab/hub/ingest/judge-stop'
import * as assert from 'uvu/assert'
import { type FaultLab, node, startFaultLab } from '../../support/faults/fault-lab.ts'
import { pause } from '../../support/faults/hub-client.ts'
import { type RunRecord, stopOf } from '../../support/faults/invariants.ts'
import { labId } from '../../support/faults/lab-files.ts'
import { LoopDisk, loopDiskProblem } from '../../support/faults/loop-disk.ts'
import { integrityOf, query } from '../../support/faults/query.ts'
import { suite } from '../../support/suite.ts'

const CUTS = 20
const test = suite('power cuts on the node', { timeoutMs: 300_000, fileTimeoutMs: 600_000 })
const problem = loopDiskProblem()

async function cutPower(lab: FaultLab, disk: LoopDisk): Promise<void> {
  const { edge, proxy } = lab
  const frozen = edge.freeze()
  proxy.block() // nothing more leaves the node: what it had not sent by now, nobody was told
  await frozen
  const image = await disk.copyImage()
  await edge.kill()
  await disk.replaceBy(image)
  proxy.unblock()
}

/** Holds the node's disk against what the hub has from the node: the node said that all of it was on disk. */
async function assertNothingToldIsLost({ database, nodeFolder }: FaultLab): Promise<void> {
  const attempts = 'SELECT run_id, attempt, next_seq FROM attempt'
  const [told = []] = await query(database, [
    { sql: `${attempts} WHERE ended_at IS NULL AND next_seq > 0`, params: [] },
  ])
  const [held = []] = await query(join(nodeFolder, 'node.db'), [{ sql: attempts, params: [] }])
  for (const { run_id, attempt, next_seq } of told) {
    const kept = held.find((one) => one.run_id === run_id && one.attempt === attempt)
    assert.ok(kept, `the node has lost attempt ${attempt} of ${run_id}`)
    assert.ok(
      Number(kept.next_seq) >= Number(next_seq),
      `the node has ${kept.next_seq} documents of ${run_id}/${attempt}, the hub ${next_seq}`,
    )
  }
}

/** Fails unless each attempt but the last was cut while it ran, and the last ended as its protocol says. */
function assertCutAsItSays({ id, state, restart, attempts }: RunRecord): void {
  const ends = attempts.map((attempt) => attempt.state)
  const most = restart === 'safe' ? 1 + MOST_RESTARTS : 1
  const cut = state === 'succeeded' ? attempts.slice(0, -1) : attempts
  for (const attempt of cut) {
    assert.is(stopOf(attempt.documents)?.reason, 'the node was restarted while the run was under way', `${id}: ${ends}`)
  }
  if (state === 'succeeded') assert.ok(cut.length < most, `${id} (${restart}) ran again: ${ends}`)
  else assert.equal([state, attempts.length], ['interrupted', most], `${id} (${restart}): ${ends}`)
}

if (problem === undefined) {
  test(`${CUTS} cuts while runs are accepted, run and hand over`, async () => {
    const disk = await LoopDisk.make(mkdtempSync(join(tmpdir(), 'fernlab-node-disk-')), 48)
    const lab = await startFaultLab({ nodeData: disk.path })
    try {
      const ids: string[] = []
      for (let cut = 0; cut < CUTS; cut++) {
        ids.push(await lab.client.submit({ lab: labId, protocol: cut % 3 === 0 ? 'steps-never' : 'steps-safe' }))
        await pause(40 + ((cut * 173) % 1300))
        await cutPower(lab, disk)
        assert.equal(await integrityOf(join(lab.nodeFolder, 'node.db')), ['ok'])
        await assertNothingToldIsLost(lab)
        await lab.edge.start()
        await lab.client.online(node)
      }
      const records = await lab.check(ids)
      for (const record of records) assertCutAsItSays(record)
      const ends = records.flatMap(({ attempts }) => attempts.map(({ state }) => state))
      assert.ok(ends.includes('succeeded') && ends.includes('interrupted'), `cuts met runs under way: ${ends}`)
    } finally {
      await lab.close()
      await disk.remove()
    }
  })
} else {
  test.skip('twenty cuts while runs are accepted, run and hand over', problem)
}

test.run()
