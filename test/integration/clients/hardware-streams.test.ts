/** What an instrument samples by itself, followed at a real node by clients of both languages. */
import { createSimulatedDriver } from '@fernlab/edge/drivers/simulated/simulated'
import { connect } from '@fernlab/shared/clients/typescript/node'
import * as assert from 'uvu/assert'
import { rejection } from '../../contract/driver-contract.ts'
import { nodeFileAlone, startTestNode, type TestNode } from '../../support/edge/node.ts'
import { onMachine, overNetwork } from '../../support/edge/service-clients.ts'
import { suite } from '../../support/suite.ts'
import { until } from '../hub/hub-with-node.ts'
import { pythonEnv, runPython } from './python/run-python.ts'

const test = suite('streams of the hardware itself', { timeoutMs: 60_000, hookTimeoutMs: 120_000 })
let node: TestNode
let token: string
const address = () => node.edge.services.addresses[0] ?? ''

interface Block {
  readonly time: Float64Array
  readonly columns: Readonly<Record<string, Float64Array>>
}

test.before(async () => {
  const file = nodeFileAlone(1)
  const neuron = { driver: 'simulated', config: { model: 'hodgkin-huxley' } }
  const { benches } = file as unknown as { benches: object }
  const object = {
    ...file,
    instruments: { ...file.instruments, neuron },
    benches: { ...benches, axon: { parts: { neuron: 'neuron' } } },
    services: { listen: { host: '127.0.0.1', port: 0, announce: false } },
  }
  node = await startTestNode(undefined, { config: { object }, extraDrivers: [createSimulatedDriver()] })
  const owner = await onMachine(node.dataFolder)
  const areUp = async () =>
    ((await owner.call('node/services')) as { state: string }[]).every(({ state }) => state === 'up')
  await until(areUp, 'the benches are free', 30_000)
  await owner.close()
  token = await tokenOf('ada')
})
test.after(() => node.remove())

async function tokenOf(person: string): Promise<string> {
  const owner = await onMachine(node.dataFolder)
  const asked = { person, services: ['*'], rights: ['read', 'use', 'lock'] }
  const { token } = (await owner.call('node/token', asked)) as { token: string }
  await owner.close()
  return token
}

/** Samples of consecutive blocks, until there are so many. */
async function samples(items: AsyncIterable<unknown>, wanted: number) {
  const times: number[] = []
  const values: number[] = []
  let count = 0
  for await (const item of items) {
    const { time, columns } = item as Block
    assert.instance(time, Float64Array)
    assert.equal(Object.keys(columns), ['potential'])
    assert.is(columns.potential?.length, time.length)
    times.push(...time)
    values.push(...(columns.potential ?? []))
    count++
    if (times.length >= wanted) break
  }
  return { times, values, blocks: count }
}

/** None is missing and none is there twice. */
function assertEvery(stepS: number, times: readonly number[]): void {
  for (let i = 1; i < times.length; i++) {
    const step = (times[i] ?? 0) - (times[i - 1] ?? 0)
    assert.ok(Math.abs(step - stepS) < stepS / 10, `${step} s after sample ${i - 1}`)
  }
}

test('TypeScript: whoever has the bench follows its samples in blocks, others what is read', async () => {
  await using lab = connect({ node: address(), token })
  const neuron = await lab.service('axon.neuron')
  for await (const reading of neuron.follow(['potential'], { rateHz: 50 })) {
    assert.type((reading as { potential: { value: number } }).potential.value, 'number')
    break
  }
  const lock = await lab.lock(['axon.neuron'], { reason: 'a spike' })
  await neuron.set('current', 20)
  const { times, values } = await samples(neuron.follow(['potential'], { rateHz: 1000 }), 300)
  assertEvery(0.001, times)
  assert.ok(Math.abs((times[0] ?? 0) - Date.now() / 1000) < 30)
  assert.ok(Math.max(...values) > 0 && Math.min(...values) < -50, 'it fires')
  await lock.release()
})

test('all samples that the hardware has come, by few blocks; more than it has are refused', async () => {
  await using lab = connect({ node: address(), token })
  const neuron = await lab.service('axon.neuron')
  const lock = await lab.lock(['axon.neuron'])
  const beside = neuron.follow(['m', 'h', 'n'], { rateHz: 20_000 })
  assert.not((await beside.next()).done)
  const began = performance.now()
  const { times, blocks } = await samples(neuron.follow(['potential'], { rateHz: 20_000 }), 20_000)
  const seconds = (performance.now() - began) / 1000
  assertEvery(1 / 20_000, times)
  assert.ok(blocks < 105 * seconds, `${blocks} blocks in ${seconds} s`)
  await beside.return?.()
  const error = await rejection(neuron.follow(['potential'], { rateHz: 20_001 }).next())
  assert.equal(error.issues, [{ path: 'rateHz', message: 'must be a number above 0 and at most 20000' }])
  await lock.release()
})

test('so many streams of one person leave a neighbour its answers, and what else the person follows', async () => {
  await using lab = connect({ node: address(), token })
  const neuron = await lab.service('axon.neuron')
  const psu = await lab.service('bench-1.psu')
  const lock = await lab.lock(['axon.neuron'])
  const streams = Array.from({ length: 16 }, () => neuron.follow(['potential'], { rateHz: 20_000 }))
  let taken = 0
  const all = streams.map(async (stream) => {
    for await (const block of stream) taken += (block as Block).time.length
  })
  const ended = Promise.allSettled(all)
  const readings = Array.from({ length: 9 }, () => psu.follow(['voltage'], { rateHz: 100 }))
  for (const reading of readings) assert.not((await reading.next()).done)
  assert.is((await rejection(neuron.follow(['m'], { rateHz: 1 }).next())).code, 'link-busy')
  const neighbour = await overNetwork(address(), await tokenOf('bob'))
  const answeredMs: number[] = []
  const before = taken
  const began = performance.now()
  while (performance.now() - began < 2000) {
    const asked = performance.now()
    await neighbour.call('bench-1.psu/signals.read', { signals: ['voltage'] })
    answeredMs.push(performance.now() - asked)
  }
  const perSecond = (taken - before) / ((performance.now() - began) / 1000)
  const middle = answeredMs.sort((a, b) => a - b)[answeredMs.length >> 1] ?? Number.NaN
  assert.ok(middle < 10, `a neighbour waits ${middle} ms`)
  assert.ok(perSecond > 50_000, `${perSecond} samples a second`)
  await neighbour.close()
  for (const stream of [...streams, ...readings]) await stream.return?.()
  await ended
  // Their places are free again.
  assert.not((await neuron.follow(['m'], { rateHz: 10 }).next()).done)
  await lock.release()
})

test('with the bench goes the stream', async () => {
  await using lab = connect({ node: address(), token })
  const neuron = await lab.service('axon.neuron')
  const lock = await lab.lock(['axon.neuron'])
  const blocks = neuron.follow(['potential'], { rateHz: 100 })
  assert.not((await blocks.next()).done)
  await lock.release()
  const ended = await (async () => {
    for await (const _ of blocks);
  })().then(
    () => undefined,
    (thrown: { code: string }) => thrown.code,
  )
  assert.is(ended, 'bench-not-held')
})

test('Python: the same', async ({ signal }) => {
  const env = { ...pythonEnv, FERNLAB_URL: address(), FERNLAB_ADA: token }
  const { code, err } = await runPython('test_streams.py', [], { env, signal })
  assert.is(code, 0, err)
  assert.match(err, /^Ran [1-9]\d* tests/m)
})

test.run()
