/** The node's disk is full: new assignments are refused with that reason, the present run stops safely, old data is kept. */
import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Run } from '@fernlab/shared/contracts/api'
import type { NodeDocument } from '@fernlab/shared/contracts/documents'
import { decode } from '@fernlab/shared/links/codec'
import * as assert from 'uvu/assert'
import { type FaultLab, node, startFaultLab } from '../../support/faults/fault-lab.ts'
import { type HubClient, pause, within } from '../../support/faults/hub-client.ts'
import { rowsOf, stopOf } from '../../support/faults/invariants.ts'
import { labId, sourceLabId } from '../../support/faults/lab-files.ts'
import { LoopDisk, loopDiskProblem } from '../../support/faults/loop-disk.ts'
import { query } from '../../support/faults/query.ts'
import { suite } from '../../support/suite.ts'

const test = suite('the disk is full on the node', { timeoutMs: 90_000 })
const problem = loopDiskProblem()
const whileUp = 'a run stops safely with that reason, another is not taken, and both go well once there is room'
const overRestart =
  'started again while full, with the end of a run only in memory: it comes up, and the run is interrupted'

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

  test(whileUp, async () => {
    const { client } = lab
    const before = await client.submit({ lab: labId, protocol: 'steps-never' })
    await lab.check([before])
    const cut = await client.submit({ lab: labId, protocol: 'stream', parameters: { duration: 60, rate: 200_000 } })
    await client.reached(cut, ['running'])
    lab.proxy.block() // documents pile up on the node
    await pause(500)
    disk.fill()
    await untilOff(lab)
    const held = await heldOnFullDisk(lab, cut)
    lab.proxy.unblock()
    await client.online(node)
    await untilHandedOver(lab, cut, held)
    const waiting = await client.submit({ lab: sourceLabId, protocol: 'stream' })
    const refused = await within(15_000, 'a refusal that names the disk', untilRefused(client, waiting))
    assert.is(refused.state, 'queued', 'it is refused by the node for now, and waits')
    disk.free()
    const [old, stopped, after] = await lab.check([before, cut, waiting])
    assert.is(old?.state, 'succeeded')
    assert.is(stopped?.state, 'failed')
    assert.match(stopped?.reason ?? '', /^the node's disk takes no more data: /)
    assert.ok(rowsOf(stopOf(stopped?.attempts.at(-1)?.documents)) > 0, 'what it had recorded is kept')
    assert.is(after?.state, 'succeeded')
  })

  test(overRestart, async () => {
    const { client, edge, proxy } = lab
    const cut = await client.submit({ lab: labId, protocol: 'stream', parameters: { duration: 60, rate: 200_000 } })
    await client.reached(cut, ['running'])
    proxy.block()
    await pause(500)
    disk.fill()
    await untilOff(lab)
    const held = await heldOnFullDisk(lab, cut)
    await edge.stop()
    await edge.start()
    proxy.unblock()
    await client.online(node)
    await untilHandedOver(lab, cut, held)
    const id = await client.submit({ lab: sourceLabId, protocol: 'stream' })
    await within(15_000, 'a refusal that names the disk', untilRefused(client, id))
    disk.free()
    const [first, second] = await lab.check([cut, id])
    assert.is(first?.state, 'interrupted')
    assert.ok(rowsOf(stopOf(first?.attempts.at(-1)?.documents)) > 0, 'what it had recorded is kept')
    assert.is(second?.state, 'succeeded')
  })
} else {
  test.skip(whileUp, problem)
  test.skip(overRestart, problem)
}

/** Reads what the node holds of the run, and its settings; returns the last document's number. */
async function heldOnFullDisk({ nodeFolder }: FaultLab, id: string): Promise<number> {
  const settings = JSON.parse(readFileSync(join(nodeFolder, 'settings.json'), 'utf8'))
  assert.is(settings.node, node)
  const sql = 'SELECT seq, bytes FROM document WHERE run_id = ? ORDER BY seq'
  const [rows = []] = await query(join(nodeFolder, 'node.db'), [{ sql, params: [id] }])
  const documents = rows.map(({ bytes }) => decode(bytes as Uint8Array) as NodeDocument)
  const from = documents[0]?.seq ?? 0
  assert.equal(
    documents.map(({ seq }) => seq),
    documents.map((_, at) => from + at),
  )
  assert.ok(documents.some((document) => document.name === 'event_page' && document.doc.count > 0))
  return from + documents.length - 1
}

/** Resolves when the hub has the run's documents up to this one. */
async function untilHandedOver({ database }: FaultLab, id: string, seq: number): Promise<void> {
  const sql = 'SELECT next_seq FROM attempt WHERE run_id = ?'
  const look = async () => {
    for (;;) {
      const [[attempt] = []] = await query(database, [{ sql, params: [id] }])
      if (Number(attempt?.next_seq) > seq) return
      await pause(100)
    }
  }
  await within(20_000, 'the hub getting what the full disk holds', look())
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
