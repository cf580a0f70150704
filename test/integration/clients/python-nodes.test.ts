/** A lab of two nodes without a hub, and programs in Python that use both. */
import { join } from 'node:path'
import { connect } from '@fernlab/shared/clients/typescript/node'
import * as assert from 'uvu/assert'
import { nodeFileAlone, startTestNode, type TestNode } from '../../support/edge/node.ts'
import { onMachine } from '../../support/edge/service-clients.ts'
import { suite } from '../../support/suite.ts'
import { until } from '../hub/hub-with-node.ts'
import { pythonEnv, runPython } from './python/run-python.ts'

const test = suite('the client in Python, with nodes without a hub', { timeoutMs: 120_000, hookTimeoutMs: 120_000 })
const nodes: TestNode[] = []

const startNode = async (node: string, benches: number) => {
  const object = { ...nodeFileAlone(benches), node, services: { listen: { host: '127.0.0.1', port: 0 } } }
  const started = await startTestNode(undefined, { config: { object } })
  nodes.push(started)
  await using owner = connect({ node: join(started.dataFolder, 'services.sock') })
  const areFree = async () => (await owner.directory.find()).every(({ state }) => state === 'up')
  await until(areFree, 'the benches are free', 60_000)
  const peer = await onMachine(started.dataFolder)
  const asked = { person: 'ada', services: ['*'], rights: ['read', 'use', 'lock'] }
  const { token } = (await peer.call('node/token', asked)) as { token: string }
  await peer.close()
  return { url: started.edge.services.addresses[0] ?? '', token, socket: join(started.dataFolder, 'services.sock') }
}

test.after(async () => {
  for (const node of nodes) await node.remove()
})

test('test_nodes.py passes', async ({ signal }) => {
  const [north, south] = [await startNode('north', 2), await startNode('south', 1)]
  const env = {
    ...pythonEnv,
    FERNLAB_NORTH: north.url,
    FERNLAB_NORTH_TOKEN: north.token,
    FERNLAB_NORTH_SOCKET: north.socket,
    FERNLAB_SOUTH: south.url,
    FERNLAB_SOUTH_TOKEN: south.token,
  }
  const { code, err } = await runPython('test_nodes.py', [], { env, signal })
  assert.is(code, 0, err)
  assert.match(err, /^Ran [1-9]\d* tests/m)
})

test.run()
