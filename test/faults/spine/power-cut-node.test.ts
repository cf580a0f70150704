/** The node's power is cut twenty times: nothing that it acknowledged is lost, and every run ends exactly once. */
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { type FaultLab, node, startFaultLab } from '../../support/faults/fault-lab.ts'
import { pause } from '../../support/faults/hub-client.ts'
import { labId } from '../../support/faults/lab-files.ts'
import { LoopDisk, loopDiskProblem } from '../../support/faults/loop-disk.ts'
import { integrityOf } from '../../support/faults/query.ts'
import { suite } from '../../support/suite.ts'

const CUTS = 20
const test = suite('power cuts on the node', { timeoutMs: 300_000, fileTimeoutMs: 600_000 })
const problem = loopDiskProblem()

async function cutPower(lab: FaultLab, disk: LoopDisk): Promise<void> {
  const { edge, proxy } = lab
  edge.signal('SIGSTOP')
  proxy.block() // nothing more leaves the node: what it had not sent by now, nobody was told
  const image = await disk.copyImage()
  await edge.kill()
  await disk.replaceBy(image)
  proxy.unblock()
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
        await lab.edge.start()
        await lab.client.online(node)
      }
      const records = await lab.check(ids)
      for (const { state, id } of records) {
        // Also `restart: safe` ends as interrupted when the power fails three times during the same run.
        assert.ok(state === 'succeeded' || state === 'interrupted', `${id} is ${state}`)
      }
    } finally {
      await lab.close()
      await disk.remove()
    }
  })
} else {
  test.skip('twenty cuts while runs are accepted, run and hand over', problem)
}

test.run()
