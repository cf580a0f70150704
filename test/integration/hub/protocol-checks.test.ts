/** Checks of benches that are runs: a real hub, with a real node and with one that does as the test says. */
import type { Bench, Lease, Run } from '@fernlab/shared/contracts/api'
import type { AnnouncedCheck, BenchHistory, ShownCheck } from '@fernlab/shared/contracts/bench-checks'
import { parseTopic } from '@fernlab/shared/contracts/topics'
import { decode } from '@fernlab/shared/links/codec'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'
import { admin, smallLab, startTestHub, student, type TestHub, until } from './hub-with-node.ts'
import { documentsOf, startScriptedNode } from './scripted-node.ts'

const test = suite('checks that are runs', { timeoutMs: 60_000 })
let lab: TestHub

test.before.each(async () => {
  lab = await startTestHub()
})
test.after.each(() => lab.close())

const bench = async (id: string) => (await (await lab.call(`/api/v1/benches/${id}`)).json()) as Bench
const checkOf = async (id: string, at = 0) => (await bench(id)).checks?.[at] as ShownCheck
const checkRuns = async (id: string) =>
  ((await (await lab.call(`/api/v1/runs?checks=${id}`)).json()) as { items: Run[] }).items
const ask = async (id: string) => {
  const answer = await lab.call(`/api/v1/benches/${id}/checks`, { method: 'POST' })
  assert.is(answer.status, 200, await answer.clone().text())
}
const run = async (id: string) => (await lab.hub.runs.get(id)) as Run
/** Does the checks now, and waits for the verdict. */
const checked = async (id: string): Promise<Bench> => {
  await ask(id)
  await until(async () => (await bench(id)).checks?.every(({ asked }) => asked === undefined) === true, 'the verdict')
  return bench(id)
}
/** The lab's protocol sets something else from now on. */
const nowSets = async (value: number) => {
  const files = smallLab.map(({ path, text }) =>
    path === 'protocols/set.yaml'
      ? { path, text: text.replace('box.value: value', `box.value: ${value}`) }
      : { path, text },
  )
  assert.ok((await lab.call('/api/v1/labs/small', { method: 'PUT', json: { files } })).ok)
}
const calibration = {
  kind: 'protocol',
  title: 'Calibration',
  config: { lab: 'small', protocol: 'set', parameters: { value: 1 }, expect: { value: { low: 0.9, high: 1.1 } } },
  everyS: 86_400,
  retries: 0,
}
const announced: AnnouncedCheck = {
  name: 'calibration',
  kind: 'protocol',
  title: 'Calibration',
  everyS: 86_400,
  failuresBeforeOut: 1,
  passesBeforeBack: 1,
  run: { config: calibration.config, retries: 0 },
}

test('it is done by itself, by nobody who counts, and passes where the outputs lie as expected', async () => {
  await lab.node('n', { checks: { calibration } })
  await until(async () => (await checkOf('n.b-1')).passed === true, 'the check')
  const [{ id = '' } = {}, ...more] = await checkRuns('n.b-1')
  assert.is(more.length, 0)
  const made = await lab.final(id)
  assert.equal([made.state, made.check, made.bench], ['succeeded', 'calibration', 'n.b-1'])
  assert.equal(made.person, { id: 'bench-checks', name: 'Bench checks' })
  assert.is((await checkOf('n.b-1')).run, id)
  const items = async (path: string) => ((await (await lab.call(path)).json()) as { items: object[] }).items
  assert.equal(await items('/api/v1/runs'), [], 'it is in no list of runs')
  assert.equal(await items('/api/v1/usage/uses'), [], 'nor a use')
  assert.not((await items('/api/v1/users')).some((user) => JSON.stringify(user).includes('Bench checks')))
  const documents = await lab.call(`/api/v1/runs/${id}/documents`)
  assert.match(await documents.text(), /"name":"stop"/)
})

test('one that fails takes the bench out with the reason and the run, and passing gives it back', async () => {
  await lab.node('n', { checks: { calibration: { ...calibration, failuresBeforeOut: 2, passesBeforeBack: 2 } } })
  await nowSets(5)
  assert.is((await checked('n.b-1')).state, 'free', 'once is not too often')
  const out = await checked('n.b-1')
  const reason = 'the check Calibration failed: value is 5, and 1.1 is the most'
  assert.equal([out.state, out.reason], ['fault', reason])
  const [failed] = await checkRuns('n.b-1')
  const { changes } = (await (await lab.call('/api/v1/benches/n.b-1/history')).json()) as BenchHistory
  assert.equal([changes[0]?.cause, changes[0]?.reason, changes[0]?.run], ['check', reason, failed?.id])
  const waits = (await lab.hub.runs.submit(student, { lab: 'small', protocol: 'nothing' })).id
  assert.is((await run(waits)).state, 'queued')
  await nowSets(1)
  assert.is((await checked('n.b-1')).state, 'fault', 'though somebody waits, it is done; once is not often enough')
  await checked('n.b-1')
  assert.is((await lab.final(waits)).state, 'succeeded')
})

