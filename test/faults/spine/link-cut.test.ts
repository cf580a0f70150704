/** The connection between node and broker is cut before or after each kind of message; nothing is lost or doubled. */
import * as assert from 'uvu/assert'
import { type FaultLab, node, startFaultLab } from '../../support/faults/fault-lab.ts'
import { pause, within } from '../../support/faults/hub-client.ts'
import { labId } from '../../support/faults/lab-files.ts'
import type { LinkPoint } from '../../support/faults/mqtt-proxy.ts'
import { suite } from '../../support/suite.ts'

const test = suite('the link is cut', { timeoutMs: 60_000 })
let lab: FaultLab

test.before(async () => {
  lab = await startFaultLab()
})
test.after(() => lab.close())

/** During a run. */
const points: readonly { point: LinkPoint; skip?: number }[] = [
  { point: 'before-assign' },
  { point: 'after-assign' },
  { point: 'before-documents' },
  { point: 'after-documents' },
  { point: 'before-documents', skip: 1 },
  { point: 'after-documents', skip: 1 },
  { point: 'before-documents', skip: 3 },
  { point: 'after-documents', skip: 3 },
  { point: 'before-acknowledge' },
  { point: 'after-acknowledge' },
  { point: 'before-acknowledge', skip: 2 },
]
for (const { point, skip = 0 } of points) {
  test(`${point}${skip > 0 ? `, the ${skip + 1}th` : ''}`, async () => {
    const cut = lab.proxy.cutAt(point, skip)
    const id = await lab.client.submit({ lab: labId, protocol: 'steps-never' })
    await within(20_000, `a message at ${point}`, cut)
    const [run] = await lab.check([id])
    assert.is(run?.state, 'succeeded', 'a broken link interrupts no run')
    await lab.client.online(node)
  })
}

/** While it connects again during a run. */
for (const point of ['before-inventory', 'after-inventory', 'before-welcome', 'after-welcome'] as const) {
  test(`${point} of a reconnection`, async () => {
    const id = await lab.client.submit({ lab: labId, protocol: 'steps-never' })
    await lab.client.reached(id, ['running', 'succeeded'])
    const cut = lab.proxy.cutAt(point)
    lab.proxy.dropAll()
    await within(20_000, `a message at ${point}`, cut)
    const [run] = await lab.check([id])
    assert.is(run?.state, 'succeeded')
    await lab.client.online(node)
  })
}

test('twelve times during one run', async () => {
  const id = await lab.client.submit({ lab: labId, protocol: 'stream', parameters: { duration: 6, rate: 5000 } })
  await lab.client.reached(id, ['running'])
  for (let i = 0; i < 12; i++) {
    await pause(100 + ((i * 211) % 400))
    lab.proxy.dropAll()
  }
  const [run] = await lab.check([id])
  assert.is(run?.state, 'succeeded')
})

test.run()
