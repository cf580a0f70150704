import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { CalibrationHistories, CalibrationRecord } from '@fernlab/shared/contracts/calibrations'
import type { NodeHealth } from '@fernlab/shared/contracts/node-status'
import type { LabError } from '@fernlab/shared/primitives/lab-error'
import * as assert from 'uvu/assert'
import { nodeFile, protocolOf, startTestNode, type TestNode, type TestNodeOptions } from '../../support/edge/node.ts'
import { assignmentOf, type ScriptedHub, SITE, startScriptedHub } from '../../support/edge/scripted-hub.ts'
import { suite } from '../../support/suite.ts'

const test = suite('calibrations of a node, over a real broker', { timeoutMs: 20_000 })
let hub: ScriptedHub
let node: TestNode

const start = async (options: TestNodeOptions = {}) => {
  hub = await startScriptedHub('n1')
  node = await startTestNode(hub, { healthEveryMs: 100, ...options })
  await ready()
}
const ready = () =>
  hub.until('the bench is free', () => bench().status.state === 'free' && node.edge.syncState === 'synced')
test.after.each(async () => {
  await node.remove()
  await hub.close()
})

const bench = () => {
  const found = node.edge.benches.get('bench-1')
  if (found === undefined) throw new Error('there is no bench')
  return found
}
const calibrate = async (change: object | 'undo', signal = 'psu-1.voltage') =>
  ((await hub.call('node.calibrate', { signal, by: 'ada', change })) as { history: CalibrationRecord[] }).history
const gain = (factor: number, more: object = {}) => ({ curve: { form: 'linear', gain: factor, offset: 0 }, ...more })
const failure = async (work: Promise<unknown>): Promise<{ code: string; message: string }> => {
  try {
    await work
  } catch (error) {
    return error as LabError
  }
  return { code: 'none', message: '' }
}
const stored = async () => JSON.parse(await readFile(join(node.dataFolder, 'settings.json'), 'utf8'))
const keep = (calibrations: object) =>
  writeFile(join(node.dataFolder, 'settings.json'), JSON.stringify({ calibrations }))
const record = (more: object = {}) => ({ ...gain(2), by: 'ada', at: '2026-05-01T10:00:00Z', ...more })
const announced = () => hub.inventories.at(-1)?.instruments[0]?.signals.find((signal) => signal.name === 'voltage')

/** Runs the steps and resolves with what the run recorded. */
const run = async (steps: string) => {
  const assignment = assignmentOf(protocolOf(steps))
  await hub.assign(assignment)
  await hub.until('the run stopped', () => hub.stopped(assignment.runId) !== undefined)
  const documents = hub.documents(assignment.runId)
  const found = <N extends string>(name: N) =>
    documents.flatMap((each) => (each.name === name ? [each.doc as never] : []))
  return {
    stop: found('stop')[0] as unknown as { state: string; reason: string; error?: { code: string } },
    descriptor: found('descriptor')[0] as
      | { configuration: Record<string, { calibrations?: object; rawLimits?: object }> }
      | undefined,
    pages: found('event_page') as { columns: Record<string, ArrayLike<number>> }[],
  }
}

test('readings are calibrated and sets are undone to raw values, at once, and each run says by what', async () => {
  await start()
  await calibrate(gain(0.5, { uncertainty: 0.01, note: 'by the multimeter' }))
  await hub.until('it is announced', () => announced()?.limits?.high === 5)
  assert.equal(announced()?.uncertainty, { absolute: 0.01 })
  const { stop, descriptor, pages } = await run(
    '  - set: {psu.voltage: 2}\n  - read: {signals: [psu.voltage, psu.current]}',
  )
  assert.is(stop.state, 'succeeded', stop.reason)
  assert.ok(node.instrument().sets('voltage').includes(4))
  assert.equal(Array.from(pages[0]?.columns['psu.voltage'] ?? []), [2])
  // The current was not calibrated: 4 V over 100 Ω.
  assert.equal(Array.from(pages[0]?.columns['psu.current'] ?? []), [0.04])
  assert.equal(descriptor?.configuration['psu-1']?.calibrations, {
    voltage: (await stored()).calibrations['psu-1.voltage'][0],
  })
  assert.equal(descriptor?.configuration['psu-1']?.rawLimits, { voltage: { low: 0, high: 10 } })
  const tooMuch = assignmentOf(protocolOf('  - set: {psu.voltage: 6}'))
  await hub.assign(tooMuch)
  await hub.until('it was refused', () => hub.refused.some(({ runId }) => runId === tooMuch.runId))
  assert.match(hub.refused[0]?.error.issues?.[0]?.message ?? hub.refused[0]?.error.message ?? '', / 5 V/)
})

test('blocks of an instrument that samples by itself are calibrated', async () => {
  await start({
    prepare: (instrument) => {
      instrument.stream = async function* () {
        for (let i = 0; ; i++) {
          await new Promise((resolve) => setTimeout(resolve, 5))
          yield { time: new Float64Array([i, i + 0.5]), columns: { voltage: new Float64Array([i, i + 0.5]) } }
        }
      }
    },
  })
  await calibrate({ curve: { form: 'polynomial', coefficients: [1, 0.5] } })
  const { stop, pages } = await run('  - record: {stream: fast, signals: [psu.voltage], rate: 2, for: 2}')
  assert.is(stop.state, 'succeeded', stop.reason)
  assert.equal(Array.from(pages[0]?.columns['psu.voltage'] ?? []), [1, 1.25, 1.5, 1.75])
})

