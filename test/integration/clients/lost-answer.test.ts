/** A bench, or a service, that was taken, and whose answer was lost on the way to the program. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createClient } from '@fernlab/shared/clients/typescript/client'
import { Hub } from '@fernlab/shared/clients/typescript/hub'
import { hubDirectory } from '@fernlab/shared/clients/typescript/hub-directory'
import { readContract } from '@fernlab/shared/clients/typescript/read-contract'
import { nodeWays } from '@fernlab/shared/clients/typescript/ways/node-ways'
import { systemClock as clock } from '@fernlab/shared/primitives/clock'
import type { LabError } from '@fernlab/shared/primitives/lab-error'
import * as assert from 'uvu/assert'
import { type AnswerCutter, startAnswerCutter } from '../../support/answer-cutter.ts'
import { type DiodeLab, startDiodeLab } from '../../support/clients/diode-lab.ts'
import { suite } from '../../support/suite.ts'
import { until } from '../hub/hub-with-node.ts'
import { pythonEnv, runPython } from './python/run-python.ts'

const test = suite('a lock whose answer was lost', { timeoutMs: 60_000, hookTimeoutMs: 120_000 })
let lab: DiodeLab
let hub: AnswerCutter
let node: AnswerCutter
const psu = 'demo/diode-1.psu'
const take = /POST [^ ]*\/lease /

test.before(async () => {
  lab = await startDiodeLab()
  hub = await startAnswerCutter(Number(new URL(lab.hub.http).port))
  node = await startAnswerCutter(await portOfNode())
})
test.after(async () => {
  await hub?.close()
  await node?.close()
  await lab?.close()
})

const portOfNode = async (): Promise<number> => {
  await using client = lab.client()
  const [found] = await client.directory.find({ name: 'count' })
  const address = found?.addresses.find((one) => one.startsWith('ws:')) ?? ''
  return Number(new URL(address).port)
}
const url = () => `http://127.0.0.1:${hub.port}`

/** Whose ways to the hub and to the node lead through the cutters. */
const program = () => {
  const known = { url: url(), token: lab.hub.token }
  const ways = nodeWays({ clock, hub: known })
    .filter(({ kind }) => kind === 'websocket')
    .map((way) => ({
      ...way,
      connect: (_: string, signal: AbortSignal) => way.connect(`ws://127.0.0.1:${node.port}/rpc`, signal),
    }))
  return createClient({ directory: hubDirectory(new Hub({ ...known, fetch })), ways, clock, readContract })
}
const stateOf = async (name: string) => {
  await using other = lab.client()
  return (await other.directory.find({ name }))[0]?.state
}
const refused = (work: Promise<unknown>) =>
  work.then(
    () => assert.unreachable() as never,
    (error: LabError) => error,
  )

test('a bench: the program asks again and has its own', async () => {
  await using client = program()
  hub.loseNext(take)
  const lost = hub.lost
  const lock = await client.lock([psu], { reason: 'a look' })
  assert.is(hub.lost, lost + 1)
  const supply = await client.service(psu)
  await supply.set('voltage', 1)
  await lock.release()
  await until(async () => (await stateOf('diode-1.psu')) === 'up', 'the bench being free')
})

test('a bench: given up, it is free as soon as the hub is there again, and may be taken at once', async () => {
  await using client = program()
  // The program asks again at once: the hub is away before that.
  hub.loseLast(take)
  const began = hub.lost
  const givenUp = new AbortController()
  const giving = client.lock([psu], { signal: givenUp.signal })
  await until(() => hub.lost > began, 'an answer being lost')
  givenUp.abort()
  const { name, message } = await refused(giving)
  assert.is(name, 'AbortError', message)
  hub.open(true)
  await until(async () => (await stateOf('diode-1.psu')) === 'up', 'the bench being free')

  // The hub can't be reached for longer than is waited for.
  hub.loseLast(take)
  const locking = client.lock([psu])
  assert.is((await refused(locking)).code, 'hub-unreachable')
  assert.is(await stateOf('diode-1.psu'), 'locked')
  assert.is((await refused(client.lock([psu]))).code, 'hub-unreachable')
  hub.open(true)
  await (await client.lock([psu])).release()

  hub.loseLast(take)
  const again = client.lock([psu])
  await refused(again)
  hub.open(true)
  await until(async () => (await stateOf('diode-1.psu')) === 'up', 'the bench being free by itself', 10_000)
})

test('a service: the program asks again over its next link and has its own', async () => {
  await using client = program()
  await (await client.service('count')).read([]).catch(() => {}) // a link is there
  // What the node can do is asked first.
  node.loseNth(2)
  const lost = node.lost
  const lock = await client.lock(['count'], { reason: 'a look' })
  assert.is(node.lost, lost + 1)
  await until(async () => (await stateOf('count')) === 'locked', 'the hub having heard of it')
  await lock.release()
  await until(async () => (await stateOf('count')) === 'up', 'the service being free')
})

test('the same by a program in Python', async ({ signal }) => {
  const script = `
import fernlab
proxy = fernlab.Proxy("${psu}")
with proxy.lock("a look"):
    proxy.voltage = 0.5
    print("has it", flush=True)
print("given back", flush=True)
`
  const env = { ...pythonEnv, FERNLAB_HUB: url(), FERNLAB_TOKEN: lab.hub.token }
  hub.loseNext(take)
  const lost = hub.lost
  const file = join(lab.folder, 'lost_answer.py')
  await writeFile(file, script)
  const { code, out, err } = await runPython(file, [], { env, signal })
  assert.is(code, 0, err)
  assert.equal(out.trim().split('\n'), ['has it', 'given back'])
  assert.is(hub.lost, lost + 1)
  await until(async () => (await stateOf('diode-1.psu')) === 'up', 'the bench being free')
})

test.run()
