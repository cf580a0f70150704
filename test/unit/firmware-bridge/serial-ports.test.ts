/** What is said of a port that cannot be opened, and the names that stay the same. */
import { mkdir, mkdtemp, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openSerial } from '@fernlab/firmware-bridge/transports/serial'
import { portError, stableNameOf } from '@fernlab/firmware-bridge/transports/serial-ports'
import * as assert from 'uvu/assert'
import { rejection } from '../../contract/driver-contract.ts'
import { suite } from '../../support/suite.ts'

const test = suite('serial ports')
let root: string
let places: { dev: string; groups: string }

test.before.each(async () => {
  root = await mkdtemp(join(tmpdir(), 'fernlab-ports-'))
  places = { dev: join(root, 'dev'), groups: join(root, 'group') }
  await mkdir(join(root, 'dev/serial/by-id'), { recursive: true })
  await mkdir(join(root, 'dev/serial/by-path'))
  for (const name of ['ttyUSB0', 'ttyUSB1', 'ttyACM0', 'tty1']) await writeFile(join(root, 'dev', name), '')
  await symlink('../../ttyUSB0', join(root, 'dev/serial/by-id/usb-FTDI_A50285BI-if00-port0'))
  await symlink('../../ttyUSB0', join(root, 'dev/serial/by-path/pci-0-usb-0:1'))
  await symlink('../../ttyUSB1', join(root, 'dev/serial/by-path/pci-0-usb-0:2'))
  const { gid } = await stat(join(root, 'dev/ttyUSB0'))
  await writeFile(places.groups, `daemon:x:1:\nplugdev:x:${gid}:ada\n`)
})
test.after.each(() => rm(root, { recursive: true, force: true }))

test('one that is absent is told with those that are there, by their lasting names', async () => {
  const cause = new Error('Error: No such file or directory, cannot open /dev/ttyUSB7')
  const { message, kind } = await portError('/dev/ttyUSB7', cause, places)
  assert.is(kind, 'link')
  assert.match(message, /ttyUSB7 cannot be opened: it is not there; check that it is plugged in/)
  const dev = places.dev
  assert.ok(
    message.includes(
      `there are ${dev}/serial/by-id/usb-FTDI_A50285BI-if00-port0, ${dev}/serial/by-path/pci-0-usb-0:2, ${dev}/ttyACM0)`,
    ),
    message,
  )
  await rm(dev, { recursive: true })
  assert.match((await portError('/dev/ttyUSB7', cause, places)).message, /there is no serial port/)
})

test('one that may not be used is told with its group and the line to type', async () => {
  const cause = new Error('Error: Permission denied, cannot open')
  const { message } = await portError(join(places.dev, 'ttyUSB0'), cause, places)
  assert.match(message, /must be in the group plugdev; type: sudo usermod -aG plugdev \S+, then start the node anew/)
  await rm(places.groups)
  assert.match((await portError('/dev/gone', cause, places)).message, /group dialout/)
})

test('one that another program has says how to find which', async () => {
  const cause = new Error('Error Resource temporarily unavailable Cannot lock port')
  assert.match(
    (await portError('/dev/ttyS0', cause, places)).message,
    /another program has it; type: sudo fuser -v \/dev\/ttyS0/,
  )
})

test('the words of the real library are understood', async () => {
  const config = {
    kind: 'serial',
    path: join(root, 'nowhere'),
    baudRate: 9600,
    dataBits: 8,
    parity: 'none',
    stopBits: 1,
    flowControl: 'none',
  } as const
  const { signal } = new AbortController()
  assert.match((await rejection(openSerial(config, signal))).message, /nowhere cannot be opened: it is not there/)
  const folder = { ...config, path: root }
  assert.match((await rejection(openSerial(folder, signal))).message, /check that it is a serial port/)
})

test('a number that may be another’s tomorrow has a lasting name; others need none', async () => {
  const { dev } = places
  const stable = (name: string) => stableNameOf(join(dev, name), places)
  assert.is(await stable('ttyUSB0'), `${dev}/serial/by-id/usb-FTDI_A50285BI-if00-port0`)
  assert.is(await stable('ttyUSB1'), `${dev}/serial/by-path/pci-0-usb-0:2`)
  assert.is(await stable('ttyACM0'), undefined)
  assert.is(await stable('serial/by-id/usb-FTDI_A50285BI-if00-port0'), undefined)
  assert.is(await stable('tty1'), undefined)
})

test.run()
