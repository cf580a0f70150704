import { createBench } from '@fernlab/edge/benches/bench'
import { pictureKind } from '@fernlab/edge/checks/kinds/picture'
import { createCameraDriver } from '@fernlab/edge/drivers/camera/camera'
import { createInstrumentHandle, type InstrumentHandle } from '@fernlab/edge/instruments/instrument-handle'
import { systemClock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { silentLog } from '@fernlab/shared/primitives/log'
import * as assert from 'uvu/assert'
import { rejection } from '../../contract/driver-contract.ts'
import { MemoryInstrument } from '../../support/edge/memory-driver.ts'
import { suite } from '../../support/suite.ts'

const test = suite('checks of a picture', { timeoutMs: 30_000 })

const online = (handle: InstrumentHandle): Promise<void> =>
  new Promise((resolve) => {
    handle.onConnection((connection) => {
      if (connection.online) resolve()
    })
    handle.start()
  })

const benchWith = (handle: InstrumentHandle) =>
  createBench({
    name: 'b',
    entry: { parts: { view: handle.name }, safeState: {}, checks: {} },
    parts: new Map([['view', handle]]),
    fence: 0,
    clock: systemClock,
    log: silentLog,
    newId: () => 'lease',
    onValue: () => {},
  })

/** What the check says of a camera that shows this. */
async function checked(shows: 'moving' | 'still' | 'black', config: object = {}): Promise<string> {
  const instrument = await createCameraDriver().create(
    { source: { kind: 'emulated', shows }, width: 320, height: 240 },
    {
      name: 'eye',
      clock: systemClock,
      log: silentLog,
      configFolder: '.',
      openTransport: async () => {
        throw new LabError({ code: 'no-transport', kind: 'bug', message: 'a camera needs no transport' })
      },
    },
  )
  const handle = createInstrumentHandle({ name: 'eye', instrument, clock: systemClock, log: silentLog })
  const bench = benchWith(handle)
  try {
    await online(handle)
    await pictureKind.perform({ part: 'view', ...config }, bench, new AbortController().signal)
    return 'passed'
  } catch (thrown) {
    return thrown instanceof LabError ? thrown.message : String(thrown)
  } finally {
    await bench.close()
    await handle.close()
  }
}

test('a picture that is alive passes; one that is black, shows nothing or stands still does not', async () => {
  assert.is(await checked('moving'), 'passed')
  assert.match(await checked('black'), /^the picture of eye is black: \d\.\d % of white$/)
  assert.is(await checked('still'), 'the picture of eye has stood still for 5 pictures, without any noise')
  assert.match(await checked('moving', { leastContrast: 90 }), /shows nothing: its contrast is \d+\.\d %/)
})

test('a camera that is away fails it, and a part that is none is refused', async () => {
  const handle = createInstrumentHandle({
    name: 'psu',
    instrument: new MemoryInstrument('psu', systemClock),
    clock: systemClock,
    log: silentLog,
  })
  const parts = new Map([['view', handle]])
  assert.equal(pictureKind.unfit({ part: 'view' }, parts), [{ path: ['part'], message: 'psu is not a camera' }])
  assert.is(
    pictureKind.findings({ part: 'veiw' }, { parts: { view: 'eye' }, safeState: {} })[0]?.message,
    'there is no part veiw; did you mean "view"?',
  )
  const bench = benchWith(handle)
  const refused = await rejection(pictureKind.perform({ part: 'view' }, bench, new AbortController().signal))
  assert.is(refused.code, 'instrument-offline')
  await handle.close()
})

test.run()