test('each failed try is repeated at once before it counts', async () => {
  await nowSets(5)
  await lab.node('n', { checks: { calibration: { ...calibration, retries: 2, failuresBeforeOut: 1 } } })
  const out = await checked('n.b-1')
  assert.is(out.state, 'fault')
  assert.is((await checkRuns('n.b-1')).length, 3)
})

test('what makes no sense is said with its place, and keeps nobody from the bench', async () => {
  const { config } = calibration
  const configs = [
    { ...config, protocol: 'sett' },
    { ...config, parameters: { value: 11 } },
    { ...config, expect: { size: { low: 1 } } },
    { ...config, expect: { value: { low: 1, unit: 'V' } } },
  ]
  const checks = Object.fromEntries(configs.map((wrong, at) => [`c${at}`, { ...calibration, config: wrong }]))
  await lab.node('n', { checks })
  const complaints = async () =>
    (await bench('n.b-1')).checks?.map(({ issues = [] }) =>
      issues.map(({ path, message }) => `${path} ${message}`).join(),
    )
  await ask('n.b-1')
  assert.equal(await complaints(), [
    'benches.b-1.checks.c0.config.protocol the lab small has no protocol sett; did you mean "set"?',
    'benches.b-1.checks.c1.config.parameters.value 11 is above the limit of 10',
    'benches.b-1.checks.c2.config.expect.size the protocol has no output size; there are value',
    'benches.b-1.checks.c3.config.expect.value.unit V can not be compared with 1',
  ])
  assert.equal([await checkRuns('n.b-1'), (await bench('n.b-1')).state], [[], 'free'])
  await lab.call('/api/v1/labs/small', { method: 'DELETE' })
  const gone = 'benches.b-1.checks.c0.config.lab the lab small is not in the catalogue'
  await until(async () => (await complaints())?.[0] === gone, 'the lab being gone')
})

test('it gives way to who comes, says nothing then, and is done when nobody is there', async () => {
  const node = await startScriptedNode(lab, 'n', ['b'], [announced])
  const check = await node.take()
  assert.is((await run(check.runId)).check, 'calibration')
  await node.accept(check)
  const { runId, attempt } = check
  assert.is((await checkOf('n.b')).underWay?.run, runId)
  const first = (await lab.hub.runs.submit(student, { lab: 'small', protocol: 'safe' })).id
  await until(() => node.cancelled.some((cancel) => cancel.runId === runId && cancel.attempt === attempt), 'the cancel')
  assert.match(node.cancelled[0]?.reason ?? '', /somebody waits for the bench/)
  await node.documents(...documentsOf(check, { state: 'interrupted', reason: 'cancelled' }))
  const held = await node.take()
  assert.is(held.runId, first)
  assert.is((await checkOf('n.b')).passed, undefined, 'it is no verdict')
  await node.accept(held)
  const second = (await lab.hub.runs.submit(admin, { lab: 'small', protocol: 'safe' })).id
  await node.documents(...documentsOf(held))
  const next = await node.take()
  assert.is(next.runId, second, 'nobody waits for a check')
  await node.documents(...documentsOf(next))
  const again = await node.take()
  assert.is((await run(again.runId)).check, 'calibration')
  await node.documents(...documentsOf(again, { outputs: { value: { value: 1, unit: '1' } } }))
  await until(async () => (await checkOf('n.b')).passed === true, 'the verdict')
  await node.close()
})

