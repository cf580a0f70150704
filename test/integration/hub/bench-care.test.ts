/** Benches that are not for runs: over HTTP, with a node in the same process. */
import type { Bench, Run } from '@fernlab/shared/contracts/api'
import type { Outage } from '@fernlab/shared/contracts/bench-care'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'
import { admin, startTestHub, type TestHub, until } from './hub-with-node.ts'

const test = suite('benches that are not for runs', { timeoutMs: 40_000 })
let lab: TestHub

test.before(async () => {
  lab = await startTestHub()
  await lab.node('n')
})
test.after(() => lab.close())
test.after.each(async () => {
  for (const { id } of await outages()) await lab.call(`/api/v1/benches/n.b-1/outages/${id}`, { method: 'DELETE' })
})

const outages = async () =>
  ((await (await lab.call('/api/v1/benches/n.b-1/outages')).json()) as { items: Outage[] }).items
const plan = async (json: object): Promise<Outage> => {
  const answer = await lab.call('/api/v1/benches/n.b-1/outages', { method: 'POST', json })
  assert.is(answer.status, 201, await answer.clone().text())
  return (await answer.json()) as Outage
}
const bench = async () => (await (await lab.call('/api/v1/benches/n.b-1')).json()) as Bench
const submit = async (protocol: string, parameters: Record<string, number> = {}) =>
  (await lab.hub.runs.submit(admin, { lab: 'small', protocol, parameters })).id
const run = async (id: string) => (await lab.hub.runs.get(id)) as Run
const inMs = (ms: number) => new Date(Date.now() + ms).toISOString()

test('a bench in maintenance takes no run, says why, and takes them when it is put back', async () => {
  const made = await plan({ reason: 'new fuse' })
  assert.ok(made.inForce)
  assert.is(made.until, undefined)
  const now = await bench()
  assert.is(now.state, 'maintenance')
  assert.is(now.reason, 'in maintenance: new fuse')
  assert.is(now.outage?.reason, 'new fuse')
  const id = await submit('nothing')
  const waits = await run(id)
  assert.is(waits.waitReason, 'no bench is up: in maintenance: new fuse')
  assert.is(waits.estimatedStart, undefined)
  await lab.restart()
  await until(
    async () => (await bench()).state === 'maintenance' && (await bench()).parts.box !== undefined,
    'the node',
  )
  assert.is((await run(id)).state, 'queued')
  const back = await lab.call(`/api/v1/benches/n.b-1/outages/${made.id}`, { method: 'DELETE' })
  assert.is(back.status, 204)
  assert.is((await lab.final(id)).state, 'succeeded')
  const audit = (await (await lab.call('/api/v1/audit')).json()) as { items: { action: string }[] }
  const actions = audit.items.map(({ action }) => action)
  for (const action of ['bench.outage-planned', 'bench.outage-ended']) assert.ok(actions.includes(action))
})

test('which of several benches has as many plans as there can be is told', async () => {
  const from = inMs(3_600_000)
  await Promise.all(Array.from({ length: 100 }, () => plan({ reason: 'later', from })))
  const refused = await lab.call('/api/v1/outages', {
    method: 'POST',
    json: { benches: ['n.b-1'], reason: 'holidays' },
  })
  assert.is(refused.status, 409)
  const { code, issues } = (await refused.json()) as { code: string; issues: { path: string }[] }
  assert.equal([code, issues.map(({ path }) => path)], ['outages-too-many', ['benches[0]']])
})

test('several benches are closed in one write: all of them, or none', async () => {
  const many = (benches: readonly string[]) =>
    lab.call('/api/v1/outages', { method: 'POST', json: { benches, reason: 'holidays' } })
  const refused = await many(['n.b-1', 'n.none'])
  assert.is(refused.status, 404)
  const { issues } = (await refused.json()) as { issues: { path: string; message: string }[] }
  assert.equal(issues, [{ path: 'benches[1]', message: 'there is no bench n.none' }])
  assert.equal(await outages(), [])
  assert.is((await many(['n.b-1', 'n.b-1'])).status, 400)
  const made = await many(['n.b-1'])
  assert.is(made.status, 201)
  const { items } = (await made.json()) as { items: Outage[] }
  assert.equal(
    items.map(({ bench: id, reason, inForce }) => [id, reason, inForce]),
    [['n.b-1', 'holidays', true]],
  )
  assert.is((await bench()).state, 'maintenance')
})

test('with a known end, the wait and the start are known too', async () => {
  const end = inMs(3_600_000)
  await plan({ reason: 'new fuse', until: end })
  assert.is((await bench()).reason, `in maintenance until ${end}: new fuse`)
  const id = await submit('nothing')
  const waits = await run(id)
  assert.match(waits.waitReason ?? '', /^you are next, about 60 min \(in maintenance until .*: new fuse\)$/)
  assert.ok(Math.abs(Date.parse(waits.estimatedStart ?? '') - Date.parse(end)) < 2000)
  const labs = (await (await lab.call('/api/v1/labs')).json()) as { items: { estimatedWaitS: number }[] }
  assert.ok((labs.items[0]?.estimatedWaitS ?? 0) > 3590)
  await lab.hub.runs.cancel(id, admin)
})

