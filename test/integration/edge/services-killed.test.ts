/** A client that is killed in the middle of a stream, over the node's own socket: the node frees all that it had. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { systemClock } from '@fernlab/shared/primitives/clock'
import * as assert from 'uvu/assert'
import { nodeFileAlone, startTestNode, type TestNode } from '../../support/edge/node.ts'
import { onMachine } from '../../support/edge/service-clients.ts'
import { root } from '../../support/source-files.ts'
import { suite } from '../../support/suite.ts'

const test = suite('a client of services that is killed', { timeoutMs: 30_000 })
const nothing = { links: 0, calls: 0, lingering: 0 }
let node: TestNode
let client: ChildProcess | undefined

test.before.each(async () => {
  node = await startTestNode(undefined, { config: { object: nodeFileAlone() } })
})
test.after.each(async () => {
  client?.kill('SIGKILL')
  await node.remove()
})

const until = async (what: string, holds: () => boolean) => {
  for (let turn = 0; turn < 1000 && !holds(); turn++) await systemClock.sleep(10)
  assert.ok(holds(), `it never came: ${what}: ${JSON.stringify(node.edge.services.counts)}`)
}
const isNothing = () => JSON.stringify(node.edge.services.counts) === JSON.stringify(nothing)
/** Sockets of the process that are open. */
const sockets = () => process.getActiveResourcesInfo().filter((name) => name === 'PipeWrap').length
const readings = () => node.instrument().operations.filter(({ op, what }) => op === 'read' && what === 'voltage').length

/** Starts one; it is in the middle of its stream when this resolves. */
async function streaming(lingerMs: number): Promise<ChildProcess> {
  const script = join(root, 'test/support/edge/streaming-client.ts')
  const args = ['--import', 'tsx', '--conditions=source', script, join(node.dataFolder, 'services.sock'), 'bench-1.psu']
  const child = spawn(process.execPath, [...args, String(lingerMs)], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  client = child
  let items = 0
  for await (const _ of createInterface({ input: child.stdout })) if (++items === 20) break
  assert.is(items, 20)
  assert.equal({ ...node.edge.services.counts }, { links: 1, calls: 1, lingering: lingerMs === 0 ? 0 : 1 })
  return child
}

/** What nobody has any more: the bench, and the instrument's time. */
async function allIsFree(): Promise<void> {
  const owner = await onMachine(node.dataFolder)
  assert.equal(await owner.call('node/locks'), [])
  await owner.call('node/lock', { services: ['bench-1.psu'], graceS: 0 })
  await owner.close()
  await until('the owner’s link is gone', isNothing)
  const before = readings()
  await systemClock.sleep(50) // five readings of a stream that went on
  assert.ok(readings() - before <= 1, `${readings() - before} readings were made for nobody`)
}

for (const { lingerMs, what } of [
  { lingerMs: 0, what: 'nothing of it is left' },
  { lingerMs: 300, what: 'its stream is kept for as long as it was asked to, and no longer' },
]) {
  test(what, async () => {
    const before = sockets()
    const child = await streaming(lingerMs)
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
    await until('the link is gone', () => node.edge.services.counts.links === 0)
    await until('all is gone', isNothing)
    await allIsFree()
    await until('its socket is closed', () => sockets() <= before)
  })
}

test.run()
