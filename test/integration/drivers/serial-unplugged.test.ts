/** Serial lines that are unplugged and plugged in again under their lasting name: in the middle of a command, and of a run. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { builtInDrivers } from '@fernlab/edge/drivers/drivers'
import { createOpenTransport } from '@fernlab/firmware-bridge/transports/open-transport'
import { systemClock } from '@fernlab/shared/primitives/clock'
import { recordingLog } from '@fernlab/shared/primitives/log'
import * as assert from 'uvu/assert'
import { rejection } from '../../contract/driver-contract.ts'
import { type ServedBench, serveBench } from '../../contract/drivers/served-bench.ts'
import { suite } from '../../support/suite.ts'
import { startLabNode } from './lab-runs.ts'

const test = suite('unplugged serial lines', { timeoutMs: 60_000, fileTimeoutMs: 180_000 })
const never = new AbortController().signal
let folder: string
let bench: ServedBench | undefined

test.before.each(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fernlab-unplug-'))
})
test.after.each(async () => {
  await bench?.stop()
  bench = undefined
  await rm(folder, { recursive: true, force: true })
})

/** The wire of a device, under a name that stays; unplugging takes the name away, as udev does. */
async function plug(world: string, devices: readonly string[]) {
  bench = await serveBench(world, Object.fromEntries(devices.map((name) => [name, `pty:${join(folder, name)}`])))
  return bench
}
async function unplug() {
  await bench?.stop()
  bench = undefined
}

const lines = [
  { driver: 'scpi', world: 'rc', device: 'psu', config: { model: 'fern-psu', timeoutMs: 20_000 }, name: 'voltage' },
  {
    driver: 'lines',
    world: 'heat',
    device: 'hotplate',
    config: { model: 'fern-hotplate', timeoutMs: 20_000 },
    name: 'setpoint',
  },
  {
    driver: 'modbus',
    world: 'heat',
    device: 'modbus',
    config: { signals: { setpoint: { address: 0, writable: true } }, timeoutMs: 20_000 },
    name: 'setpoint',
  },
  {
    driver: 'firmata',
    world: 'firmata',
    device: 'board',
    config: { pins: { flap: { direction: 'servo', pin: 10 } } },
    name: 'flap',
  },
] as const

for (const { driver: kind, world, device, config, name } of lines) {
  test(`${kind}: unplugged in the middle of a command ends it at once; plugged in again, it works by itself`, async () => {
    const served = await plug(world, [device])
    const log = recordingLog()
    const driver = builtInDrivers().find((each) => each.kind === kind)
    assert.ok(driver)
    const openTransport = createOpenTransport({ clock: systemClock, log })
    const context = { name: 'inst', clock: systemClock, log, openTransport, configFolder: '.' }
    const instrument = await driver.create({ ...config, transport: served.transports[device] }, context)
    try {
      await instrument.open(never)
      const seen: boolean[] = []
      const back = new Promise<void>((resolve) => {
        instrument.onConnection?.((up) => {
          seen.push(up)
          if (up) resolve()
        })
      })
      await instrument.set(name, 7, never)
      await served.setFault(device, { kind: 'silent' })
      const startedMs = performance.now()
      const reading = rejection(instrument.read([name], never))
      await systemClock.sleep(100)
      await unplug()
      assert.is((await reading).kind, 'link')
      assert.ok(performance.now() - startedMs < 5000, 'the command waited for its answer')
      assert.equal(seen, [false])
      // Long enough for tries that find nothing there.
      await systemClock.sleep(900)
      assert.is((await rejection(instrument.read([name], never))).kind, 'link')
      await plug(world, [device])
      await back
      assert.equal(seen, [false, true])
      await instrument.set(name, 5, never)
      assert.is((await instrument.read([name], never))[name]?.value, 5)
    } finally {
      await instrument.close()
    }
  })
}

test('a run is told, its bench’s instruments are offline, and the next run after the plug is back succeeds', async () => {
  const devices = ['psu', 'voltmeter', 'ammeter']
  const { transports } = await plug('diode', devices)
  const meter = (device: string) =>
    `{ model: fern-dmm, transport: ${JSON.stringify(transports[device])}, settings: { nplc: 1 } }`
  const file = join(folder, 'node.yaml')
  await writeFile(
    file,
    `node: remote
hub: { url: in-process }
instruments:
  supply: { driver: scpi, config: { model: fern-psu, transport: ${JSON.stringify(transports.psu)} } }
  voltmeter: { driver: scpi, config: ${meter('voltmeter')} }
  ammeter: { driver: scpi, config: ${meter('ammeter')} }
benches:
  diode:
    parts: { psu: supply, voltmeter: voltmeter, ammeter: ammeter }
    safeState: { psu.output: false, psu.voltage: 0 }
`,
  )
  const node = await startLabNode('remote', { file })
  try {
    await node.free('diode')
    const runId = await node.begin('diode', 'diode-iv/iv-curve', { points: 400 })
    const begun = () => node.hub.documents(runId).some(({ name }) => name === 'event_page')
    await node.hub.until('some points were read', begun, 20_000)
    await unplug()
    const { stop, column } = await node.finished(runId)
    assert.is(stop.state, 'failed')
    assert.match(stop.error?.message ?? '', /supply|voltmeter|ammeter/)
    assert.not(stop.safeState.reached)
    assert.ok(column('primary', 'ammeter.current').length > 0)
    const logged = (text: RegExp) =>
      node.log.lines.filter(({ level, message }) => level !== 'debug' && text.test(message)).length
    await node.hub.until('all three are offline', () => logged(/is offline/) === 3, 10_000)
    await plug('diode', devices)
    await node.hub.until('all three are back', () => logged(/is back/) === 3, 30_000)
    assert.is(logged(/is offline/), 3)
    const { stop: next } = await node.run('diode', 'diode-iv/iv-curve', { points: 10 })
    assert.is(next.state, 'succeeded', next.reason)
  } finally {
    await node.close()
  }
})

test.run()