test('what lies outside of a table ends the run and says so, and an interlock judges calibrated values', async () => {
  const interlocks = { 'too-much': { bench: 'bench-1', when: 'psu.current > 1', everyMs: 10 } }
  await start({ config: { object: { ...nodeFile(), interlocks } } })
  const points = [
    [0, 0],
    [0.05, 0.06],
  ]
  await calibrate({ curve: { form: 'table', points } }, 'psu-1.current')
  const outside = await run('  - set: {psu.voltage: 6}\n  - read: {signals: [psu.current]}')
  assert.is(outside.stop.error?.code, 'calibration-out-of-range')
  await hub.until('the bench is free', () => bench().status.state === 'free')
  await calibrate(gain(30), 'psu-1.current')
  const tripped = await run('  - set: {psu.voltage: 6}\n  - wait: 60')
  assert.match(tripped.stop.reason, /with psu\.current = 1\.79\d* A|with psu\.current = 1\.8 A/)
})

test('a safe state that a calibration puts out of reach is met as near as the instrument can', async () => {
  await start()
  await calibrate({ curve: { form: 'linear', gain: 1, offset: 0.05 } })
  assert.is((await run('  - set: {psu.voltage: 3}')).stop.state, 'succeeded')
  assert.is(bench().unsafe, undefined)
  assert.is(node.instrument().sets('voltage').at(-1), 0)
})

test('earlier ones are kept: cleared, undone, and so after a start', async () => {
  await start()
  await calibrate(gain(0.5))
  await calibrate(gain(0.4))
  const cleared = await calibrate({ curve: null })
  assert.equal(
    cleared.map(({ by, curve }) => [by, curve?.form]),
    [
      ['ada', 'linear'],
      ['ada', 'linear'],
      ['ada', undefined],
    ],
  )
  await hub.until('it is announced', () => announced()?.limits?.high === 10)
  await calibrate('undo')
  await hub.until('it is announced', () => announced()?.limits?.high === 4)
  const undone = await calibrate('undo')
  assert.equal(
    undone.map((each) => each.undone?.by),
    [undefined, 'ada', 'ada'],
  )
  await node.close()
  node = await node.restart()
  await ready()
  await hub.until('it is announced', () => announced()?.limits?.high === 5)
  const { calibrations } = (await hub.call('node.calibrations', {})) as { calibrations: CalibrationHistories }
  assert.equal(calibrations['psu-1.voltage'], undone)
  await calibrate('undo')
  assert.is((await failure(calibrate('undo'))).code, 'calibration-none')
})

test('one that does not do, or comes while somebody has the bench, changes nothing', async () => {
  await start()
  const lease = (await hub.call('lease.take', { bench: 'bench-1', holder: 'ada', fence: 1, ttlMs: 10_000 })) as {
    lease: string
  }
  const busy = await failure(calibrate(gain(0.5)))
  assert.is(busy.code, 'bench-busy')
  assert.match(busy.message, /wait for the run to end, or take the bench out of use$/)
  await hub.call('lease.release', { bench: 'bench-1', lease: lease.lease })
  await ready()
  const codes = []
  for (const [change, signal] of [
    [{ curve: { form: 'polynomial', coefficients: [0, 1, -0.1] } }, 'psu-1.voltage'],
    [gain(2), 'psu-1.output'],
    [gain(2), 'psu-1.volts'],
    [gain(2), 'psu-9.voltage'],
  ] as const) {
    codes.push((await failure(calibrate(change, signal))).code)
  }
  assert.equal(codes, ['calibration-unfit', 'calibration-unfit', 'calibration-unfit', 'instrument-unknown'])
  assert.equal(await hub.call('node.calibrations', {}), { calibrations: {} })
  assert.is((await run('  - set: {psu.voltage: 2}')).stop.state, 'succeeded')
  assert.equal(node.instrument().sets('voltage').includes(2), true)
})

test('one that is over is in the health of the node, and one cleared is not', async () => {
  await start()
  const told = () => {
    const health = JSON.parse(hub.retained.get(`fernlab/v1/${SITE}/nodes/n1/health`) ?? '{}') as Partial<NodeHealth>
    return health.problems?.find(({ code }) => code === 'calibration-expired')?.message
  }
  await calibrate(gain(2, { validUntil: '2026-01-31' }))
  await hub.until('it is told', () => told() !== undefined)
  assert.is(told(), 'psu-1.voltage: its calibration by ada was good until 2026-01-31; calibrate it again')
  await calibrate({ curve: null })
  await hub.until('it is told no more', () => told() === undefined)
})

test('what a person wrote wrongly stops the start with its place', async () => {
  await start()
  await node.close()
  const again = async (calibrations: object) => {
    await keep(calibrations)
    return await failure(node.restart())
  }
  const { message, code } = await again({
    'psu-1.voltage': [record({ curve: { form: 'linear', gain: '2', offset: 0 } })],
  })
  assert.is(code, 'settings-invalid')
  assert.match(
    message,
    /settings\.json holds something else than settings: calibrations\.psu-1\.voltage\.0\.curve\.gain: /,
  )
  assert.is(
    (await again({ 'psu-1.voltage': [record()], 'psu1.voltage': [record(), record()] })).message,
    'settings.json of the node: calibrations.psu1.voltage.1: this node has no instrument psu1; did you mean "psu-1"?',
  )
  assert.match(
    (await again({ 'psu-1.output': [record()] })).message,
    /^settings\.json of the node: calibrations\.psu-1\.output\.0: output is of type boolean/,
  )
  await keep({ 'psu-1.voltage': [record({ curve: { form: 'linear', gain: 0.5, offset: 0 } })] })
  node = await node.restart()
  await ready()
  await hub.until('it is announced', () => announced()?.limits?.high === 5)
})

test.run()
