import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { lookAround } from '@fernlab/edge/discovery/look-around'
import { createOwnDriver } from '@fernlab/edge/drivers/own/own'
import { createProcessDriver } from '@fernlab/edge/drivers/process/process'
import type { BenchStatus, NodeHealth } from '@fernlab/shared/contracts/node-status'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import * as assert from 'uvu/assert'
import { rejection } from '../../contract/driver-contract.ts'
import { nodeFile, startTestNode, type TestNode } from '../../support/edge/node.ts'
import { type ScriptedHub, SITE, startScriptedHub } from '../../support/edge/scripted-hub.ts'
import { suite } from '../../support/suite.ts'

const test = suite('an instrument that could not be made', { timeoutMs: 240_000 })
const WAIT_MS = 60_000

/** A box with one voltage. */
const BOX = `import { driverOf, z } from '@fernlab/driver'
export default driverOf({
  kind: 'box',
  schema: z.strictObject({}),
  create: async (_, { name }) => {
    let voltage = 3
    return {
      spec: {
        name, driver: 'own', actions: [],
        signals: [{ name: 'voltage', unit: 'V', dtype: 'number', shape: [], kind: 'reading', access: 'read-set' }],
      },
      open: async () => {},
      read: async () => ({ voltage: { value: voltage, time: Date.now() / 1000 } }),
      set: async (_, wanted) => { voltage = wanted },
      call: async () => {},
      close: async () => {},
    }
  },
})
`
const BROKEN = BOX.replace('kind:', 'kind =')

let folder: string
let hub: ScriptedHub
let node: TestNode | undefined

test.before.each(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fernlab-out-of-use-'))
  await mkdir(join(folder, 'drivers/box'), { recursive: true })
  hub = await startScriptedHub('n1')
})
test.after.each(async () => {
  await node?.close()
  node = undefined
  await hub.close()
  await rm(folder, { recursive: true, force: true })
})

const driver = (text: string) => writeFile(join(folder, 'drivers/box/driver.ts'), text)

/** A node with a bench that has nothing to do with the box, and one that has a part beside it. */
const start = async (
  more: object = {},
  instrument: object = { driver: 'own', config: { folder: './drivers/box' } },
) => {
  const file = nodeFile(2) as { instruments: object; benches: Record<string, { safeState: object }> }
  const second = file.benches['bench-2']
  const object = {
    ...file,
    instruments: { ...file.instruments, box: instrument },
    benches: {
      ...file.benches,
      'bench-2': {
        ...second,
        parts: { psu: 'psu-2', box: 'box' },
        safeState: { ...second?.safeState, 'box.voltage': 0 },
        limits: { 'box.voltage': { low: 0, high: 5 } },
      },
    },
    interlocks: {
      'box-high': {
        bench: 'bench-2',
        when: { signal: 'box.voltage', above: { value: 4000, unit: 'mV' } },
        latch: false,
      },
    },
    ...more,
  }
  const dataFolder = join(folder, 'data/nodes/n1')
  await mkdir(dataFolder, { recursive: true })
  await writeFile(join(folder, 'node.yaml'), JSON.stringify(object))
  node = await startTestNode(hub, {
    config: { object, folder },
    dataFolder,
    extraDrivers: [createOwnDriver(), createProcessDriver()],
    healthEveryMs: 100,
  })
}

const published = (what: string) => JSON.parse(hub.retained.get(`fernlab/v1/${SITE}/nodes/n1/${what}`) ?? '{}')
const bench = (name: string): BenchStatus => published(`benches/${name}`)
const problem = () =>
  (published('health') as Partial<NodeHealth>).problems?.find(({ code }) => code === 'instrument-out-of-use')
const free = (name: string) => hub.until(`${name} is free`, () => bench(name).state === 'free', WAIT_MS)
const outOfUse = (what: RegExp) =>
  hub.until(
    'the bench is offline and says why',
    () => bench('bench-2').state === 'offline' && what.test(bench('bench-2').reason ?? ''),
    WAIT_MS,
  )
const doctor = async () => {
  const found = await lookAround({
    nodeFile: join(folder, 'node.yaml'),
    dataFolder: join(folder, 'data'),
    rootFolder: join(folder, 'machine'),
  })
  return found.filter(({ what }) => what === 'instrument box').map(({ verdict, detail }) => `${verdict}: ${detail}`)
}

test('keeps its own bench from use and no other, until its driver is mended and the node started again', async () => {
  const calibration = {
    'box.voltage': [{ curve: { form: 'linear', gain: 2, offset: 0 }, by: 'ana', at: '2026-01-01T00:00:00Z' }],
  }
  await mkdir(join(folder, 'data/nodes/n1'), { recursive: true })
  await writeFile(join(folder, 'data/nodes/n1/settings.json'), JSON.stringify({ calibrations: calibration }))
  await driver(BROKEN)
  await start()
  const says = /^box is offline: out of use: .*driver\.ts:3:8: Unexpected "="\. Mend that, then start the node again$/
  await free('bench-1')
  await outOfUse(says)
  await hub.until('the health tells of it', () => problem() !== undefined, WAIT_MS)
  assert.match(problem()?.message ?? '', /^box is out of use: .*driver\.ts:3:8/)
  assert.match((await doctor()).join(), /^broken: out of use: .*driver\.ts:3:8/)
  const looked = (await hub.call('node.look', { scan: false }, WAIT_MS)) as {
    findings: { what: string; detail: string }[]
  }
  assert.match(looked.findings.find(({ what }) => what === 'instrument box')?.detail ?? '', /driver\.ts:3:8/)
  // The other part of its bench is the node's to keep safe all the same, and nobody gets the bench.
  const other = node?.edge.benches.get('bench-2')
  await hub.until('the other part is safe', () => node?.instrument('psu-2').values.get('output') === false, WAIT_MS)
  assert.throws(() => other?.acquire({ kind: 'direct', id: 'ana' }), /bench-2 is offline: box is offline: out of use/)

  await driver(BOX)
  await node?.close()
  await start()
  await free('bench-2')
  assert.is(problem(), undefined)
  assert.equal(await doctor(), [])
  const reading = await node?.edge.instruments.get('box')?.read(['voltage'], { signal: new AbortController().signal })
  assert.is(reading?.voltage?.value, 0)
  const kept = JSON.parse(await readFile(join(folder, 'data/nodes/n1/settings.json'), 'utf8')) as {
    calibrations: object
  }
  assert.equal(kept.calibrations, calibration)
})

test('is a program that can not say what it is, too', async () => {
  await start({}, { driver: 'process', config: { command: ['/bin/sh', '-c', 'echo no oven today >&2; exit 3'] } })
  await free('bench-1')
  await outOfUse(/^box is offline: out of use: .*no oven today/)
})

test('does not hide what the rest of its bench lacks, nor a mistake in node.yaml', async () => {
  await driver(BROKEN)
  const wrong = await rejection(
    start({
      benches: { b: { parts: { psu: 'psu-1', box: 'box' }, safeState: { 'psu.vlotage': 0, 'box.x': 1 } } },
      interlocks: {},
    }),
  )
  assert.ok(wrong instanceof LabError)
  assert.equal(
    wrong.issues.map(({ path }) => path),
    ['benches.b.safeState.psu.vlotage'],
  )
  const unnamed = await rejection(start({}, { driver: 'own', config: {} }))
  assert.equal(
    unnamed.issues.map(({ path }) => path),
    ['instruments.box.config.folder'],
  )
})

test.run()
