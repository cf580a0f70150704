/** The driver `board` on an emulated sibling that is made of a description alone: that of the demo's board. */
import { mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createBoardDriver } from '@fernlab/edge/drivers/board/board'
import type { Instrument } from '@fernlab/edge/drivers/driver'
import { createDescribedBoard } from '@fernlab/firmware-bridge/emulated/described/described-board'
import { boardDescriptionSchema } from '@fernlab/firmware-bridge/link/description'
import { FirmwareLink } from '@fernlab/firmware-bridge/link/firmware-link'
import { openEmulated } from '@fernlab/firmware-bridge/transports/emulated'
import { createOpenTransport } from '@fernlab/firmware-bridge/transports/open-transport'
import { systemClock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { silentLog } from '@fernlab/shared/primitives/log'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'
import { driverContract } from '../driver-contract.ts'

const file = fileURLToPath(new URL('../../../shared/labs/demo-node/thermal-control.json', import.meta.url))
const demo = boardDescriptionSchema.parse(JSON.parse(await readFile(file, 'utf8')))
/** The demo's streams 20 times a second at most. */
const description = { ...demo, signals: demo.signals.map((signal) => ({ ...signal, shortestUs: 1000 })) }
const folder = await mkdtemp(join(tmpdir(), 'fernlab-described-'))
await writeFile(join(folder, 'board.json'), JSON.stringify(description))
const config = { emulated: 'sibling', description: './board.json' }
const context = {
  name: 'bench-1',
  clock: systemClock,
  log: silentLog,
  openTransport: createOpenTransport({ clock: systemClock, log: silentLog }),
  configFolder: folder,
}
const settable = description.signals.find(({ access, type }) => access === 'read-set' && type !== 'bool')
if (settable === undefined) throw new Error('the demo board has nothing to set')
/** As many as one stream can have. */
const readable = description.signals
  .filter(({ access }) => access !== 'set')
  .map(({ name }) => name)
  .slice(0, description.streamSignals)
const steps = (count: number) => Number((settable.low + count * settable.step).toPrecision(9))
const action = description.actions.find((each) => each.arguments.length === 0)?.name

driverContract('board, made of a description', async () => ({
  driver: createBoardDriver(),
  config,
  context,
  settable: { name: settable.name, values: [steps(3), steps(7)] as const },
  readable,
  ...(action === undefined ? {} : { action }),
  release: async () => {},
}))

const test = suite('a board made of its description', { timeoutMs: 30_000 })

test('it says of itself what its description says, line by line', async ({ signal }) => {
  const device = createDescribedBoard({ name: 'sibling', description, clock: systemClock })
  const link = new FirmwareLink({ board: 'sibling', transport: openEmulated(device, systemClock), clock: systemClock })
  await link.connect(signal)
  assert.equal(await link.describe(signal), description)
  await link.close()
})

const opened = async (signal: AbortSignal): Promise<Instrument> => {
  const instrument = await createBoardDriver().create(config, context)
  await instrument.open(signal)
  return instrument
}

test('what is read wanders within its limits, in whole steps; what is refused changes nothing', async ({ signal }) => {
  const instrument = await opened(signal)
  const before = await instrument.read(readable, signal)
  for (const each of description.signals.filter(({ access, type }) => access === 'read' && type !== 'bool')) {
    const value = Number(before[each.name]?.value)
    assert.ok(value >= each.low && value <= each.high, `${each.name} is ${value}`)
    assert.ok(Math.abs(value / each.step - Math.round(value / each.step)) < 1e-6, `${each.name} is ${value}`)
  }
  await instrument.set(settable.name, settable.low + settable.step, signal)
  const refused = await instrument.set(settable.name, settable.high + 10 * settable.step, signal).catch((e) => e)
  assert.instance(refused, LabError)
  const after = await instrument.read([settable.name], signal)
  assert.ok(Math.abs(Number(after[settable.name]?.value) - settable.low - settable.step) < 1e-6)
  await instrument.close()
})

test('it streams at its rate, without gaps, with times that rise', async ({ signal }) => {
  const lost: string[] = []
  const log = { ...silentLog, warn: (_: object, message: string) => void lost.push(message) }
  const instrument = await createBoardDriver().create(config, { ...context, log })
  await instrument.open(signal)
  const names = readable.slice(0, 2)
  const stop = new AbortController()
  const times: number[] = []
  const beganS = systemClock.monotonic() / 1000
  for await (const block of instrument.stream?.(names, 200, stop.signal) ?? []) {
    times.push(...block.time)
    for (const name of names) assert.is(block.columns[name]?.length, block.time.length)
    if (times.length >= 200) stop.abort()
  }
  const tookS = systemClock.monotonic() / 1000 - beganS
  assert.ok(tookS > 0.9, `200 samples at 200 Hz came within ${tookS} s`)
  assert.ok(times.every((time, i) => i === 0 || time > (times[i - 1] ?? 0)))
  await instrument.close()
  assert.equal(lost, [])
})

test('a board is at a transport or emulated, and an emulated one needs a description', async () => {
  const driver = createBoardDriver()
  const transport = { kind: 'tcp', host: '127.0.0.1', port: 1 }
  const paths = (given: unknown) => driver.check(given).map(({ path }) => path)
  assert.equal(paths({}), ['transport'])
  assert.equal(paths({ ...config, transport }), ['emulated'])
  assert.equal(paths({ emulated: 'sibling' }), ['description'])
  assert.equal(paths({ ...config, emulated: 'Sibling!' }), ['emulated'])
  await writeFile(join(folder, 'broken.json'), '{"fernlabLink": 1')
  const error = await driver.create({ ...config, description: './broken.json' }, context).catch((e: LabError) => e)
  assert.match(String(error), /description \.\/broken\.json: .*is not JSON/)
})

test.run()
