/** The node's process is killed (-9) around the commit of a picture. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pictureFaultPoints } from '@fernlab/edge/fault-point'
import { pictureFile } from '@fernlab/shared/contracts/pictures'
import * as assert from 'uvu/assert'
import { protocolOf } from '../../support/edge/node.ts'
import { assignmentOf, type ScriptedHub, SITE, startScriptedHub } from '../../support/edge/scripted-hub.ts'
import { OwnProcess } from '../../support/faults/own-process.ts'
import { suite } from '../../support/suite.ts'

const test = suite('the node killed as it takes a picture', { timeoutMs: 60_000 })
const protocol = protocolOf('  - repeat: {times: 4, steps: [{call: {action: view.take_picture}}]}')
let folder: string
let hub: ScriptedHub
let edge: OwnProcess

const isFree = () => {
  const text = hub.retained.get(`fernlab/v1/${SITE}/nodes/n1/benches/bench-1`)
  return text !== undefined && (JSON.parse(text) as { state: string }).state === 'free'
}

test.before.each(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fernlab-kill-'))
  hub = await startScriptedHub('n1')
  hub.repairing = true
  const file = join(folder, 'node.yaml')
  await writeFile(
    file,
    `site: ${SITE}
node: n1
hub: {url: "mqtt://127.0.0.1:${hub.port}"}
instruments:
  eye: {driver: camera, config: {source: {kind: emulated}, width: 160, height: 120}}
benches:
  bench-1: {parts: {view: eye}}
`,
  )
  edge = new OwnProcess({
    name: 'edge',
    script: 'edge/dist/bundle/edge-process.js',
    args: ['--config', file],
    env: { FERNLAB_DATA: folder, FERNLAB_LOG_LEVEL: 'warn' },
    logFile: join(folder, 'edge.log'),
    ready: async () => {
      const before = hub.inventories.length
      await hub.until('an inventory with a free bench', () => hub.inventories.length > before && isFree(), 20_000)
    },
  })
})
test.after.each(async () => {
  await edge.kill()
  edge.close()
  await hub.close()
  await rm(folder, { recursive: true, force: true })
})

for (const point of pictureFaultPoints) {
  test(`killed at ${point}: each picture that is kept is whole and has its row, and no other has one`, async () => {
    await edge.start({ FERNLAB_FAULT_POINT: `${point}:2` })
    const assignment = assignmentOf(protocol)
    await hub.assign(assignment)
    assert.is(await edge.ended(), 'SIGKILL')
    hub.retained.clear()
    await edge.start()
    await hub.until('the run stopped', () => hub.stopped(assignment.runId) !== undefined, 20_000)
    const documents = hub.documents(assignment.runId)
    const stop = documents.at(-1)
    if (stop?.name !== 'stop') throw new Error('the last document is no stop')
    const kept = point === 'before-picture-commit' ? 1 : 2
    assert.equal([stop.doc.state, stop.doc.rows], ['interrupted', { 'view.pictures': kept }])
    const pictures = documents.flatMap((one) => (one.name === 'picture' ? [one.doc] : []))
    const rows = documents.flatMap((one) => (one.name === 'event_page' ? [one.doc] : []))
    assert.equal(
      pictures.map(({ number }) => number),
      Array.from({ length: kept }, (_, number) => number),
    )
    for (const [number, { jpeg, time }] of pictures.entries()) {
      assert.equal([...jpeg.subarray(0, 2), ...jpeg.subarray(-2)], [0xff, 0xd8, 0xff, 0xd9])
      assert.equal([rows[number]?.first, [...(rows[number]?.time ?? [])]], [number, [time]])
      assert.equal(rows[number]?.columns, { 'view.picture': [pictureFile('view', number)] })
    }
    const next = assignmentOf(protocol)
    await hub.until('the bench is free', isFree, 20_000)
    await hub.assign(next)
    await hub.until('the next run stopped', () => hub.stopped(next.runId) !== undefined, 20_000)
    const after = hub.stopped(next.runId)
    assert.ok(after?.name === 'stop' && after.doc.state === 'succeeded')
  })
}

test.run()
