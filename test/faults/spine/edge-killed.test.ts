/** The node is killed (-9) at every named point; whatever was accepted ends exactly once, with its data, and a safe bench. */
import { type FaultPoint, faultPoints } from '@fernlab/edge/fault-point'
import { MOST_RESTARTS } from '@fernlab/hub/ingest/judge-stop'
import * as assert from 'uvu/assert'
import { type FaultLab, node, startFaultLab } from '../../support/faults/fault-lab.ts'
import { within } from '../../support/faults/hub-client.ts'
import { rowsOf, stopOf } from '../../support/faults/invariants.ts'
import { labId } from '../../support/faults/lab-files.ts'
import { suite } from '../../support/suite.ts'

const test = suite('the node is killed', { timeoutMs: 60_000 })
let lab: FaultLab

test.before(async () => {
  lab = await startFaultLab()
})
test.after(() => lab.close())

/** Points at which the attempt has not begun: the node takes it up again and it runs once. */
const beforeItRuns: readonly FaultPoint[] = ['after-receive-assign', 'before-accept-commit', 'before-start-commit']
/** Points after the stop document is on disk: nothing is left to interrupt. */
const afterItEnded: readonly FaultPoint[] = ['after-stop-commit']
/** Points that are passed once the hub has had its turn. */
const afterTheHub: readonly FaultPoint[] = ['after-send-accepted', 'after-acknowledge']
/** Points at which a page is on disk and the stop document is not: that page is what a run leaves behind. */
const cutWithRows: readonly FaultPoint[] = [
  'after-page-commit',
  'before-safe-stop',
  'during-safe-stop',
  'before-stop-commit',
]

/** How the attempts of the run end that is under way at the point. */
function attemptsOf(point: FaultPoint, restart: 'safe' | 'never' | undefined): string[] {
  if (beforeItRuns.includes(point) || afterItEnded.includes(point)) return ['succeeded']
  // Everywhere else its start document is on disk, and its stop document is not.
  return restart === 'safe' ? ['interrupted', 'succeeded'] : ['interrupted']
}

const firstOf = (point: FaultPoint, at: number) =>
  at % 2 === 0 || cutWithRows.includes(point) ? ['steps-never', 'steps-safe'] : ['steps-safe', 'steps-never']

faultPoints.forEach((point, at) => {
  test(`at ${point}`, async () => {
    const { edge, client } = lab
    await edge.stop()
    // Before it are the page commits of two descriptors.
    await edge.start({ FERNLAB_FAULT_POINT: point === 'after-page-commit' ? `${point}:3` : point })
    await client.online(node)
    const endsBefore = edge.ends.length
    const ended = edge.ended()
    edge.watch()
    const ids: string[] = []
    // Long enough for a page to be on disk, or the hub to have answered, before the last step is done.
    const parameters = { points: afterTheHub.includes(point) ? 40 : 16 }
    for (const protocol of firstOf(point, at)) ids.push(await client.submit({ lab: labId, protocol, parameters }))
    if (point === 'after-send-accepted') {
      // A node answers by itself only an assignment that it need not begin with: one that it has already.
      await client.reached(ids[0] ?? '', ['running'])
      lab.proxy.replay(lab.proxy.kept('assign').at(-1) ?? Buffer.alloc(0), 'node')
    }
    const how = await within(30_000, `the node passing ${point}`, ended)
    assert.is(how, 'SIGKILL')
    assert.is(edge.ends.length, endsBefore + 1)
    await edge.settled()
    const [first, second] = await lab.check(ids)
    edge.unwatch()
    assert.is(second?.state, 'succeeded', 'the run that waited is not harmed')
    const expected = attemptsOf(point, first?.restart)
    assert.equal(
      first?.attempts.map(({ state }) => state),
      expected,
    )
    assert.is(first?.state, expected.at(-1))
    if (cutWithRows.includes(point)) assert.ok(rowsOf(stopOf(first?.attempts[0]?.documents)) > 0, 'its rows are kept')
  })
})

test('killed ten times while runs wait and run', async () => {
  const { edge, client } = lab
  edge.watch()
  const ids: string[] = []
  for (let i = 0; i < 10; i++) {
    ids.push(await client.submit({ lab: labId, protocol: i % 2 === 0 ? 'steps-safe' : 'steps-never' }))
    await new Promise((resolve) => setTimeout(resolve, 150 + ((i * 397) % 700)))
    edge.signal('SIGKILL')
    await edge.ended()
    await edge.settled()
  }
  const records = await lab.check(ids)
  edge.unwatch()
  for (const { id, restart, state, attempts } of records) {
    // A run that is killed in each of its three attempts is given up.
    const most = restart === 'safe' ? 1 + MOST_RESTARTS : 1
    if (state === 'succeeded') assert.ok(attempts.length <= most, id)
    else assert.equal([state, attempts.length], ['interrupted', most], id)
  }
})

test.run()