test('it gives way to staff who drive the bench, and is done when they have given it back', async () => {
  const steps = { ...calibration, config: { ...calibration.config, parameters: { value: 1, pause: 2 } } }
  await lab.node('n', { checks: { calibration: steps } })
  await until(async () => (await checkRuns('n.b-1')).length === 1, 'the check is under way')
  const [first] = await checkRuns('n.b-1')
  const taking = await lab.call('/api/v1/benches/n.b-1/lease', { method: 'POST', json: { ttlS: 60 } })
  const lease = (await taking.json()) as Lease
  assert.equal([taking.status, lease.endedCheck], [200, 'Calibration'], JSON.stringify(lease))
  const ended = await lab.final(first?.id ?? '')
  assert.equal(
    [ended.state, ended.reason],
    ['cancelled', 'somebody waits for the bench: the check is done again later'],
  )
  assert.is((await checkOf('n.b-1')).passed, undefined, 'it is no verdict')
  const again = await lab.call('/api/v1/benches/n.b-1/lease', { method: 'POST', json: { ttlS: 60 } })
  assert.is(again.status, 409, 'who drives it has it')
  assert.is((await lab.call('/api/v1/benches/n.b-1/lease', { method: 'DELETE' })).status, 200)
  await until(async () => (await checkOf('n.b-1')).passed === true, 'it is done again', 20_000)
})

test('of two who come to drive a bench that is checked, one has it', async () => {
  const node = await startScriptedNode(lab, 'n', ['b'], [announced])
  const check = await node.take()
  await node.accept(check)
  const take = () => lab.call('/api/v1/benches/n.b/lease', { method: 'POST', json: { ttlS: 60 } })
  const taking = take()
  await until(() => node.cancelled.some(({ runId }) => runId === check.runId), 'the cancel')
  const second = take()
  node.link.onMessage(({ topic, payload }) => {
    const parsed = parseTopic('main', topic)
    if (parsed?.kind !== 'sync' || parsed.channel !== 'request') return
    const { id } = decode(payload) as { id: string }
    void node.send('reply', { id, result: { lease: 'its-own', ttlMs: 60_000 } })
  })
  await node.documents(...documentsOf(check, { state: 'interrupted', reason: 'cancelled' }))
  const statuses = (await Promise.all([taking, second])).map(({ status }) => status).sort()
  assert.equal(statuses, [200, 409])
  await node.close()
})

test('none begins where it would not end before what is planned, nor in maintenance', async () => {
  const node = await startScriptedNode(
    lab,
    'n',
    ['b'],
    [{ ...announced, run: { config: calibration.config, retries: 0, timeoutS: 30 } }],
  )
  const plan = async (json: object) => {
    const answer = await lab.call('/api/v1/benches/n.b/outages', { method: 'POST', json })
    return `/api/v1/benches/n.b/outages/${((await answer.json()) as { id: string }).id}`
  }
  const planned = await plan({ reason: 'visitors', from: new Date(Date.now() + 25_000).toISOString() })
  await until(async () => Date.now() - Date.parse((await bench('n.b')).since ?? '') > 5000, 'a quiet bench')
  const now = await plan({ reason: 'new fuse' })
  await lab.call(planned, { method: 'DELETE' })
  assert.equal(await checkRuns('n.b'), [])
  await lab.call(now, { method: 'DELETE' })
  const check = await node.take()
  assert.equal([(await run(check.runId)).check, check.maxSeconds], ['calibration', 30])
  await node.close()
})

test('a hub that starts again goes on with the one that is on the bench, and its node may end it meanwhile', async () => {
  const node = await startScriptedNode(lab, 'n', ['b'], [announced])
  const check = await node.take()
  await node.accept(check)
  const { runId, attempt, fence } = check
  await lab.restart()
  await until(() => node.link.connected, 'the connection')
  await node.greet([{ runId, attempt, fence, state: 'running', nextSeq: 0, firstHeld: 0 }], fence)
  await node.documents(...documentsOf(check, { outputs: { value: { value: 2, unit: '1' } } }))
  await until(async () => (await bench('n.b')).state === 'fault', 'the verdict')
  assert.is((await checkRuns('n.b')).length, 1)
  assert.is((await checkOf('n.b')).run, runId)
  await lab.restart()
  await until(() => node.link.connected, 'the connection')
  await node.greet([], fence)
  assert.is((await bench('n.b')).state, 'fault')
  await node.close()
})

test('one that its node has no more ends with its run', async () => {
  const checks = [announced]
  const node = await startScriptedNode(lab, 'n', ['b'], checks)
  const check = await node.take()
  await node.accept(check)
  const { runId, attempt, fence } = check
  checks.length = 0
  await node.greet([{ runId, attempt, fence, state: 'running', nextSeq: 0, firstHeld: 0 }], fence)
  await until(() => node.cancelled.some((cancel) => cancel.runId === runId), 'the cancel')
  await node.documents(...documentsOf(check, { state: 'interrupted', reason: 'cancelled' }))
  assert.is((await lab.final(runId)).state, 'cancelled')
  assert.is((await bench('n.b')).checks, undefined)
  await node.close()
})

test.run()
