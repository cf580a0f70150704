import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { loadConfig } from '@fernlab/edge/config/config'
import { builtInDrivers } from '@fernlab/edge/drivers/drivers'
import { createOneWireDriver, type OneWireDriverOptions } from '@fernlab/edge/drivers/one-wire/one-wire'
import { emulateDs18b20 } from '@fernlab/firmware-bridge/emulated/ds18b20'
import { systemClock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { silentLog } from '@fernlab/shared/primitives/log'
import * as assert from 'uvu/assert'
import { rejection } from '../../contract/driver-contract.ts'
import { withOpen } from '../../support/i2c-chips.ts'
import { suite } from '../../support/suite.ts'
import { GOOD_SLAVE, makeW1Files } from '../../support/w1-files.ts'

const test = suite('thermometers on 1-wire')
const never = new AbortController().signal
const [first, second] = ['28-0000075c5a3e', '28-00000a1b2c3d'] as const

const make = (options: OneWireDriverOptions, config: object) =>
  createOneWireDriver(options).create(config, {
    name: 'bath-1',
    clock: systemClock,
    log: silentLog,
    openTransport: async () => {
      throw new LabError({ code: 'no-transport', kind: 'bug', message: 'a sensor needs no transport' })
    },
    configFolder: '.',
  })

test('a sensor that loses its power gives no 85 °C, and its resolution back', async () => {
  let cel = 22
  const sensor = emulateDs18b20({ name: 'bath', clock: systemClock, temperatureCel: () => cel, instant: true })
  const instrument = await make({ emulated: new Map([['bath', sensor]]) }, { sensor: { emulated: 'bath' }, bits: 10 })
  await withOpen(instrument, async (signal) => {
    const read = async () => {
      const { temperature, resolution } = await instrument.read(['temperature', 'resolution'], signal)
      return [temperature?.value, resolution?.value]
    }
    assert.equal(await read(), [22, 0.25])
    sensor.setFault({ kind: 'power-lost' })
    const error = await rejection(read())
    assert.is(error.code, 'one-wire-power-on-value')
    assert.match(error.message, /it lost its power during the conversion; check its supply/)
    sensor.setFault(undefined)
    assert.equal(await read(), [22, 0.0625])
    assert.equal(await read(), [22, 0.25])
    cel = 85
    assert.equal(await read(), [85, 0.25])
    for (const [kind, code] of [
      ['garbled', 'one-wire-checksum-wrong'],
      ['shorted', 'one-wire-shorted'],
    ] as const) {
      sensor.setFault({ kind })
      assert.is((await rejection(read())).code, code)
    }
  })
})

test('several sensors of one bus are read each by its number, and one that is unplugged comes back', async () => {
  const files = await makeW1Files([first, second])
  try {
    const driver = { sysfs: files.root }
    const [inlet, outlet] = [await make(driver, { sensor: first, bits: 11 }), await make(driver, { sensor: second })]
    await inlet.open(never)
    await outlet.open(never)
    assert.is(await readFile(join(files.root, 'bus/w1/devices', first, 'resolution'), 'utf8'), '11')
    await files.say(second, GOOD_SLAVE.replaceAll('69 01', '71 01'))
    const both = await Promise.all([inlet.read(['temperature'], never), outlet.read(['temperature'], never)])
    assert.equal(
      both.map(({ temperature }) => temperature?.value),
      [22.5625, 23.0625],
    )
    const lost = new Promise<string>((resolve) => inlet.onConnection?.((up, reason) => !up && resolve(reason ?? '')))
    await files.unplug(first)
    assert.match(await lost, /^the sensor 28-0000075c5a3e does not answer: check its wires/)
    assert.is((await rejection(inlet.read(['temperature'], never))).code, 'one-wire-absent')
    assert.is((await outlet.read(['temperature'], never)).temperature?.value, 23.0625)
    const back = new Promise<void>((resolve) => inlet.onConnection?.((up) => up && resolve()))
    await files.plug(first)
    await back
    assert.is((await inlet.read(['temperature'], never)).temperature?.value, 22.5625)
    assert.is(await inlet.identify?.(never), `DS18B20 ${first}`)
    await Promise.all([inlet.close(), outlet.close()])
  } finally {
    await files.remove()
  }
})

test('a sensor that is not there, and 1-wire that is not enabled, say what to do', async () => {
  const files = await makeW1Files([first])
  try {
    const absent = await make({ sysfs: files.root }, { sensor: second })
    assert.is((await rejection(absent.open(never))).code, 'one-wire-absent')
    const off = await make({ sysfs: join(files.root, 'nowhere') }, { sensor: first })
    const error = await rejection(off.open(never))
    assert.is(error.code, 'one-wire-missing')
    assert.match(error.message, /add the line dtoverlay=w1-gpio to \/boot\/firmware\/config\.txt/)
    await Promise.all([absent.close(), off.close()])
  } finally {
    await files.remove()
  }
})

test('a number that is none, and a sensor used twice, are refused before the node starts', async () => {
  const head = 'site: s\nnode: n\nhub: {url: "mqtt://h:1"}\ninstruments:\n'
  const issuesOf = (...sensors: string[]) =>
    loadConfig(
      {
        text: head + sensors.map((sensor, i) => `  i${i}: {driver: one-wire, config: {sensor: ${sensor}}}\n`).join(''),
      },
      builtInDrivers(),
    ).then(
      () => [],
      (error: LabError) => error.issues.map(({ path, message }) => `${path}: ${message}`),
    )
  assert.equal(await issuesOf(first, second), [])
  assert.match((await issuesOf('10-000801b5a7a6'))[0] ?? '', /^instruments\.i0\.config\.sensor: must be 28- and twelve/)
  assert.match(
    (await issuesOf(first, first))[0] ?? '',
    /^instruments\.i1\.config\.sensor: the sensor 28-0000075c5a3e is/,
  )
})

test.run()
