/** The node's disk is full: new assignments are refused with that reason, the present run stops safely, old data is kept. */
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Run } from '@fernlab/shared/contracts/api'
import * as assert from 'uvu/assert'
import { type FaultLab, node, startFaultLab } from '../../support/faults/fault-lab.ts'
import { type HubClient, pause, within } from '../../support/faults/hub-client.ts'
import { labId, sourceLabId } from '../../support/faults/lab-files.ts'
import { LoopDisk, loopDiskProblem } from '../../support/faults/loop-disk.ts'
import { suite } from '../../support/suite.ts'

const test = suite('the disk is full on the node', { timeoutMs: 90_000 })
const problem = loopDiskProblem()

if (problem === undefined) {
  let disk: LoopDisk
  let lab: FaultLab
  test.before(async () => {
    disk = await LoopDisk.make(mkdtempSync(join(tmpdir(), 'fernlab-node-disk-')), 64)
    lab = await startFaultLab({ nodeData: disk.path })
  })
  test.after(async () => {
    await lab.close()
    await disk.remove()
  })

  test('a run stops safely with that reason, another is not taken, and both go well once there is room', async () => {
    const { client } = lab
    const before = await client.submit({ lab: labId, protocol: 'steps-never' })
    await lab.check([before])
    const cut = await client.submit({ lab: labId, protocol: 'stream', parameters: { duration: 60, rate: 200_000 } })
    await client.reached(cut, ['running'])
    lab.proxy.block() // documents pile up on the node
    await pause(500)
    disk.fill()
    await untilOff(lab)
    lab.proxy.unblock()
    await client.online(node)
    const waiting = await client.submit({ lab: sourceLabId, protocol: 'stream' })
    const refused = await within(15_000, 'a refusal that names the disk', untilRefused(client, waiting))
    assert.is(refused.state, 'queued', 'it is refused by the node for now, and waits')
    disk.free()
    const [old, stopped, after] = await lab.check([before, cut, waiting])
    assert.is(old?.state, 'succeeded')
    assert.ok(
      ['failed', 'interrupted', 'partial'].includes(stopped?.state ?? ''),
      `the run that was cut is ${stopped?.state}`,
    )
    assert.match(JSON.stringify(await client.get(`/api/v1/runs/${cut}`)), /disk/i)
    assert.is(after?.state, 'succeeded')
  })

  test('started again while full, with the end of a run only in memory: it comes up, and the run is interrupted', async () => {
    const { client, edge, proxy } = lab
    const cut = await client.submit({ lab: labId, protocol: 'stream', parameters: { duration: 60, rate: 200_000 } })
    await client.reached(cut, ['running'])
    proxy.block()
    await pause(500)
    disk.fill()
    await untilOff(lab)
    await edge.stop()
    await edge.start()
    proxy.unblock()
    await client.online(node)
    const id = await client.submit({ lab: sourceLabId, protocol: 'stream' })
    await within(15_000, 'a refusal that names the disk', untilRefused(client, id))
    disk.free()
    const [first, second] = await lab.check([cut, id])
    assert.is(first?.state, 'interrupted')
    assert.is(second?.state, 'succeeded')
  })
} else {
  test.skip('a run stops safely with that reason, another is not taken, and both go well once there is room', problem)
}

async function untilOff({ instruments }: FaultLab): Promise<void> {
  const look = async () => {
    while ((await instruments.supply()).on) await pause(10)
  }
  await within(20_000, 'the safe stop', look())
}

async function untilRefused(client: HubClient, id: string): Promise<Run> {
  for (;;) {
    const run = await client.get<Run>(`/api/v1/runs/${id}`)
    if (/disk/i.test(`${run.waitReason} ${run.reason}`)) return run
    await pause(100)
  }
}

test.run()
