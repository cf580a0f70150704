import { mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createBoardDriver } from '@fernlab/edge/drivers/board/board'
import type { DriverContext } from '@fernlab/edge/drivers/driver'
import { createSimulatedDriver } from '@fernlab/edge/drivers/simulated/simulated'
import { type Connection, createInstrumentHandle } from '@fernlab/edge/instruments/instrument-handle'
import { createInstruments } from '@fernlab/edge/instruments/instruments'
import { createOpenTransport } from '@fernlab/firmware-bridge/transports/open-transport'
import { systemClock } from '@fernlab/shared/primitives/clock'
import { silentLog } from '@fernlab/shared/primitives/log'
import * as assert from 'uvu/assert'
import { rejection } from '../../contract/driver-contract.ts'
import { hostPrograms } from '../../support/firmware/host-board.ts'
import { suite } from '../../support/suite.ts'

const test = suite('the driver board', { timeoutMs: 40_000, fileTimeoutMs: 120_000 })
const programs = hostPrograms()
const driver = createBoardDriver()
const openTransport = createOpenTransport({ clock: systemClock, log: silentLog })
let program = ''
let folder = ''

test.before(async () => {
  program = await programs.compile('board')
})
test.before.each(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fernlab-board-'))
})
test.after.each(() => rm(folder, { recursive: true, force: true }))
test.after(() => programs.remove())

const context = (): DriverContext => ({
  name: 'heater',
  clock: systemClock,
  log: silentLog,
  openTransport,
  configFolder: folder,
})
const at = (port: number, more: object = {}) => ({ transport: { kind: 'tcp', host: '127.0.0.1', port }, ...more })

/** Has the node see the board once; gives the port. */
async function seenOnce(): Promise<number> {
  const board = await programs.start(program)
  const instrument = await driver.create(at(board.port), context())
  await instrument.close()
  await board.stop()
  return board.port
}

/** The instrument as a node has it, and what it has told of its connection. */
async function onNode(config: unknown) {
  const instrument = await driver.create(config, context())
  const handle = createInstrumentHandle({ name: 'heater', instrument, clock: systemClock, log: silentLog })
  const told: Connection[] = []
  let wake = () => {}
  handle.onConnection((connection) => {
    told.push(connection)
    wake()
  })
  const until = async (is: (connection: Connection) => boolean, signal: AbortSignal) => {
    while (!is(handle.connection)) {
      signal.throwIfAborted()
      await new Promise<void>((resolve) => {
        wake = resolve
        signal.addEventListener('abort', () => resolve(), { once: true })
      })
    }
  }
  handle.start()
  return { handle, told, until }
}
const reasonOf = (connection: Connection) => (connection.online ? '' : connection.reason)

test('a board that was seen once and is away does not keep the rest of the node from starting, and comes by itself', async ({
  signal,
}) => {
  const port = await seenOnce()
  const kept = JSON.parse(await readFile(join(folder, 'boards/heater.json'), 'utf8'))
  assert.is(kept.firmware.name, 'bench')
  const instruments = await createInstruments({
    entries: {
      heater: { driver: 'board', config: at(port), shared: false },
      ramp: { driver: 'simulated', config: { model: 'ramp-source' }, shared: false },
    },
    drivers: [driver, createSimulatedDriver()],
    openTransport,
    configFolder: folder,
    inUse: () => undefined,
    clock: systemClock,
    log: silentLog,
  })
  const heater = instruments.all.get('heater')
  assert.equal(
    heater?.spec.signals.find(({ name }) => name === 'power'),
    {
      name: 'power',
      unit: '%',
      dtype: 'integer',
      shape: [],
      kind: 'reading',
      access: 'read-set',
      limits: { low: 0, high: 100 },
      maxRateHz: 100,
    },
  )
  const online = new Promise<void>((resolve) => heater?.onConnection((connection) => connection.online && resolve()))
  instruments.start()
  while (instruments.all.get('ramp')?.connection.online !== true) await systemClock.sleep(5, signal)
  assert.match(reasonOf(heater?.connection ?? { online: true }), /no connection to 127.0.0.1|not yet opened/)
  const board = await programs.start(program, '--port', String(port))
  await online
  await heater?.set('power', 30, { signal })
  assert.is((await heater?.read(['power'], { signal }))?.power?.value, 30)
  assert.is(await heater?.identify({ signal }), 'bench 1.2.0 fe41ab00')
  await instruments.close()
  await board.stop()
})

