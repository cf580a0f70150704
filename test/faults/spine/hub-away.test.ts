/** The hub is unreachable from before the first step until after the last: the run completes on the node. */
import * as assert from 'uvu/assert'
import { type FaultLab, startFaultLab } from '../../support/faults/fault-lab.ts'
import { pause, within } from '../../support/faults/hub-client.ts'
import { assertNumbered } from '../../support/faults/invariants.ts'
import { labId } from '../../support/faults/lab-files.ts'
import { suite } from '../../support/suite.ts'

const test = suite('the hub is away', { timeoutMs: 60_000 })
let lab: FaultLab

test.before(async () => {
  lab = await startFaultLab()
})
test.after(() => lab.close())

async function untilSupply(on: boolean): Promise<void> {
  for (let tries = 0; tries < 400; tries++) {
    if ((await lab.instruments.supply()).on === on) return
    await pause(25)
  }
  throw new Error(`the supply is not ${on ? 'on' : 'off'} after 10 s`)
}

test('nothing but the assignment passes until the run is over; then everything arrives, in order', async () => {
  const { proxy, client } = lab
  const cut = proxy.cutAt('after-assign').then(() => proxy.block())
  const id = await client.submit({ lab: labId, protocol: 'stream', parameters: { duration: 2, rate: 20_000 } })
  await within(10_000, 'the assignment', cut)
  await untilSupply(true)
  await untilSupply(false)
  assert.ok(['assigned', 'queued'].includes((await client.get<{ state: string }>(`/api/v1/runs/${id}`)).state))
  proxy.unblock()
  const [run] = await lab.check([id])
  assert.is(run?.state, 'succeeded')
  assert.is(run?.attempts.length, 1, 'it ran once')
  assert.ok(run !== undefined && assertNumbered(run, 'samples', 'source.ch1') >= 40_000)
})

test('the hub is dead from before the first step until after the last', async () => {
  const { hub, proxy, client } = lab
  const received = proxy.seen.get('documents') ?? 0
  const id = await client.submit({ lab: labId, protocol: 'steps-never', parameters: { points: 20 } })
  for (let tries = 0; (proxy.seen.get('documents') ?? 0) === received && tries < 1000; tries++) await pause(2)
  await hub.kill()
  await untilSupply(true)
  await untilSupply(false)
  await hub.start()
  const [run] = await lab.check([id])
  assert.is(run?.state, 'succeeded')
  assert.is(run?.attempts.length, 1)
})

test.run()
