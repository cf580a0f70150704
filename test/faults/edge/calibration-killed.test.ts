/** The node is killed (-9) while a calibration is changed: the old one is in force after it, or the new one, and whole. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { calibrationFaultPoints } from '@fernlab/edge/fault-point'
import type { CalibrationRecord } from '@fernlab/shared/contracts/calibrations'
import type { BenchStatus } from '@fernlab/shared/contracts/node-status'
import * as assert from 'uvu/assert'
import { type ScriptedHub, SITE, startScriptedHub } from '../../support/edge/scripted-hub.ts'
import { type BenchInstruments, serveBench } from '../../support/faults/bench-instruments.ts'
import { OwnProcess } from '../../support/faults/own-process.ts'
import { suite } from '../../support/suite.ts'

const test = suite('the node killed while a calibration is changed', { timeoutMs: 90_000 })
const key = 'supply.voltage'

let folder: string
let instruments: BenchInstruments
let hub: ScriptedHub
let edge: OwnProcess

const bench = (): Partial<BenchStatus> =>
  JSON.parse(hub.retained.get(`fernlab/v1/${SITE}/nodes/n1/benches/bench-1`) ?? '{}')
const highest = () =>
  hub.inventories.at(-1)?.instruments[0]?.signals.find(({ name }) => name === 'voltage')?.limits?.high
const gain = (factor: number) => ({ curve: { form: 'linear', gain: factor, offset: 0 } })
const calibrate = async (change: object | 'undo') =>
  ((await hub.call('node.calibrate', { signal: key, by: 'ada', change })) as { history: CalibrationRecord[] }).history
/** The gains in the node's settings; those undone in brackets. */
const stored = async () => {
  const { calibrations } = JSON.parse(await readFile(join(folder, 'nodes', 'n1', 'settings.json'), 'utf8')) as {
    calibrations: Record<string, CalibrationRecord[]>
  }
  return (calibrations[key] ?? []).map(({ curve, undone }) => {
    const text = curve?.form === 'linear' ? String(curve.gain) : 'none'
    return undone === undefined ? text : `(${text})`
  })
}

test.before.each(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fernlab-calibration-'))
  instruments = await serveBench('calibration')
  hub = await startScriptedHub('n1')
  const file = join(folder, 'node.yaml')
  await writeFile(
    file,
    `site: ${SITE}
node: n1
hub: {url: "mqtt://127.0.0.1:${hub.port}"}
instruments:
  supply: {driver: scpi, config: {model: fern-psu, transport: {kind: tcp, host: 127.0.0.1, port: ${instruments.psu.port}}}}
benches:
  bench-1: {parts: {psu: supply}, safeState: {psu.output: false, psu.voltage: 0}}
`,
  )
  edge = new OwnProcess({
    name: 'edge',
    script: 'edge/dist/bundle/edge-process.js',
    args: ['--config', file],
    env: { FERNLAB_DATA: folder, FERNLAB_LOG_LEVEL: 'warn' },
    logFile: join(folder, 'edge.log'),
    ready: async () => {
      const before = hub.inventories.length
      await hub.until(
        'an inventory with a free bench',
        () => hub.inventories.length > before && bench().state === 'free',
        30_000,
      )
    },
  })
})
test.after.each(async () => {
  await edge.kill()
  edge.close()
  await hub.close()
  await instruments.close()
  await rm(folder, { recursive: true, force: true })
})

for (const point of calibrationFaultPoints) {
  for (const [what, change, before, after] of [
    ['added', gain(0.25), ['0.5'], ['0.5', '0.25']],
    ['undone', 'undo', ['0.5'], ['(0.5)']],
  ] as const) {
    test(`${point}, as one is ${what}`, async () => {
      await edge.start()
      const whole = highest() ?? 0
      await calibrate(gain(0.5))
      await hub.until('it is announced', () => highest() === whole / 2, 20_000)
      await edge.kill()
      await edge.start({ FERNLAB_FAULT_POINT: point })
      const ended = edge.ended()
      // Nobody answers.
      calibrate(change).catch(() => {})
      assert.is(await ended, 'SIGKILL')
      const isDone = point === 'after-calibration-commit'
      assert.equal(await stored(), isDone ? after : before)
      await edge.start()
      assert.is(highest(), isDone ? (change === 'undo' ? whole : whole / 4) : whole / 2)
      // The bench is nobody's, and the next change finds what is there.
      const history = await calibrate(gain(0.1))
      assert.is(history.length, (isDone ? after : before).length + 1)
      await hub.until('it is announced', () => highest() === whole / 10, 20_000)
    })
  }
}

test.run()
