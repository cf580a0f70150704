/** The broker, and the hub around it, is killed (-9) at every place that a client or a message passes in it. */
import { type BrokerFaultPoint, brokerFaultPoints } from '@fernlab/hub/fault-point'
import * as assert from 'uvu/assert'
import { type FaultLab, startFaultLab } from '../../support/faults/fault-lab.ts'
import { within } from '../../support/faults/hub-client.ts'
import { labId } from '../../support/faults/lab-files.ts'
import { suite } from '../../support/suite.ts'

const test = suite('the broker is killed', { timeoutMs: 60_000 })
let lab: FaultLab

test.before(async () => {
  lab = await startFaultLab()
})
test.after(() => lab.close())

/** Passed as the node connects: the run is under way already when the armed broker comes up. */
const whileConnecting: readonly BrokerFaultPoint[] = [
  'before-connect-judged',
  'after-connect-judged',
  'after-connack',
  'on-subscribe',
  'before-retained-written',
  'before-inventory-routed',
  'before-welcome-written',
]

/** A short run may be over by the time that one looks; the broker passes its points all the same. */
const underWay = ['running', 'succeeded']

/** What has to happen, besides a run that is under way, for the broker to pass the point. */
const provocations: Partial<Record<BrokerFaultPoint, (id: string) => Promise<void> | void>> = {
  // A node answers by itself only an assignment that it need not begin with: one that it has already.
  'before-accepted-routed': () => lab.proxy.replay(lab.proxy.kept('assign').at(-1) ?? Buffer.alloc(0), 'node'),
  'before-cancel-written': cancel,
  'after-cancel-written': cancel,
  'before-will-routed': () => lab.proxy.dropAll(),
  'on-disconnect': () => lab.proxy.dropAll(),
  'on-take-over': () => lab.proxy.orphan(),
}

async function cancel(id: string): Promise<void> {
  await lab.client.insist('POST', `/api/v1/runs/${id}/cancel`)
}

for (const point of brokerFaultPoints) {
  test(`at ${point}`, async () => {
    const { hub, client } = lab
    // One that is to be cancelled has to outlast the restart.
    const points = point.includes('cancel') ? 300 : 6
    const submit = () => client.submit({ lab: labId, protocol: 'steps-never', parameters: { points } })
    let id: string | undefined
    if (whileConnecting.includes(point)) {
      id = await submit()
      await client.reached(id, underWay)
    }
    await hub.kill()
    hub.launch({ FERNLAB_FAULT_POINT: point })
    const ended = hub.ended()
    hub.watch()
    id ??= await submit()
    const provoke = provocations[point]
    if (provoke !== undefined) {
      await client.reached(id, underWay)
      await provoke(id)
    }
    assert.is(await within(30_000, `the broker passing ${point}`, ended), 'SIGKILL')
    await hub.settled()
    const [run] = await lab.check([id])
    hub.unwatch()
    assert.is(run?.state, point.includes('cancel') ? 'cancelled' : 'succeeded')
    assert.is(run?.attempts.length, 1, 'a dead broker is no reason to run anything twice')
  })
}

test.run()
