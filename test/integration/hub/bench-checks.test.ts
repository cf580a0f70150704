/** Health checks of benches: a real hub, and a node in the same process that looks at a real host. */
import { createServer, type Server } from 'node:net'
import type { Bench, Run } from '@fernlab/shared/contracts/api'
import type { AuditEntry } from '@fernlab/shared/contracts/audit'
import type { BenchHistory } from '@fernlab/shared/contracts/bench-checks'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'
import { admin, startTestHub, type TestHub, until } from './hub-with-node.ts'

const test = suite('health checks of benches', { timeoutMs: 60_000 })
let lab: TestHub
let host: Server
let port = 0

const startHost = async () => {
  host = createServer((socket) => void socket.on('error', () => {}))
  await new Promise<void>((resolve) => host.listen(port, '127.0.0.1', resolve))
  port = (host.address() as { port: number }).port
}
const stopHost = () => new Promise<void>((resolve) => void host.close(() => resolve()))

test.before(async () => {
  lab = await startTestHub()
  await startHost()
  await lab.node('n', {
    checks: {
      network: {
        kind: 'reachable',
        title: 'Network',
        config: { host: '127.0.0.1', port },
        everyS: 3600,
        retries: 0,
        failuresBeforeOut: 2,
        passesBeforeBack: 2,
      },
      who: { kind: 'identify', config: { part: 'box', pattern: 'constant$' }, everyS: 3600 },
    },
  })
})
test.after(async () => {
  await lab.close()
  if (host.listening) await stopHost()
})

const bench = async () => (await (await lab.call('/api/v1/benches/n.b-1')).json()) as Bench
const history = async () => (await (await lab.call('/api/v1/benches/n.b-1/history')).json()) as BenchHistory
const states = async () => (await history()).changes.map(({ state, cause }) => `${state}/${cause}`)
const check = async () => {
  const answer = await lab.call('/api/v1/benches/n.b-1/checks', { method: 'POST' })
  assert.is(answer.status, 200, await answer.clone().text())
  return (await answer.json()) as Bench
}
const submit = async () => (await lab.hub.runs.submit(admin, { lab: 'small', protocol: 'nothing' })).id
const run = async (id: string) => (await lab.hub.runs.get(id)) as Run
const failNow = async () => {
  await stopHost()
  await check()
  await check()
}
const passNow = async () => {
  await startHost()
  await check()
  await check()
}

test('a bench shows how its checks went', async () => {
  const { checks = [], state } = await check()
  assert.is(state, 'free')
  assert.equal(
    checks.map(({ name, title, kind, passed, failing }) => [name, title, kind, passed, failing]),
    [
      ['network', 'Network', 'reachable', true, false],
      ['who', 'who', 'identify', true, false],
    ],
  )
  assert.equal(await states(), ['up/bench'])
})

test('one that fails too often takes the bench out with its reason, and passing often enough gives it back', async () => {
  await stopHost()
  const once = await check()
  assert.is(once.state, 'free', 'once is not too often')
  assert.is(once.checks?.[0]?.passed, false)
  const out = await check()
  assert.is(out.state, 'fault')
  assert.is(out.reason, `the check Network failed: 127.0.0.1:${port} does not answer (ECONNREFUSED)`)
  assert.ok(out.checks?.[0]?.failing)
  const id = await submit()
  assert.match((await run(id)).waitReason ?? '', /^no bench is up: the check Network failed: /)
  await startHost()
  assert.is((await check()).state, 'fault', 'once is not often enough')
  await check()
  assert.is((await lab.final(id)).state, 'succeeded')
  assert.equal(await states(), ['up/bench', 'fault/check', 'up/bench'])
  const [now, broken] = (await history()).changes
  assert.is(broken?.until, now?.at)
  assert.match(broken?.reason ?? '', /ECONNREFUSED/)
})

