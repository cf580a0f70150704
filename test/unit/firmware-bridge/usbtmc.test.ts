/** How an instrument on USB is named and found; what it does on a real kernel is in test/kernel/guest/usbtmc.guest.ts. */
import { createScpiDriver } from '@fernlab/edge/drivers/scpi/scpi'
import { usbtmcKey, usbtmcKeys } from '@fernlab/firmware-bridge/transports/usbtmc/config'
import { createFrames } from '@fernlab/firmware-bridge/transports/usbtmc/frames'
import { findUsbInstrument } from '@fernlab/firmware-bridge/transports/usbtmc/instruments'
import { isQuestion } from '@fernlab/firmware-bridge/transports/usbtmc/usbtmc'
import * as assert from 'uvu/assert'
import { rejection } from '../../contract/driver-contract.ts'
import { type MachineTree, machineTree } from '../../support/machine-tree.ts'
import { suite } from '../../support/suite.ts'

const test = suite('USB instruments')
let tree: MachineTree
const places = () => ({ sys: `${tree.folder}/sys`, dev: `${tree.folder}/dev` })

function plugIn(n: number, socket: string, serial: string | undefined): void {
  const device = `/sys/devices/usb1/${socket}`
  tree.file(`${device}/idVendor`, '0957\n')
  tree.file(`${device}/idProduct`, '0607\n')
  tree.file(`${device}/product`, '34401A\n')
  if (serial !== undefined) tree.file(`${device}/serial`, `${serial}\n`)
  const place = `${device}/${socket}:1.0`
  tree.file(`${place}/usbmisc/usbtmc${n}/dev`, '180:176\n')
  tree.link(`${place}/usbmisc/usbtmc${n}/device`, place)
  tree.link(`/sys/class/usbmisc/usbtmc${n}`, `${place}/usbmisc/usbtmc${n}`)
}

test.before.each(() => {
  tree = machineTree()
})
test.after.each(() => tree.end())

test('one is found by what stays, whatever the kernel has numbered it', async () => {
  plugIn(0, '1-1.2', 'MY1')
  plugIn(3, '1-1.4', undefined)
  const at = async (name: object) => (await findUsbInstrument(name, places())).path.slice(-7)
  assert.is(await at({ serial: 'MY1' }), 'usbtmc0')
  assert.is(await at({ vendor: '0957', product: '0607', serial: 'MY1' }), 'usbtmc0')
  assert.is(await at({ socket: '1-1.4' }), 'usbtmc3')
})

test('a name that fits none, or several, says what there is', async () => {
  const said = async (name: object) => (await rejection(findUsbInstrument(name, places()))).message
  assert.match(
    await said({ serial: 'MY1' }),
    /switched on, plugged in, and set to USB \(USBTMC\).*there is no USB instrument/,
  )
  plugIn(0, '1-1.2', 'MY1')
  plugIn(1, '1-1.4', undefined)
  assert.match(
    await said({ serial: 'MY2' }),
    /34401A with vendor 0957, product 0607, serial MY1, socket 1-1\.2; 34401A with/,
  )
  assert.match(
    await said({ vendor: '0957', product: '0607' }),
    /2 instruments are of that name; tell them apart by serial/,
  )
})

test('the config is checked, and claims the instrument', () => {
  const { check, claims } = createScpiDriver()
  const config = (transport: object) => ({ model: 'fern-psu', transport: { kind: 'usbtmc', ...transport } })
  const issue = (transport: object) => check(config(transport))[0]
  assert.match(issue({})?.message ?? '', /needs serial, socket, or vendor and product/)
  assert.equal(issue({ vendor: 957, product: '0607' }), {
    path: 'transport.vendor',
    message: 'must be a text: put it in quotes',
  })
  assert.is(issue({ socket: '/dev/usbtmc0' })?.path, 'transport.socket')
  assert.is(issue({ serial: 'MY1' }), undefined)
  assert.equal(claims?.(config({ serial: 'MY1' })), [
    { key: 'usbtmc:serial=MY1', what: 'the USB instrument with serial MY1', path: ['transport'] },
  ])
})

test('what is known of an instrument has the key of every config that names it', () => {
  const keys = usbtmcKeys({ vendor: '0957', product: '0607', serial: 'MY1', socket: '1-1' })
  assert.is(keys.length, 15)
  for (const name of [{ serial: 'MY1' }, { socket: '1-1' }, { vendor: '0957', product: '0607' }]) {
    assert.ok(keys.includes(usbtmcKey(name)))
  }
  assert.equal(usbtmcKeys({}), [])
})

test('a question has a question mark, but not in quotes', () => {
  const asks = (text: string) => isQuestion(Buffer.from(text))
  for (const text of ['*IDN?\n', 'VOLT 1;:MEAS?', 'DISP:TEXT? "x"']) assert.ok(asks(text), text)
  for (const text of ['VOLT 1', 'DISP:TEXT "how?"', "DISP:TEXT 'how?'"]) assert.not.ok(asks(text), text)
})

test('frames come whole, however they are cut', () => {
  const wire = Buffer.from('W\0\0\0\0D\0\0\0\x03abcE\0\0\0\0', 'latin1')
  for (let cut = 0; cut <= wire.length; cut++) {
    const found: string[] = []
    const take = createFrames((kind, payload) => found.push(`${kind}${payload}`))
    take(wire.subarray(0, cut))
    take(wire.subarray(cut))
    assert.equal(found, ['W', 'Dabc', 'E'])
  }
})

test.run()
