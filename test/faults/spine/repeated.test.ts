/** Messages that come five times, or long after their time, have no effect. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { type FaultLab, node, startFaultLab } from '../../support/faults/fault-lab.ts'
import { pause, within } from '../../support/faults/hub-client.ts'
import { labId } from '../../support/faults/lab-files.ts'
import { suite } from '../../support/suite.ts'

const test = suite('messages are repeated', { timeoutMs: 60_000 })
let lab: FaultLab

test.before(async () => {
  lab = await startFaultLab()
})
test.after(() => lab.close())

for (const channel of ['assign', 'accepted', 'documents', 'acknowledge', 'inventory', 'welcome', 'cancel']) {
  test(`every ${channel} five times`, async () => {
    lab.proxy.repeat(channel)
    if (channel === 'inventory' || channel === 'welcome') lab.proxy.dropAll()
    const id = await lab.client.submit({ lab: labId, protocol: 'steps-never' })
    if (channel === 'cancel') {
      await lab.client.reached(id, ['running'])
      await lab.client.insist('POST', `/api/v1/runs/${id}/cancel`)
    }
    const [run] = await lab.check([id])
    lab.proxy.repeat(undefined)
    assert.is(run?.state, channel === 'cancel' ? 'cancelled' : 'succeeded')
    assert.is(run?.attempts.length, 1)
  })
}

test('an assignment that comes again after its run ended is not run again', async () => {
  const id = await lab.client.submit({ lab: labId, protocol: 'steps-never' })
  await lab.check([id])
  const old = lab.proxy.kept('assign').at(-1)
  assert.ok(old)
  const before = lab.instruments.psu.received.length
  for (let i = 0; i < 5; i++) lab.proxy.replay(old, 'node')
  await pause(1500)
  const moved = lab.instruments.psu.received.slice(before).filter(({ line }) => /^(OUTP|VOLT)[^?]*$/.test(line))
  assert.equal(moved, [], 'nothing moved on the bench')
  const [run] = await lab.check([id])
  assert.is(run?.state, 'succeeded')
})

test('a stale attempt after a newer one is refused, with one line in the log', async () => {
  const { edge, client, proxy } = lab
  const known = proxy.kept('assign').length
  const id = await client.submit({ lab: labId, protocol: 'steps-safe', parameters: { points: 40 } })
  await client.reached(id, ['running'])
  const stale = proxy.kept('assign')[known]
  assert.ok(stale)
  edge.watch()
  edge.signal('SIGKILL')
  await edge.ended()
  await edge.settled()
  await client.online(node)
  await within(
    20_000,
    'the second attempt',
    (async () => {
      while (((await client.get<{ attempt: number; state: string }>(`/api/v1/runs/${id}`)).attempt ?? 1) < 2)
        await pause(50)
    })(),
  )
  await client.reached(id, ['running'])
  const linesBefore = linesAbout(id)
  for (let i = 0; i < 5; i++) proxy.replay(stale, 'node')
  const [run] = await lab.check([id])
  edge.unwatch()
  assert.is(run?.state, 'succeeded')
  assert.is(run?.attempts.at(-1)?.attempt, 2)
  const lines = linesAbout(id)
    .slice(linesBefore.length)
    .filter((line) => /stale|older|newer|superseded/i.test(line))
  assert.is(lines.length, 1, `one line, not: ${lines.join('\n')}`)
})

function linesAbout(id: string): string[] {
  return readFileSync(join(lab.folder, 'edge.log'), 'utf8')
    .split('\n')
    .filter((line) => line.includes(id))
}

test.run()
