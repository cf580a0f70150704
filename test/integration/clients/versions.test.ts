/** Clients and nodes of which one is of an earlier version. */
import { join } from 'node:path'
import { connect } from '@fernlab/shared/clients/typescript/node'
import type { LabError } from '@fernlab/shared/primitives/lab-error'
import * as assert from 'uvu/assert'
import { type EarlierNode, type EarlierVersion, startEarlierNode } from '../../support/edge/earlier-node.ts'
import { nodeFileAlone, startTestNode, type TestNode } from '../../support/edge/node.ts'
import { onMachine } from '../../support/edge/service-clients.ts'
import { suite } from '../../support/suite.ts'
import { until } from '../hub/hub-with-node.ts'
import { pythonEnv, runPython } from './python/run-python.ts'

const test = suite('clients and nodes of two versions', { timeoutMs: 60_000, hookTimeoutMs: 120_000 })
const psu = 'bench-1.psu'
let node: TestNode

test.before(async () => {
  node = await startTestNode(undefined, { config: { object: nodeFileAlone(2) } })
  await using lab = connect({ node: join(node.dataFolder, 'services.sock') })
  const areFree = async () => (await lab.directory.find({ state: 'up' })).length === 2
  await until(areFree, 'the benches are free', 20_000)
})
test.after(() => node?.remove())

const path = () => join(node.dataFolder, 'earlier.sock')
const voltages = () => node.instrument().sets('voltage')
const paramsOf = (earlier: EarlierNode, method: string) =>
  earlier.came.filter((one) => one.method === method).map(({ params }) => params as Record<string, unknown>)

async function meets(version: EarlierVersion, work: (earlier: EarlierNode) => Promise<void>): Promise<void> {
  const earlier = await startEarlierNode(node.dataFolder, path(), version)
  try {
    await work(earlier)
  } finally {
    await earlier.close()
  }
}

for (const version of ['1.2', '1.3'] as const) {
  test(`a client of today locks, sets in a batch and gives back at a node of ${version}`, async () => {
    await meets(version, async (earlier) => {
      await using lab = connect({ node: path() })
      const supply = await lab.service(psu)
      const lock = await lab.lock([psu], { reason: 'a sweep' })
      const steps = Array.from({ length: 20 }, (_, n) => n / 10)
      const outcomes = await supply.batch(steps.map((value) => ['signals.set', { signal: 'voltage', value }] as const))
      assert.ok(outcomes.every((one) => 'result' in one))
      assert.equal(voltages().slice(-20), steps)
      const [locked] = paramsOf(earlier, 'node/lock')
      assert.equal(Object.keys(locked ?? {}).sort(), ['reason', 'services'])
      await lock.release()
      assert.is(node.instrument().values.get('voltage'), 0)
      assert.equal(paramsOf(earlier, 'node/unlock'), [{ services: [psu] }])
      assert.equal(paramsOf(earlier, 'node/lost'), version === '1.2' ? [] : [{ services: [psu] }])
    })
  })
}

for (const version of ['1.2', '1.3'] as const) {
  test(`a client of today ends the lock that was seen, and no other, at a node of ${version}`, async () => {
    await meets(version, async (earlier) => {
      await using lab = connect({ node: path() })
      const holder = await onMachine(node.dataFolder)
      const other = 'bench-2.psu'
      await holder.call('node/lock', { services: [psu, other] })
      const since = (await lab.directory.get(psu)).lockedBy?.since ?? ''
      const before = new Date(Date.parse(since) - 1).toISOString()
      const refused = await lab.unlock([other, psu], { seen: { [psu]: before } }).catch((error: LabError) => error)
      assert.is(refused?.code, 'hold-changed')
      assert.is(refused?.details.since, since)
      assert.equal(paramsOf(earlier, 'node/unlock'), [])
      await lab.unlock([other, psu], { seen: { [psu]: since }, reason: 'it is needed' })
      assert.equal(paramsOf(earlier, 'node/unlock'), [{ services: [other, psu], reason: 'it is needed' }])
      assert.equal(await holder.call('node/locks'), [])
      await holder.close()
    })
  })
}

test('a client of today hears that its lock is lost from an earlier node that tells it', async () => {
  await meets('1.3', async () => {
    await using lab = connect({ node: path() })
    const lock = await lab.lock([psu])
    const staff = await onMachine(node.dataFolder)
    await staff.call('node/unlock', { services: [psu] })
    await staff.close()
    if (!lock.lost.aborted) await new Promise((resolve) => lock.lost.addEventListener('abort', resolve, { once: true }))
    assert.is((lock.lost.reason as LabError).code, 'lock-ended')
  })
})

test('a client of today sends a node of today what an earlier one would refuse', async () => {
  await using lab = connect({ node: join(node.dataFolder, 'services.sock') })
  const other = await onMachine(node.dataFolder)
  await using lock = await lab.lock([psu])
  // Its taking has an id: another program of the same person ends nothing of it.
  const { id } = (await other.call('node/lock', { services: [psu] })) as { id: string }
  await other.call('node/unlock', { services: [psu], id })
  assert.equal(((await other.call('node/locks')) as { service: string }[]).length, 1)
  assert.not(lock.lost.aborted)
  await other.close()
})

test('a client of before there were ids and columns uses a node of today', async () => {
  const peer = await onMachine(node.dataFolder)
  // As its first messages were: no program, no id, and lists alone.
  await peer.call('rpc.sign-in', {})
  const { services } = (await peer.call('node/lock', { services: [psu], reason: 'old' })) as { services: string[] }
  assert.equal(services, [psu])
  const set = (value: number) => ({ signal: 'voltage', value })
  const steps = Array.from({ length: 20 }, (_, n) => n / 10)
  const asked = { methods: [`${psu}/signals.set`], calls: steps.map(() => 0), params: steps.map(set), stop: false }
  assert.equal(await peer.call('rpc.batch', asked), { results: steps.map(() => null), errors: [] })
  assert.equal(voltages().slice(-20), steps)
  const read = { ...asked, methods: ['node/locks'], params: steps.map(() => null) }
  const { results } = (await peer.call('rpc.batch', read)) as { results: unknown }
  assert.ok(Array.isArray(results) && results.length === 20)
  const lost = peer.stream('node/lost', { services: [psu] })
  const next = lost.next()
  await peer.call('node/unlock', { services: [psu] })
  assert.is(((await next).value as { why: string }).why, 'unlocked')
  await peer.close()
})

test('test_versions.py passes', async ({ signal }) => {
  for (const version of ['1.2', '1.3'] as const) {
    await meets(version, async (earlier) => {
      const env = { ...pythonEnv, FERNLAB_EARLIER: path(), FERNLAB_VERSION: version }
      const { code, err } = await runPython('test_versions.py', [], { env, signal })
      assert.is(code, 0, err)
      assert.match(err, /^Ran [1-9]\d* tests/m)
      for (const { params } of earlier.came) assert.not.ok('id' in ((params ?? {}) as object))
      assert.is(paramsOf(earlier, 'node/lock').length, 2)
      assert.is(paramsOf(earlier, 'node/lost').length > 0, version === '1.3')
    })
  }
  assert.equal(voltages().slice(-1), [0])
})

test.run()