test('a board that was never seen is out of use alone as the node starts, and refused to be added', async () => {
  const error = await rejection(driver.create(at(1), context()))
  assert.is(error.code, 'board-never-seen')
  assert.is(error.issues[0]?.path, 'config.transport')
  assert.match(error.message, /no connection to 127.0.0.1:1 .*plug it in, or name its description/)
  const instruments = await createInstruments({
    entries: {
      heater: { driver: 'board', config: at(1), shared: false },
      ramp: { driver: 'simulated', config: { model: 'ramp-source' }, shared: false },
    },
    drivers: [driver, createSimulatedDriver()],
    openTransport,
    configFolder: folder,
    inUse: () => undefined,
    clock: systemClock,
    log: silentLog,
  })
  assert.equal([...instruments.outOfUse.keys()], ['heater'])
  assert.match(instruments.outOfUse.get('heater') ?? '', /^out of use: config\.transport: no connection/)
  const refused = await rejection(instruments.make('other', { driver: 'board', config: at(1), shared: false }))
  assert.is(refused.code, 'board-never-seen')
  assert.is(instruments.all.has('other'), false)
  // Another of that name is not out of use for what this one was.
  await instruments.remove('heater')
  assert.equal([...instruments.outOfUse.keys()], [])
  await instruments.close()
})

test('what a board is, is kept in the data of the node, and read where earlier versions kept it', async () => {
  const data = await mkdtemp(join(tmpdir(), 'fernlab-board-data-'))
  const board = await programs.start(program)
  const made = await driver.create(at(board.port), { ...context(), keptFolder: data })
  await made.close()
  await board.stop()
  const kept = await readFile(join(data, 'boards/heater.json'), 'utf8')
  assert.is(JSON.parse(kept).firmware.name, 'bench')
  assert.equal(await readdir(folder), [])
  await rename(join(data, 'boards'), join(folder, 'boards'))
  const again = await driver.create(at(board.port), { ...context(), keptFolder: data })
  assert.ok(again.spec.signals.some(({ name }) => name === 'power'))
  await again.close()
  await rm(data, { recursive: true, force: true })
})

test('a description that is not there, or wrong, is named with its place', async () => {
  const missing = await rejection(driver.create(at(1, { description: './none.json' }), context()))
  assert.match(missing.message, /description: .\/none.json cannot be read/)
  await writeFile(join(folder, 'half.json'), '{"fernlabLink": 1')
  const half = await rejection(driver.create(at(1, { description: './half.json' }), context()))
  assert.match(half.message, /is not JSON/)
  await seenOnce()
  const kept = JSON.parse(await readFile(join(folder, 'boards/heater.json'), 'utf8'))
  kept.signals[3].unit = 'volt'
  await writeFile(join(folder, 'wrong.json'), JSON.stringify(kept))
  const wrong = await rejection(driver.create(at(1, { description: './wrong.json' }), context()))
  assert.match(wrong.message, /wrong.json: signals\[3\].unit: unknown unit "volt"/)
})

test('a board that is another than the description says is offline with what differs', async ({ signal }) => {
  await seenOnce()
  const other = await programs.start(await programs.compile('board', '-DVARIANT'))
  const { handle, told, until } = await onNode(at(other.port, { description: './boards/heater.json' }))
  await until((connection) => /is new/.test(reasonOf(connection)), signal)
  assert.match(
    reasonOf(handle.connection),
    /the board \(bench 1.2.0\) has other signals or actions than .\/boards\/heater.json said.*extra is new/,
  )
  assert.not(told.some(({ online }) => online))
  await handle.close()
  await other.stop()
})

test('a board that starts anew every second is offline with that reason, and does not come and go', async ({
  signal,
}) => {
  const board = await programs.start(program, '--reset-every-ms', '1000')
  const { handle, told, until } = await onNode(at(board.port))
  await until((connection) => /again and again: 4 times/.test(reasonOf(connection)), signal)
  assert.match(reasonOf(handle.connection), /start \d+ since it had power\); look at its supply/)
  assert.ok(told.filter(({ online }) => online).length <= 1, 'it was online more than once')
  await handle.close()
  await board.stop()
})

test('pulled in the middle of a command it fails as a lost connection, and the command is not done again', async ({
  signal,
}) => {
  const board = await programs.start(program)
  const instrument = await driver.create(at(board.port), context())
  await instrument.open(signal)
  const lost = new Promise<string>((resolve) => instrument.onConnection?.((up, why) => !up && resolve(why ?? '')))
  const back = new Promise<void>((resolve) => instrument.onConnection?.((up) => up && resolve()))
  board.say('freeze')
  await systemClock.sleep(100, signal)
  const error = rejection(instrument.set('power', 9, signal))
  await systemClock.sleep(100, signal)
  board.say('cut')
  assert.is((await error).kind, 'link')
  assert.match((await error).message, /the connection to heater was lost/)
  assert.match(await lost, /the connection to heater was lost/)
  await back
  const { sets, power } = await instrument.read(['sets', 'power'], signal)
  assert.equal([sets?.value, power?.value], [0, 0])
  await instrument.close()
  await board.stop()
})

test('a reset in the middle of a stream ends it with that reason', async ({ signal }) => {
  const board = await programs.start(program)
  const instrument = await driver.create(at(board.port), context())
  await instrument.open(signal)
  let samples = 0
  const follow = async () => {
    for await (const { time } of instrument.stream?.(['a', 'b'], 500, signal) ?? []) {
      samples += time.length
      if (samples > 20) board.say('reset')
    }
  }
  assert.is((await rejection(follow())).code, 'board-reset')
  await instrument.close()
  await board.stop()
})

test.run()
