import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { nodeFileAlone, startTestNode, type TestNode } from '../../support/edge/node.ts'
import { onMachine } from '../../support/edge/service-clients.ts'
import { suite } from '../../support/suite.ts'
import { until } from '../hub/hub-with-node.ts'
import { pythonEnv, runPython } from './python/run-python.ts'

const test = suite('the client in Python, with a node alone', { timeoutMs: 120_000 })
let node: TestNode

test.before(async () => {
  const { instruments, ...file } = nodeFileAlone(2)
  const tagged = Object.fromEntries(
    Object.entries(instruments).map(([name, one]) => [
      name,
      { ...one, tags: name === 'psu-1' ? ['supply', 'first'] : ['supply'] },
    ]),
  )
  const object = { ...file, instruments: tagged, services: { listen: { host: '127.0.0.1', port: 0 } } }
  node = await startTestNode(undefined, { config: { object } })
})
test.after(() => node.remove())

async function ownerOnceFree() {
  const owner = await onMachine(node.dataFolder)
  const areUp = async () =>
    ((await owner.call('node/services')) as { state: string }[]).every(({ state }) => state === 'up')
  await until(areUp, 'the benches are free', 60_000)
  return owner
}

test('test_alone.py passes', async ({ signal }) => {
  const owner = await ownerOnceFree()
  const own = async (person: string) => {
    const asked = { person, services: ['*'], rights: ['read', 'use', 'lock'] }
    return ((await owner.call('node/token', asked)) as { token: string }).token
  }
  const env = {
    ...pythonEnv,
    FERNLAB_URL: node.edge.services.addresses[0],
    FERNLAB_SOCKET: join(node.dataFolder, 'services.sock'),
    FERNLAB_ADA: await own('ada'),
    FERNLAB_BOB: await own('bob'),
    FERNLAB_CYD: await own('cyd'),
  }
  await owner.close()
  const { code, err } = await runPython('test_alone.py', [], { env, signal })
  assert.is(code, 0, err)
  assert.match(err, /^Ran [1-9]\d* tests/m)
})

test('a program that is interrupted as it locks, and ends, has given back what it got', async ({ signal }) => {
  await (await ownerOnceFree()).close()
  const env = { ...pythonEnv, FERNLAB_SOCKET: join(node.dataFolder, 'services.sock') }
  const { code, out, err } = await runPython('interrupted.py', [], { env, signal })
  assert.equal([code, out, err], [0, 'interrupted\n', ''])
  const owner = await onMachine(node.dataFolder)
  assert.equal(await owner.call('node/locks'), [])
  await owner.close()
})

test('a program hears that its node, which keeps no locks, was started again', async ({ signal }) => {
  await (await ownerOnceFree()).close()
  let restarting: Promise<void> | undefined
  const restart = async () => {
    node = await node.restart()
  }
  const onOutput = (text: string) => {
    if (text.includes('ready')) restarting ??= restart()
  }
  const env = { ...pythonEnv, FERNLAB_SOCKET: join(node.dataFolder, 'services.sock') }
  const { code, out, err } = await runPython('lost_by_restart.py', [], { env, signal, onOutput })
  await restarting
  assert.is(code, 0, err)
  assert.is(out, "ready\n('lock-ended', 'not-known')\n")
})

test.run()
