/** The node is killed (-9) as an instrument is added, and as one is removed: after it there is the one or the other, whole. */
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { addedFaultPoints } from '@fernlab/edge/fault-point'
import * as assert from 'uvu/assert'
import { type ScriptedHub, SITE, startScriptedHub } from '../../support/edge/scripted-hub.ts'
import { OwnProcess } from '../../support/faults/own-process.ts'
import { type MachineTree, raspberryPi } from '../../support/machine-tree.ts'
import { suite } from '../../support/suite.ts'

const test = suite('the node killed as an instrument is added or removed', { timeoutMs: 90_000 })
const probe = { find: 'w1:28-0000075c5a3e', driver: 'one-wire', name: 'probe', settings: {}, by: 'ada' }

let folder: string
let tree: MachineTree
let hub: ScriptedHub
let edge: OwnProcess

const isFree = () => {
  const text = hub.retained.get(`fernlab/v1/${SITE}/nodes/n1/benches/bench-1`)
  return text !== undefined && (JSON.parse(text) as { state: string }).state === 'free'
}
const names = () => (hub.inventories.at(-1)?.instruments ?? []).map(({ name }) => name).sort()
const add = () => hub.call('node.add-instrument', probe)
const remove = () => hub.call('node.remove-instrument', { name: 'probe' })
const calibrate = () =>
  hub.call('node.calibrate', {
    signal: 'probe.temperature',
    by: 'ada',
    change: { curve: { form: 'linear', gain: 1, offset: -2 } },
  })
/** The signals that the node's settings have calibrations of. */
const calibrated = async () => {
  const text = await readFile(join(folder, 'settings.json'), 'utf8').catch(() => '{}')
  return Object.keys((JSON.parse(text) as { calibrations?: object }).calibrations ?? {})
}

test.before.each(async () => {
  folder = join(await mkdtemp(join(tmpdir(), 'fernlab-added-')), 'n1')
  await mkdir(folder)
  tree = raspberryPi()
  hub = await startScriptedHub('n1')
  const program = ['tsx', '--conditions=source', 'test/support/faults/pi-process.ts']
  edge = new OwnProcess({
    name: 'node',
    script: '--import',
    args: [...program, tree.folder, folder, `mqtt://127.0.0.1:${hub.port}`],
    env: {},
    logFile: join(folder, 'edge.log'),
    ready: async () => {
      const before = hub.inventories.length
      await hub.until('an inventory with a free bench', () => hub.inventories.length > before && isFree(), 60_000)
    },
  })
})
test.after.each(async () => {
  await edge.kill()
  edge.close()
  await hub.close()
  tree.end()
  await rm(join(folder, '..'), { recursive: true, force: true })
})

for (const point of addedFaultPoints) {
  const isDone = point === 'after-added-commit'

  test(`${point}, as one is added`, async () => {
    await edge.start({ FERNLAB_FAULT_POINT: point })
    const ended = edge.ended()
    // Nobody answers.
    add().catch(() => {})
    assert.is(await ended, 'SIGKILL')
    await edge.start()
    assert.equal(names(), isDone ? ['box', 'probe'] : ['box'])
    // What is there is whole: it can be taken back, or made.
    await (isDone ? remove() : add())
    await hub.until('it is announced', () => names().includes('probe') !== isDone, 20_000)
  })

  test(`${point}, as one that was calibrated is removed`, async () => {
    await edge.start()
    await add()
    await calibrate()
    assert.equal(await calibrated(), ['probe.temperature'])
    await edge.kill()
    await edge.start({ FERNLAB_FAULT_POINT: point })
    const ended = edge.ended()
    remove().catch(() => {})
    assert.is(await ended, 'SIGKILL')
    await edge.start()
    assert.equal(names(), isDone ? ['box'] : ['box', 'probe'])
    assert.equal(await calibrated(), [])
    await (isDone ? add() : remove())
    await hub.until('it is announced', () => names().includes('probe') === isDone, 20_000)
  })
}

test.run()
