/** The hub's power is cut twenty times: every run that it accepted exists and ends exactly once, with all its documents. */
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { startFaultLab } from '../../support/faults/fault-lab.ts'
import { pause } from '../../support/faults/hub-client.ts'
import { labId } from '../../support/faults/lab-files.ts'
import { LoopDisk, loopDiskProblem } from '../../support/faults/loop-disk.ts'
import { integrityOf } from '../../support/faults/query.ts'
import { suite } from '../../support/suite.ts'

const CUTS = 20
const test = suite('power cuts on the hub', { timeoutMs: 300_000, fileTimeoutMs: 600_000 })
const problem = loopDiskProblem()

if (problem === undefined) {
  test(`${CUTS} cuts while runs are submitted, assigned and ingested`, async () => {
    const disk = await LoopDisk.make(mkdtempSync(join(tmpdir(), 'fernlab-hub-disk-')), 600)
    const lab = await startFaultLab({ hubData: disk.path })
    const { hub, client, proxy } = lab
    try {
      const ids: string[] = []
      for (let cut = 0; cut < CUTS; cut++) {
        for (let i = 0; i < 2; i++) {
          ids.push(await client.submit({ lab: labId, protocol: 'steps-never', parameters: { points: 3, pause: 0.02 } }))
        }
        await pause((cut * 137) % 900)
        const frozen = hub.freeze()
        proxy.block() // what the hub had not said by now, nobody heard
        await frozen
        const image = await disk.copyImage()
        await hub.kill()
        await disk.replaceBy(image)
        assert.equal(await integrityOf(lab.database), ['ok'])
        proxy.unblock()
        await hub.start()
      }
      const records = await lab.check(ids)
      assert.is(records.length, CUTS * 2)
      for (const { id, state } of records) assert.is(state, 'succeeded', id)
    } finally {
      await lab.close()
      await disk.remove()
    }
  })
} else {
  test.skip('twenty cuts while runs are submitted, assigned and ingested', problem)
}

test.run()
