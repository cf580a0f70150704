/** Documents of pictures that no node of ours would send: the run ends as damaged, and what came before is kept. */
import type { NodeDocument } from '@fernlab/shared/contracts/documents'
import { MOST_STILLS, pictureFile } from '@fernlab/shared/contracts/pictures'
import type { Assignment } from '@fernlab/shared/contracts/sync'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'
import { startTestHub, student, type TestHub, until } from './hub-with-node.ts'
import { documentsOf, type ScriptedNode, startScriptedNode } from './scripted-node.ts'

const test = suite('documents of pictures', { timeoutMs: 60_000 })
let lab: TestHub
let node: ScriptedNode

test.before(async () => {
  lab = await startTestHub()
  node = await startScriptedNode(lab, 'n')
})
test.after(async () => {
  await node?.close()
  await lab?.close()
})

const stream = 'view.pictures'
const jpeg = Uint8Array.of(0xff, 0xd8, 0xff, 0xd9)

/** An attempt that has begun, with a camera. */
async function begun() {
  const { id } = await lab.hub.runs.submit(student, { lab: 'small', protocol: 'nothing' })
  const assignment = await node.take()
  await node.accept(assignment)
  const [start, descriptor] = documentsOf(assignment)
  assert.ok(start && descriptor?.name === 'descriptor')
  const dataKeys = { 'view.picture': { dtype: 'string' as const, shape: [], unit: '1', source: 'eye.picture' } }
  await node.documents(start, { ...descriptor, doc: { ...descriptor.doc, stream, dataKeys } })
  return { id, assignment }
}
const key = ({ runId, attempt }: Assignment, seq: number) => ({ runId, attempt, seq })
const picture = (of: Assignment, seq: number, number: number): NodeDocument => ({
  ...key(of, seq),
  name: 'picture',
  doc: { stream, number, time: 1, jpeg },
})
const row = (of: Assignment, seq: number, number: number): NodeDocument => ({
  ...key(of, seq),
  name: 'event_page',
  doc: {
    stream,
    first: number,
    count: 1,
    time: Float64Array.of(1),
    columns: { 'view.picture': [pictureFile('view', number)] },
  },
})
const refused = async (id: string, why: RegExp) => {
  const run = await lab.final(id)
  assert.equal([run.state, run.error?.code], ['failed', 'documents-damaged'])
  assert.match(run.error?.message ?? '', why)
  return run
}

test('a second picture for one row is refused, also by a hub that has started again', async () => {
  for (const restarts of [false, true]) {
    const { id, assignment } = await begun()
    await node.documents(picture(assignment, 2, 0))
    await until(() => node.upTo(id, 1) === 3, 'it is here')
    if (restarts) {
      const { runId, attempt, fence } = assignment
      await lab.restart()
      await until(() => node.link.connected, 'the connection')
      await node.greet([{ runId, attempt, fence, state: 'running', nextSeq: 3, firstHeld: 0 }], fence)
    }
    await node.documents(picture(assignment, 3, 0))
    await refused(id, /document 3: a second picture 0 of view\.pictures/)
  }
})

test('a row without its picture is refused', async () => {
  const { id, assignment } = await begun()
  await node.documents(picture(assignment, 2, 0), row(assignment, 3, 0), row(assignment, 4, 1))
  const run = await refused(id, /document 4: row 1 of view\.pictures has no picture/)
  assert.equal(run.rows, { [stream]: 1 })
})

test('an attempt has as many pictures as it may, and no more', async () => {
  const { id, assignment } = await begun()
  for (let number = 0; number < MOST_STILLS; number++) {
    await node.documents(picture(assignment, 2 + 2 * number, number), row(assignment, 3 + 2 * number, number))
  }
  await until(() => node.upTo(id, 1) === 2 + 2 * MOST_STILLS, 'all are here', 30_000)
  await node.documents(picture(assignment, 2 + 2 * MOST_STILLS, MOST_STILLS))
  const run = await refused(id, /a picture more than the 500 that an attempt may have/)
  assert.equal(run.rows, { [stream]: MOST_STILLS })
})

test.run()
