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

/** What is logged of a repetition, and by whom; one that needs no judgement is not worth a line. */
const lines: Readonly<Record<string, { log: 'edge.log' | 'hub.log'; text: RegExp }>> = {
  assign: { log: 'edge.log', text: /assignment/ },
  documents: { log: 'hub.log', text: /documents came again/ },
}

for (const channel of ['assign', 'accepted', 'documents', 'acknowledge', 'inventory', 'welcome', 'cancel']) {
  test(`every ${channel} five times`, async () => {
    const { proxy, client } = lab
    const counts = () => ({ seen: proxy.seen.get(channel) ?? 0, passed: proxy.passed.get(channel) ?? 0 })
    const before = counts()
    proxy.repeat(channel)
    if (channel === 'inventory' || channel === 'welcome') proxy.dropAll()
    const parameters = { points: channel === 'cancel' ? 300 : 6 }
    const id = await client.submit({ lab: labId, protocol: 'steps-never', parameters })
    if (channel === 'cancel') {
      await client.reached(id, ['running'])
      await client.insist('POST', `/api/v1/runs/${id}/cancel`)
    }
    if (channel === 'accepted') {
      // A node answers by itself only an assignment that it need not begin with: one that it has already.
      await client.reached(id, ['running', 'succeeded'])
      proxy.replay(proxy.kept('assign').at(-1) ?? Buffer.alloc(0), 'node')
    }
    const [run] = await lab.check([id])
    const after = counts()
    proxy.repeat(undefined)
    assert.ok(after.seen > before.seen, `no ${channel} passed`)
    assert.is(after.passed - before.passed, 5 * (after.seen - before.seen), `each ${channel} was passed on five times`)
    assert.is(run?.state, channel === 'cancel' ? 'cancelled' : 'succeeded')
    assert.is(run?.attempts.length, 1)
    const line = lines[channel]
    if (line !== undefined) assert.is((await linesAbout(id, line.text, line.log)).length, 1, 'one line')
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
  for (let i = 0; i < 5; i++) proxy.replay(stale, 'node')
  const [run] = await lab.check([id])
  edge.unwatch()
  assert.is(run?.state, 'succeeded')
  assert.is(run?.attempts.at(-1)?.attempt, 2)
  assert.is((await linesAbout(id, /stale assignment.* older/)).length, 1, 'one line')
})

/** The lines of a log about a run that match, once there is one: a log is written through a pipe. */
async function linesAbout(id: string, text: RegExp, log = 'edge.log'): Promise<string[]> {
  const look = () =>
    readFileSync(join(lab.folder, log), 'utf8')
      .split('\n')
      .filter((line) => line.includes(id) && text.test(line))
  const logged = async () => {
    while (look().length === 0) await pause(20)
  }
  await within(5000, `a line in ${log} that matches ${text}`, logged())
  return look()
}

test.run()