test('a run that would not end before an outage waits, a shorter one goes on', async () => {
  const planned = await plan({ reason: 'visitors', from: inMs(30_000), until: inMs(60_000) })
  assert.not(planned.inForce)
  const long = await submit('set', { pause: 50 })
  const short = await submit('set', { pause: 0 })
  assert.is((await lab.final(short)).state, 'succeeded')
  const waits = await run(long)
  assert.is(waits.state, 'queued')
  assert.match(waits.waitReason ?? '', /n\.b-1 closes at \S+, before this would end: visitors/)
  assert.ok(Math.abs(Date.parse(waits.estimatedStart ?? '') - Date.parse(planned.until ?? '')) < 2000)
  assert.is((await bench()).state, 'free')
  assert.is((await bench()).nextOutage?.reason, 'visitors')
  await lab.hub.runs.cancel(long, admin)
})

test('a run that is on the bench when an outage begins finishes, or is cancelled at once with the reason', async () => {
  const first = await submit('set', { pause: 1 })
  await until(async () => (await run(first)).state === 'running', 'the run')
  const gentle = await plan({ reason: 'new fuse' })
  assert.is((await bench()).state, 'busy')
  assert.is((await lab.final(first)).state, 'succeeded')
  assert.is((await bench()).state, 'maintenance')
  await lab.call(`/api/v1/benches/n.b-1/outages/${gentle.id}`, { method: 'DELETE' })
  const second = await submit('set', { pause: 50 })
  await until(async () => (await run(second)).state === 'running', 'the run')
  await plan({ reason: 'smoke', atOnce: true })
  const ended = await lab.final(second)
  assert.is(ended.state, 'cancelled')
  assert.is(ended.reason, 'the bench went out of use: smoke')
})

test('hours of every week close the bench, and those who maintain it may drive it', async () => {
  const weekly = { days: ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'], from: '00:00', until: '24:00' }
  await plan({ reason: 'holidays', weekly: { ...weekly, timeZone: 'Europe/Madrid' } })
  const now = await bench()
  assert.is(now.state, 'offline')
  assert.match(now.reason ?? '', /^closed until \S+: holidays$/)
  const taken = await lab.call('/api/v1/benches/n.b-1/lease', { method: 'POST', json: { ttlS: 60 } })
  assert.is(taken.status, 200)
  assert.ok((await bench()).leased)
  assert.is((await lab.call('/api/v1/benches/n.b-1/lease', { method: 'DELETE' })).status, 200)
})

test('what the hours of every week never leave time for is refused, not left to wait for good', async () => {
  const ask = (pause: number) =>
    lab.call('/api/v1/runs', { method: 'POST', json: { lab: 'small', protocol: 'set', parameters: { pause } } })
  const days = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun']
  const { id } = await plan({ reason: 'nights', weekly: { days, from: '12:01', until: '12:00', timeZone: 'UTC' } })
  const refused = await ask(90)
  assert.is(refused.status, 409)
  const problem = (await refused.json()) as { code: string; detail: string }
  assert.is(problem.code, 'never-open-so-long')
  assert.match(problem.detail, /no bench of small is open for more than 60 s at a time/)
  const taken = await ask(30)
  assert.is(taken.status, 201)
  await lab.hub.runs.cancel(((await taken.json()) as Run).id, admin)
  await lab.call(`/api/v1/benches/n.b-1/outages/${id}`, { method: 'DELETE' })
  await plan({ reason: 'holidays', weekly: { days, from: '00:00', until: '24:00', timeZone: 'UTC' } })
  assert.match(await (await ask(0)).text(), /closed all week/)
})

test('what makes no sense is refused with its place', async () => {
  const refused = async (json: object, bench = 'n.b-1') => {
    const answer = await lab.call(`/api/v1/benches/${bench}/outages`, { method: 'POST', json })
    const { code, issues = [] } = (await answer.json()) as { code: string; issues?: { path: string }[] }
    return [answer.status, code, issues.map(({ path }) => path)]
  }
  const reason = 'x'
  assert.equal(await refused({ reason }, 'n.none'), [404, 'bench-unknown', []])
  assert.equal(await refused({ reason: ' ' }), [400, 'request-invalid', ['reason']])
  assert.equal(await refused({ reason, until: inMs(-1000) }), [422, 'outage-over', ['until']])
  assert.equal(await refused({ reason, from: inMs(2000), until: inMs(1000) }), [400, 'request-invalid', ['until']])
  const weekly = { days: ['mon'], from: '10:00', until: '12:00', timeZone: 'Europe/Nowhere' }
  assert.equal(await refused({ reason, weekly }), [400, 'request-invalid', ['weekly.timeZone']])
  assert.equal(await refused({ reason, from: inMs(0), weekly: { ...weekly, timeZone: 'UTC' } }), [
    400,
    'request-invalid',
    ['weekly'],
  ])
  const unknown = await lab.call('/api/v1/benches/n.b-1/outages/none', { method: 'DELETE' })
  assert.is(unknown.status, 404)
})

test.run()
