/** What a client follows of an object that its connection alone had, once that connection has ended: the same in both languages. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Client } from '@fernlab/shared/clients/typescript/client'
import { connectNodes, namedNodes } from '@fernlab/shared/clients/typescript/connect-nodes'
import { unixSocketWay } from '@fernlab/shared/clients/typescript/ways/unix-socket'
import type { Way } from '@fernlab/shared/clients/typescript/ways/way'
import { systemClock as clock } from '@fernlab/shared/primitives/clock'
import type { Link } from '@fernlab/shared/rpc/link'
import * as assert from 'uvu/assert'
import { rejection } from '../../contract/driver-contract.ts'
import { startTestNode, type TestNode } from '../../support/edge/node.ts'
import { SITE } from '../../support/edge/scripted-hub.ts'
import { suite } from '../../support/suite.ts'
import { until } from '../hub/hub-with-node.ts'
import { pythonEnv, runPython } from './python/run-python.ts'

const test = suite('an object of a connection, when that ends', { timeoutMs: 60_000, hookTimeoutMs: 120_000 })

const COUNTER = `
import time
from typing import Iterator

class Counter:
    def __init__(self):
        self.count = 0

    def add(self) -> int:
        self.count += 1
        return self.count

    @property
    def level(self) -> int:
        return self.count

    def watch(self) -> Iterator[int]:
        while True:
            yield self.count
            time.sleep(0.01)
`
const nodeYaml = `
site: ${SITE}
node: n1
instruments: {}
daemons: { counts: {} }
services:
  own:
    mine: { file: ./counter.py, daemon: counts, instances: session }
    ours: { file: ./counter.py, daemon: counts }
`
let folder: string
let node: TestNode
let socket: string

/** A client in TypeScript, and what ends its link. */
function withCut() {
  const way = unixSocketWay({ clock })
  let link: Link | undefined
  const own: Way = {
    ...way,
    connect: async (address, signal) => {
      link = await way.connect(address, signal)
      return link
    },
  }
  const client = connectNodes({ nodes: namedNodes([{ address: socket }]), ways: [own], clock })
  return { client, cut: async () => await link?.close('the wire broke') }
}

test.before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fernlab-own-object-'))
  await writeFile(join(folder, 'counter.py'), COUNTER)
  await writeFile(join(folder, 'node.yaml'), nodeYaml)
  node = await startTestNode(undefined, { config: { file: join(folder, 'node.yaml') } })
  socket = join(node.dataFolder, 'services.sock')
  const { client } = withCut()
  const areUp = async () => (await client.directory.find({ state: 'up' })).length === 2
  await until(areUp, 'the services are up', 30_000)
  await client.close()
})
test.after(async () => {
  await node.remove()
  await rm(folder, { recursive: true })
})

const follow = async (client: Client, name: string) => {
  const service = await client.service(name)
  const levels = service.follow(['level'], { rateHz: 50 })
  const next = async () => {
    const { done, value } = await levels.next()
    assert.not(done, 'it ends with an error')
    return (value as { level: { value: number } }).level.value
  }
  return { service, next }
}
const action = async (service: Awaited<ReturnType<Client['service']>>, name: string) => await service.do[name]?.({})

test('TypeScript: what is followed of it ends, and is never silently that of another object', async () => {
  const { client, cut } = withCut()
  const { service, next } = await follow(client, 'mine')
  const { watch } = service.do
  assert.ok(watch)
  const watched = watch({}) as AsyncIterableIterator<unknown>
  assert.is(await action(service, 'add'), 1)
  while ((await next()) !== 1);
  while ((await watched.next()).value !== 1);
  await cut()
  for (const item of [next, async () => (await watched.next()).value]) {
    const ended = await rejection(
      (async () => {
        for (;;) assert.is(await item(), 1, 'of the same object')
      })(),
    )
    assert.equal([ended.code, ended.kind, ended.retry], ['session-ended', 'link', 'later'], ended.message)
  }
  // Whoever follows again, or calls, knows that it is another.
  assert.is(await action(service, 'add'), 1)
  const again = await follow(client, 'mine')
  assert.is(await again.next(), 1)
  await client.close()
})

test('TypeScript: what is followed of an object of all goes on', async () => {
  const { client, cut } = withCut()
  const { service, next } = await follow(client, 'ours')
  const before = await next()
  await cut()
  assert.is(await action(service, 'add'), before + 1)
  while ((await next()) !== before + 1);
  await client.close()
})

test('Python: the same', async ({ signal }) => {
  const env = { ...pythonEnv, FERNLAB_SOCKET: socket }
  const { code, err } = await runPython('test_own_object.py', [], { env, signal })
  assert.is(code, 0, err)
  assert.match(err, /^Ran [1-9]\d* tests/m)
})

test.run()
