/** The hub's disk is full: new runs are refused, everything else is served, and what nodes hold waits there. */
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { type FaultLab, startFaultLab } from '../../support/faults/fault-lab.ts'
import { pause } from '../../support/faults/hub-client.ts'
import { labId } from '../../support/faults/lab-files.ts'
import { LoopDisk, loopDiskProblem } from '../../support/faults/loop-disk.ts'
import { suite } from '../../support/suite.ts'

const test = suite('the disk is full on the hub', { timeoutMs: 120_000 })
const problem = loopDiskProblem()

if (problem === undefined) {
  let disk: LoopDisk
  let lab: FaultLab
  test.before(async () => {
    disk = await LoopDisk.make(mkdtempSync(join(tmpdir(), 'fernlab-hub-disk-')), 700)
    lab = await startFaultLab({ hubData: disk.path })
  })
  test.after(async () => {
    await lab.close()
    await disk.remove()
  })

  test('new runs answer 507, all else is served, and runs are taken again once there is room', async () => {
    const { client } = lab
    const before = await client.submit({ lab: labId, protocol: 'steps-never' })
    await lab.check([before])
    const running = await client.submit({ lab: labId, protocol: 'stream', parameters: { duration: 3, rate: 20_000 } })
    await client.reached(running, ['running'])
    disk.fill()
    const body = { lab: labId, protocol: 'steps-never', parameters: {} }
    let answer = await client.ask('POST', '/api/v1/runs', body, { 'idempotency-key': 'full' })
    for (let tries = 0; answer.status !== 507 && tries < 120; tries++) {
      await pause(200)
      answer = await client.ask('POST', '/api/v1/runs', body, { 'idempotency-key': `full-${tries}` })
    }
    assert.is(answer.status, 507)
    assert.match(JSON.stringify(answer.body), /room|disk|space/i)
    for (const path of [
      '/healthz',
      '/api/v1/labs',
      `/api/v1/labs/${labId}`,
      '/api/v1/runs',
      `/api/v1/runs/${before}`,
      '/api/v1/nodes',
      '/api/v1/benches',
      '/metrics',
    ]) {
      assert.is((await client.ask('GET', path)).status, 200, path)
    }
    assert.is((await client.ask('GET', `/api/v1/runs/${before}/documents`)).status, 200)
    assert.is((await client.ask('GET', `/api/v1/runs/${before}/data.csv?stream=primary`)).status, 200)
    disk.free()
    await client.finished(running, 60_000)
    await lab.check([before, running])
    const after = await client.submit(body)
    const [, , run] = await lab.check([before, running, after])
    assert.is(run?.state, 'succeeded')
  })
} else {
  test.skip('new runs answer 507, all else is served, and runs are taken again once there is room', problem)
}

test.run()
