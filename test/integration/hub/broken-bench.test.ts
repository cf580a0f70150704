/** What becomes of people whose bench breaks down under them. */
import type { Run } from '@fernlab/shared/contracts/api'
import type { Assignment } from '@fernlab/shared/contracts/sync'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'
import { admin, startTestHub, student, type TestHub, until } from './hub-with-node.ts'
import { documentsOf, type ScriptedNode, startScriptedNode } from './scripted-node.ts'

const test = suite('people whose bench breaks down', { timeoutMs: 60_000 })
let lab: TestHub
let node: ScriptedNode

test.before.each(async () => {
  lab = await startTestHub()
  node = await startScriptedNode(lab, 'n')
})
test.after.each(async () => {
  await node.close()
  await lab.close()
})

const submit = async (who = student, protocol = 'safe', priority?: number) =>
  (await lab.hub.runs.submit(who, { lab: 'small', protocol, ...(priority === undefined ? {} : { priority }) })).id
const run = async (id: string) => (await lab.hub.runs.get(id)) as Run
/** The bench takes the run, and loses its instrument. */
const breakDown = async (assignment: Assignment, on = node) => {
  await on.accept(assignment)
  const [start, , , stop] = documentsOf(assignment, {
    state: 'failed',
    reason: 'box was lost during the run: unplugged',
    error: {
      code: 'instrument-lost',
      kind: 'instrument',
      retry: 'later',
      message: 'box was lost during the run: unplugged',
      studentMessage: 'An instrument was lost.',
    },
    rows: {},
    documents: 1,
  })
  if (start === undefined || stop === undefined) throw new Error('there are four documents')
  await on.documents(start, { ...stop, seq: 1 })
}
const sorry =
  'we are sorry: the bench broke down (box was lost during the run: unplugged); you are back at the head of the queue'

test('they are next, before those of a sooner priority, with an apology, and nothing of it counts as use', async () => {
  const first = await submit()
  const held = await node.take()
  const sooner = await submit(admin, 'safe', 1)
  await breakDown(held)
  await until(async () => (await run(first)).attempt === 2, 'the run waits again')
  const waits = await run(first)
  assert.equal([waits.state, waits.reason, waits.position], ['queued', sorry, 1])
  assert.match(waits.waitReason ?? '', /box was lost during the run/)
  assert.is((await run(sooner)).position, 2)
  await lab.restart()
  assert.equal([(await run(first)).position, (await run(first)).reason], [1, sorry], 'a restart changes nothing')
})

test('it starts again on another bench at once', async () => {
  const other = await startScriptedNode(lab, 'other')
  const first = await submit()
  await until(() => node.assigned.length + other.assigned.length === 1, 'an assignment')
  const [broken, sound] = node.assigned.length > 0 ? [node, other] : [other, node]
  await breakDown(await broken.take(), broken)
  const again = await sound.take()
  assert.equal([again.runId, again.attempt], [first, 2])
  await sound.accept(again)
  await sound.documents(...documentsOf(again))
  assert.is((await lab.final(first)).state, 'succeeded')
  await other.close()
})

test('what must not be repeated has failed, and says why', async () => {
  const id = await submit(student, 'set')
  await breakDown(await node.take())
  const ended = await lab.final(id)
  assert.equal([ended.state, ended.error?.code], ['failed', 'instrument-lost'])
})

test.run()
