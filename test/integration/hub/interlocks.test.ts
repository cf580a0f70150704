/** Interlocks of benches as the hub has them: a real hub, and a node of the same process. */
import type { Bench, Run } from '@fernlab/shared/contracts/api'
import type { AuditEntry } from '@fernlab/shared/contracts/audit'
import type { BenchHistory } from '@fernlab/shared/contracts/bench-checks'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'
import { admin, startTestHub, type TestHub, until } from './hub-with-node.ts'

const test = suite('interlocks of benches, and the hub', { timeoutMs: 60_000 })
let lab: TestHub

const bench = async () => (await (await lab.call('/api/v1/benches/n.b-1')).json()) as Bench
const standing = async () => (await bench()).interlocks?.map(({ name, state, holds }) => [name, state, holds])
const submit = async (value: number) =>
  (
    await lab.hub.runs.submit(admin, {
      lab: 'small',
      protocol: 'set',
      parameters: { value, pause: value > 5 ? 60 : 0 },
    })
  ).id
const reset = (interlock?: string) =>
  lab.call('/api/v1/benches/n.b-1/reset-interlock', {
    method: 'POST',
    json: interlock === undefined ? {} : { interlock },
  })
const codeOf = async (answer: Response) => [answer.status, ((await answer.json()) as { code?: string }).code]

test.before(async () => {
  lab = await startTestHub()
  await lab.node('n', {
    interlocks: { 'too-much': { bench: 'b-1', title: 'Too much', when: 'box.value > 5', everyMs: 20 } },
  })
  await until(async () => (await bench()).state === 'free', 'the bench')
})
test.after(() => lab.close())

test('one that trips fails the run, keeps others waiting with the reason, and is shown', async () => {
  await until(async () => (await bench()).interlocks?.[0]?.state === 'clear', 'its first reading')
  const run = (await lab.final(await submit(7))) as Run
  assert.equal([run.state, run.error?.code], ['failed', 'interlock-tripped'])
  await until(async () => (await bench()).interlocks?.[0]?.holds === false, 'the end of it')
  const { state, reason } = await bench()
  assert.is(state, 'fault')
  assert.match(reason ?? '', /^interlock too-much has tripped: box\.value > 5, with box\.value = 7; that is over/)
  const waiting = await submit(1)
  assert.match(((await lab.hub.runs.get(waiting)) as Run).waitReason ?? '', /^no bench is up: interlock too-much/)
  assert.equal(await codeOf(await reset('too-hot')), [404, 'interlock-unknown'])
  assert.is((await bench()).state, 'fault')

  assert.is((await reset()).status, 200)
  assert.is((await lab.final(waiting)).state, 'succeeded')
  assert.equal(await standing(), [['too-much', 'clear', undefined]])
  const history = (await (await lab.call('/api/v1/benches/n.b-1/history')).json()) as BenchHistory
  assert.equal(history.changes.map(({ state: condition, cause }) => `${condition}/${cause}`).slice(0, 2), [
    'up/bench',
    'fault/interlock',
  ])
  const log = (await (await lab.call('/api/v1/audit?action=bench&subject=n.b-1')).json()) as { items: AuditEntry[] }
  const resets = log.items.filter(({ action }) => action.startsWith('bench.interlock-reset')).reverse()
  assert.equal(
    resets.map(({ action, detail }) => [action, detail.interlocks, detail.code]),
    [
      ['bench.interlock-reset', ['too-hot'], undefined],
      ['bench.interlock-reset-failed', ['too-hot'], 'interlock-unknown'],
      ['bench.interlock-reset', ['too-much'], undefined],
      ['bench.interlock-reset-done', ['too-much'], undefined],
    ],
  )
})

test('the bench of who drove it by hand is given back though an interlock has tripped', async () => {
  await until(async () => (await bench()).state === 'free', 'the bench')
  const taken = await lab.call('/api/v1/benches/n.b-1/lease', { method: 'POST', json: { ttlS: 60 } })
  const { lease } = (await taken.json()) as { lease: string }
  const exchange = { method: 'POST', json: { lease, set: { 'box.value': 7 } } }
  assert.is((await lab.call('/api/v1/benches/n.b-1/exchange', exchange)).status, 200)
  await until(async () => `${await standing()}` === 'too-much,tripped,false', 'the end of it')
  const given = await lab.call(`/api/v1/benches/n.b-1/lease?lease=${lease}`, { method: 'DELETE' })
  assert.is(given.status, 200, await given.text())
  assert.is((await reset()).status, 200)
  await until(async () => (await bench()).state === 'free', 'the bench')
})

test('what tripped stays so through a restart of the hub, which knows it again from the node', async () => {
  await lab.final(await submit(8))
  await lab.restart()
  await until(async () => `${await standing()}` === 'too-much,tripped,false', 'the node')
  assert.is((await bench()).state, 'fault')
  assert.is((await reset('too-much')).status, 200)
  await until(async () => (await bench()).state === 'free', 'the bench')
})

test('a bench that is not there is said', async () => {
  assert.equal(await codeOf(await lab.call('/api/v1/benches/n.b-9/reset-interlock', { method: 'POST', json: {} })), [
    404,
    'bench-unknown',
  ])
})

test.run()
