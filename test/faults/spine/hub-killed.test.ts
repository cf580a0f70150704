/** The hub, and the broker in it, is killed (-9) at every named point; every run that it accepted ends exactly once. */
import { type FaultPoint, faultPoints } from '@fernlab/hub/fault-point'
import * as assert from 'uvu/assert'
import { type FaultLab, node, startFaultLab } from '../../support/faults/fault-lab.ts'
import { pause, within } from '../../support/faults/hub-client.ts'
import { labId } from '../../support/faults/lab-files.ts'
import { suite } from '../../support/suite.ts'

// The last test starts the hub ten times, each of which takes 3 to 5 s on a busy machine.
const test = suite('the hub is killed', { timeoutMs: 120_000 })
let lab: FaultLab

test.before(async () => {
  lab = await startFaultLab()
})
test.after(() => lab.close())

async function restartArmed(point: FaultPoint): Promise<void> {
  const { hub, client } = lab
  await hub.stop()
  if (point === 'before-welcome' || point === 'after-welcome') {
    // These are passed as soon as the node is back, before anything could be submitted.
    hub.launch({ FERNLAB_FAULT_POINT: point })
    return
  }
  await hub.start({ FERNLAB_FAULT_POINT: point })
  await client.online(node)
}

/** What has to happen, besides a run, for the hub to pass the point. */
async function provoke(point: FaultPoint, id: string): Promise<void> {
  const { client, edge } = lab
  if (point.includes('cancel')) {
    await client.reached(id, ['running'])
    await client.insist('POST', `/api/v1/runs/${id}/cancel`)
  }
  if (point.includes('requeue')) {
    await client.reached(id, ['running'])
    edge.watch()
    edge.signal('SIGKILL')
    await edge.ended()
    await edge.settled()
    edge.unwatch()
  }
}

for (const point of faultPoints) {
  test(`at ${point}`, async () => {
    const { hub, client } = lab
    await restartArmed(point)
    const ended = hub.ended()
    hub.watch()
    const slow = { points: point.includes('cancel') ? 300 : 20 }
    const first = await client.submit({
      lab: labId,
      protocol: point.includes('requeue') ? 'steps-safe' : 'steps-never',
      ...(/cancel|requeue/.test(point) ? { parameters: slow } : {}),
    })
    const second = await client.submit({ lab: labId, protocol: 'steps-safe' })
    await provoke(point, first)
    assert.is(await within(30_000, `the hub passing ${point}`, ended), 'SIGKILL')
    await hub.settled()
    const [one, other] = await lab.check([first, second])
    hub.unwatch()
    const expected = point.includes('cancel') ? ['cancelled'] : ['succeeded']
    assert.ok(
      one !== undefined && expected.includes(one.state),
      `the first is ${one?.state}: ${one?.history.join(' → ')}`,
    )
    assert.is(other?.state, 'succeeded')
    assert.is(one?.attempts.length, point.includes('requeue') ? 2 : 1, 'a dead hub is no reason to run anything twice')
  })
}

test('killed ten times while runs are submitted and run; a key submits once', async () => {
  const { hub, client } = lab
  hub.watch()
  const ids: string[] = []
  for (let i = 0; i < 10; i++) {
    const body = { lab: labId, protocol: 'steps-never', parameters: { points: 3 } }
    const key = `key-${i}`
    const submitted = client.submit(body, key)
    await pause((i * 97) % 250)
    hub.signal('SIGKILL')
    await hub.ended()
    const id = await submitted
    await hub.settled()
    assert.is(await client.submit(body, key), id, 'the same key is the same run')
    ids.push(id)
  }
  const records = await lab.check(ids)
  hub.unwatch()
  assert.is(new Set(ids).size, 10)
  for (const { id, state } of records) assert.is(state, 'succeeded', id)
})

test.run()
