/** An instrument behind a USB serial adapter on a real kernel, found by the name that udev gives its port. */
import { existsSync } from 'node:fs'
import { createScpiDriver } from '@fernlab/edge/drivers/scpi/scpi'
import { createOpenTransport } from '@fernlab/firmware-bridge/transports/open-transport'
import { systemClock } from '@fernlab/shared/primitives/clock'
import { silentLog } from '@fernlab/shared/primitives/log'
import { SerialPort } from 'serialport'
import * as assert from 'uvu/assert'
import { driverContract, rejection } from '../../contract/driver-contract.ts'
import { askHost } from '../../support/kernel/in-guest/host.ts'
import { suite } from '../../support/suite.ts'

const byId = '/dev/serial/by-id/usb-QEMU_QEMU_USB_SERIAL_FL0042-if00-port0'
const driver = createScpiDriver()
const config = { model: 'fern-psu', transport: { kind: 'serial', path: byId, baudRate: 115_200 } }
const context = {
  name: 'psu-1',
  clock: systemClock,
  log: silentLog,
  openTransport: createOpenTransport({ clock: systemClock, log: silentLog }),
  configFolder: '.',
}

async function untilThere(there: boolean): Promise<void> {
  while (existsSync(byId) !== there) await new Promise((resolve) => setTimeout(resolve, 50))
}

const test = suite('usb serial', { timeoutMs: 60_000 })

test('is listed with the name that stays', async () => {
  await untilThere(true)
  const [port] = (await SerialPort.list()).filter((each) => each.path.startsWith('/dev/ttyUSB'))
  assert.is(port?.serialNumber, 'FL0042')
  assert.is(port?.vendorId, '0403')
})

test('pulled out while an answer is due: the command fails, and the instrument comes back by itself', async ({
  signal,
}) => {
  const instrument = await driver.create(config, context)
  const seen: boolean[] = []
  let change: () => void = () => {}
  instrument.onConnection?.((up) => {
    seen.push(up)
    change()
  })
  const changed = () =>
    new Promise<void>((resolve) => {
      change = resolve
    })
  try {
    await instrument.open(signal)
    await instrument.set('voltage', 2.5, signal)
    await askHost('keep silent')
    const lost = changed()
    const asked = rejection(instrument.read(['measured_voltage'], signal))
    const [error] = await Promise.all([asked, askHost('unplug')])
    assert.is(error.kind, 'link', error.message)
    if (seen.at(-1) !== false) await lost
    await untilThere(false)
    await askHost('answer')
    const back = changed()
    await askHost('plug')
    await back
    assert.equal(seen.slice(-2), [false, true])
    await instrument.set('voltage', 1.5, signal)
    assert.is((await instrument.read(['voltage'], signal)).voltage?.value, 1.5)
  } finally {
    await instrument.close()
  }
})

test.run()

driverContract('scpi behind a USB serial adapter', async () => {
  await untilThere(true)
  return {
    driver,
    config,
    context,
    settable: { name: 'voltage', values: [1.25, 3.5] as const },
    readable: ['voltage', 'output', 'measured_voltage', 'measured_current'],
    cut: () => void askHost('replug'),
    release: async () => {},
  }
})
