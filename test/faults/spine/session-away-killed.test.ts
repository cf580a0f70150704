/** The hub is killed (-9) while it ends the session of a node that stays away: one rest, one holder, and the whole record. */
import { lostFaultPoints } from '@fernlab/hub/fault-point'
import type { Bench } from '@fernlab/shared/contracts/api'
import type { Session } from '@fernlab/shared/contracts/sessions'
import * as assert from 'uvu/assert'
import { type FaultLab, node, startFaultLab } from '../../support/faults/fault-lab.ts'
import { pause, within } from '../../support/faults/hub-client.ts'
import { stopOf } from '../../support/faults/invariants.ts'
import { labId } from '../../support/faults/lab-files.ts'
import { suite } from '../../support/suite.ts'

const test = suite('the hub is killed while it ends the session of a node that is away', { timeoutMs: 200_000 })
let lab: FaultLab

test.before(async () => {
  lab = await startFaultLab({
    session: {
      seconds: 600,
      prepare: [{ set: { 'supply.voltage': 1 } }],
      cleanUp: [{ set: { 'supply.voltage': 0.5 } }, { read: { signals: ['meter.voltage'] } }],
    },
  })
})
test.after(() => lab.close())

const session = (id: string) => lab.client.get<Session>(`/api/v1/sessions/${id}`)
const holds = async (what: string, condition: () => Promise<boolean>) => {
  const looking = (async () => {
    while (!(await condition())) await pause(50)
  })()
  await within(60_000, what, looking)
}
/** Who holds which bench. */
const held = async () =>
  (await lab.client.get<{ items: Bench[] }>('/api/v1/benches')).items.flatMap(({ id, run }) =>
    run === undefined ? [] : [[id, run]],
  )

for (const point of lostFaultPoints) {
  test(`at ${point}`, async () => {
    const { hub, client, proxy } = lab
    await hub.kill()
    await hub.start({ FERNLAB_FAULT_POINT: point })
    const ended = hub.ended()
    hub.watch()
    await client.online(node)
    const { body } = await client.insist('POST', '/api/v1/sessions', { lab: labId })
    const { id } = body as Session
    await holds('the session being active', async () => (await session(id)).state === 'active')
    proxy.block()
    assert.is(await within(90_000, `the hub passing ${point}`, ended), 'SIGKILL')
    await hub.settled()
    hub.unwatch()
    await holds('the session being over', async () => (await session(id)).state === 'closed')
    const { next = '' } = await session(id)
    const { items } = await client.get<{ items: Session[] }>('/api/v1/sessions')
    assert.equal(
      items.flatMap((one) => (one.state === 'closed' ? [] : [[one.id, one.state, one.position]])),
      [[next, 'waiting', 1]],
    )
    assert.equal(await held(), [[`${node}.one`, id]], 'the bench is its own until the node has told')
    proxy.unblock()
    await client.online(node)
    await holds('the rest having the bench', async () => (await session(next)).state === 'active')
    assert.equal(await held(), [[`${node}.one`, next]])
    await client.insist('POST', `/api/v1/sessions/${next}/finish`)
    const [record] = await lab.check([id, next])
    const stop = stopOf(record?.attempts[0]?.documents)
    assert.equal(
      [stop?.state, stop?.reason, stop?.cleanUp],
      ['interrupted', 'the hub was silent for 20 s', { done: true, tries: 1 }],
    )
  })
}

test.run()