test('out of use it stays through a restart of the hub, and comes back by itself', async () => {
  await failNow()
  const before = await states()
  await lab.restart()
  assert.is((await bench()).state === 'free', false)
  await until(async () => (await bench()).checks?.[0]?.kind === 'reachable', 'the node')
  assert.is((await bench()).state, 'fault')
  await passNow()
  await until(async () => (await bench()).state === 'free', 'the bench')
  assert.equal(await states(), ['up/bench', ...before], 'the restart is no change of the bench')
})

test('staff may drive a bench that fails a check, and put it back all the same', async () => {
  await failNow()
  const lease = await lab.call('/api/v1/benches/n.b-1/lease', { method: 'POST', json: { ttlS: 60 } })
  assert.is(lease.status, 200)
  assert.is((await lab.call('/api/v1/benches/n.b-1/lease', { method: 'DELETE' })).status, 200)
  assert.is((await bench()).state, 'fault')
  assert.is((await lab.call('/api/v1/benches/n.b-1/put-back', { method: 'POST' })).status, 200)
  assert.is((await bench()).state, 'free')
  assert.is((await check()).state, 'free', 'it is forgiven what was before')
  assert.is((await check()).state, 'fault', 'and not what comes after')
  await passNow()
  const [, , backByStaff] = (await history()).changes
  assert.is(backByStaff?.state, 'up')
  assert.ok(backByStaff?.by !== undefined, 'history says who put it back')
  const log = (await (await lab.call('/api/v1/audit?action=bench&subject=n.b-1')).json()) as { items: AuditEntry[] }
  const actions = new Set(log.items.map(({ action }) => action))
  assert.ok(actions.has('bench.put-back') && actions.has('bench.checked'), [...actions].join())
})

test('what staff have planned stays in force when the checks pass', async () => {
  const planned = await lab.call('/api/v1/benches/n.b-1/outages', { method: 'POST', json: { reason: 'new fuse' } })
  const { id } = (await planned.json()) as { id: string }
  await failNow()
  await passNow()
  assert.is((await bench()).state, 'maintenance')
  await lab.call(`/api/v1/benches/n.b-1/outages/${id}`, { method: 'DELETE' })
  assert.is((await bench()).state, 'free')
  assert.equal((await states()).slice(0, 2), ['up/bench', 'maintenance/staff'], 'planned is planned, whatever fails')
})

test('uptime counts from when the bench is known, and the table has the same', async () => {
  const { uptime, changes } = await history()
  assert.equal(
    uptime.map(({ days }) => days),
    [1, 7, 30],
  )
  for (const { share, unknownS, days } of uptime) {
    assert.ok(share !== null && share > 0 && share <= 1)
    assert.ok(unknownS > days * 86_400 - 600)
  }
  const table = await lab.call('/api/v1/benches/n.b-1/history.csv')
  const lines = (await table.text()).trimEnd().split('\r\n')
  assert.is(lines[0], '"at","until","state","cause","reason","by","run"')
  assert.is(lines.length, changes.length + 1)
  assert.is((await lab.call('/api/v1/benches/n.none/history')).status, 404)
  assert.is((await lab.call('/api/v1/benches/n.none/checks', { method: 'POST' })).status, 404)
})

test('a node that is away says so, and is no verdict on the checks', async () => {
  const edge = await lab.node('m', { checks: { who: { kind: 'identify', config: { part: 'box' } } } })
  await edge.close()
  await until(async () => {
    const found = (await (await lab.call('/api/v1/benches/m.b-1')).json()) as Bench
    return found.state === 'offline'
  }, 'the loss')
  const answer = await lab.call('/api/v1/benches/m.b-1/checks', { method: 'POST' })
  assert.is(((await answer.json()) as { code: string }).code, 'node-offline')
  const { changes } = (await (await lab.call('/api/v1/benches/m.b-1/history')).json()) as BenchHistory
  assert.equal([changes[0]?.state, changes[0]?.cause], ['offline', 'node'])
})

test.run()
