import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { addInstrument } from '@fernlab/edge/discovery/add-instrument'
import { draftsOf, scpiModels } from '@fernlab/edge/discovery/draft'
import type { Finding } from '@fernlab/edge/discovery/find'
import { findingLines } from '@fernlab/edge/discovery/finding-lines'
import { lookAround } from '@fernlab/edge/discovery/look-around'
import { builtInDrivers } from '@fernlab/edge/drivers/drivers'
import { filledConfig, wrongValues } from '@fernlab/shared/contracts/draft-values'
import * as assert from 'uvu/assert'
import { rejection } from '../../../contract/driver-contract.ts'
import { deviceGroup, type MachineTree, machineTree, plugIn, raspberryPi } from '../../../support/machine-tree.ts'
import { suite } from '../../../support/suite.ts'

const test = suite('discovery')

const gid = process.getuid?.() === 0 ? deviceGroup : (process.getgid?.() ?? 0)
/** Someone who may open what belongs to the group of serial ports, and somebody who may not. */
const member = { name: 'pi', uid: 4711, gids: [4711, gid] }
const stranger = { name: 'pi', uid: 4711, gids: [4711] }

const trees: MachineTree[] = []
const treeOf = (make: () => MachineTree) => {
  const tree = make()
  trees.push(tree)
  return tree
}
test.after(() => {
  for (const tree of trees) tree.end()
})

const look = (tree: MachineTree, person = member, nodeFile?: string): Promise<Finding[]> =>
  lookAround({ rootFolder: tree.folder, person, arch: 'arm64', ...(nodeFile === undefined ? {} : { nodeFile }) })

const nodeFile = (tree: MachineTree, path: string): string => {
  const file = join(tree.folder, 'node.yaml')
  writeFileSync(
    file,
    `node: pi\nhub: { url: in-process }\ninstruments:\n  psu:\n    driver: scpi\n    config: { model: fern-psu, transport: { kind: serial, path: ${path} } }\n`,
  )
  return file
}

const of = (findings: readonly Finding[], id: string): Finding => {
  const found = findings.find(({ find }) => find?.id === id)
  if (found === undefined)
    throw new Error(`${id} was not found among ${findings.map(({ find }) => find?.id).join(', ')}`)
  return found
}

const permissions = (findings: readonly Finding[]) => findings.find(({ group }) => group === 'Permissions')?.lines

const uno = 'serial:usb-Arduino__www.arduino.cc__0043_75630313636351D0F0C1-if00'

test('finds what is plugged in by the names that stay, and nothing that is no instrument', async () => {
  const findings = await look(treeOf(raspberryPi))
  const finds = findings.flatMap(({ find }) => (find === undefined ? [] : [[find.id, find.title]]))
  assert.equal(finds, [
    [uno, 'Arduino Uno'],
    ['serial:platform-usb-1-1.3', 'CH340: an Uno or Nano copy, an ESP32 board or a bare adapter'],
    ['gpio:pinctrl-bcm2711', 'pinctrl-bcm2711'],
    ['i2c:1', 'bus 1'],
    ['w1:28-0000075c5a3e', 'DS18B20, temperature'],
    ['camera:video0', 'HD Pro Webcam C920'],
  ])
  assert.equal(
    findings.filter(({ verdict }) => verdict !== 'ok'),
    [],
  )
  assert.is(of(findings, uno).find?.board, 'uno')
  // Without a node there is no file for an instrument.
  assert.is(of(findings, uno).lines, undefined)
  assert.match(of(findings, 'gpio:pinctrl-bcm2711').detail, /40-pin header, 58 lines, sysfs numbers from 512$/)
  const system = findings.find(({ what }) => what === 'system')
  assert.is(
    system?.detail,
    'Raspberry Pi 4 Model B Rev 1.4, Debian GNU/Linux 12 (bookworm), kernel 6.6.51+rpt-rpi-v8, 64 bit',
  )
})

test('says which group is missing and what to type, and that it is broken where an instrument needs it', async () => {
  const tree = treeOf(raspberryPi)
  const findings = await look(tree, stranger)
  const { verdict, detail } = of(findings, uno)
  assert.is(verdict, 'look')
  assert.match(detail, /: pi may not open it, not being in the group dialout$/)
  assert.equal(permissions(findings), ['sudo usermod -aG dialout pi'])
  const used = of(await look(tree, stranger, nodeFile(tree, '/dev/ttyACM0')), uno)
  assert.is(used.verdict, 'broken')
  assert.equal(used.find?.instruments, ['psu'])
})

test('looks at the account of an installed node where root asks', async () => {
  const tree = treeOf(raspberryPi)
  const root = { name: 'root', uid: 0, gids: [0] }
  assert.is(of(await look(tree, root), uno).verdict, 'ok')
  tree.file('/etc/passwd', 'root:x:0:0::/root:/bin/sh\nfernlab:x:998:997::/var/lib/fernlab:/usr/sbin/nologin\n')
  const findings = await look(tree, root)
  assert.is(of(findings, uno).verdict, 'look')
  assert.equal(permissions(findings), ['sudo usermod -aG dialout fernlab'])
  tree.file('/etc/group', `dialout:x:${gid}:pi,fernlab\n`)
  assert.is(of(await look(tree, root), uno).verdict, 'ok')
})

/** Instruments of the kernel's driver usbtmc. */
const usbInstrument = (tree: MachineTree, n: number, socket: string, serial: string | undefined) => {
  const device = `/sys/devices/platform/scb/usb1/${socket}`
  tree.file(`${device}/idVendor`, '0957\n')
  tree.file(`${device}/idProduct`, '0607\n')
  tree.file(`${device}/manufacturer`, 'Agilent Technologies\n')
  tree.file(`${device}/product`, '34401A\n')
  if (serial !== undefined) tree.file(`${device}/serial`, `${serial}\n`)
  const place = `${device}/${socket}:1.0`
  tree.file(`${place}/usbmisc/usbtmc${n}/dev`, '180:176\n')
  tree.link(`${place}/usbmisc/usbtmc${n}/device`, place)
  tree.link(`/sys/class/usbmisc/usbtmc${n}`, `${place}/usbmisc/usbtmc${n}`)
  tree.device(`/dev/usbtmc${n}`)
}

test('names a USB instrument by what stays, and says how it becomes an instrument', async () => {
  const tree = treeOf(raspberryPi)
  usbInstrument(tree, 0, '1-1.1', 'MY44012345')
  usbInstrument(tree, 1, '1-1.4', undefined)
  tree.file('/etc/group', `dialout:x:${gid}:pi\n`)
  const file = nodeFile(tree, '/dev/ttyUSB9')
  const findings = await look(tree, member, file)
  const found = of(findings, 'usbtmc:MY44012345')
  assert.is(found.what, 'Agilent Technologies 34401A')
  assert.is(found.detail, 'serial number MY44012345, socket 1-1.1, USB 0957:0607, now /dev/usbtmc0')
  assert.equal(found.lines, ['sudo fernlab node add-instrument usbtmc:MY44012345 --set model=MODEL'])
  const added = await addInstrument({
    file,
    findings,
    drivers: builtInDrivers(),
    find: 'usbtmc:1-1.4',
    set: ['model=keysight-34465a'],
  })
  assert.equal(added.instrument.config, {
    transport: { kind: 'usbtmc', socket: '1-1.4' },
    model: 'keysight-34465a',
  })
  const after = await look(tree, member, file)
  assert.equal(of(after, 'usbtmc:1-1.4').find?.instruments, ['instrument'])
  const again = { file, findings, drivers: builtInDrivers(), find: 'usbtmc:1-1.4', set: ['model=keysight-34465a'] }
  assert.match((await rejection(addInstrument(again))).message, /the USB instrument with socket 1-1.4/)
})

test('gives a udev rule for what is root’s alone', async () => {
  const tree = treeOf(raspberryPi)
  tree.device('/dev/usbtmc0', { group: 'root', mode: 0o600 })
  const findings = await look(tree, stranger)
  assert.is(of(findings, 'usbtmc:usbtmc0').verdict, 'look')
  assert.equal(permissions(findings), [
    `echo 'SUBSYSTEM=="usbmisc", KERNEL=="usbtmc*", GROUP="dialout", MODE="0660"' | sudo tee -a /etc/udev/rules.d/99-fernlab.rules`,
    'sudo udevadm control --reload && sudo udevadm trigger',
    'sudo usermod -aG dialout pi',
  ])
  // What the group has already is not typed again.
  tree.file('/etc/group', `dialout:x:${gid}:pi\n`)
  assert.is(permissions(await look(tree))?.length, 2)
})

test('says who has a port by whichever name, and warns of one that another port may get', async () => {
  const tree = treeOf(raspberryPi)
  const byNumber = of(await look(tree, member, nodeFile(tree, '/dev/ttyACM0')), uno)
  assert.is(byNumber.verdict, 'look')
  assert.match(byNumber.detail, /used by psu: node.yaml names it \/dev\/ttyACM0, which another port may be called/)
  const byId = of(await look(tree, member, nodeFile(tree, `/dev/serial/by-id/${uno.slice('serial:'.length)}`)), uno)
  assert.is(byId.verdict, 'ok')
  assert.match(byId.detail, /used by psu$/)
})

test('names hardware of node.yaml that is not there, and reads the claims of a file that is wrong elsewhere', async () => {
  const tree = treeOf(raspberryPi)
  const file = nodeFile(tree, '/dev/ttyUSB7')
  const isAbsent = ({ what, verdict, detail }: Finding) =>
    what === 'instrument psu' && verdict === 'broken' && detail.startsWith('the port /dev/ttyUSB7 is not there')
  assert.ok((await look(tree, member, file)).some(isAbsent))
  writeFileSync(
    file,
    `nodes: pi\ninstruments: { psu: { driver: scpi, config: { model: fern-psu, transport: { kind: serial, path: /dev/ttyUSB7 } } } }\n`,
  )
  const findings = await look(tree, member, file)
  assert.ok(findings.some(isAbsent))
  assert.ok(
    findings.some(
      ({ what, verdict, detail }) => what === file && verdict === 'broken' && /unknown key "nodes"/.test(detail),
    ),
  )
})

test('tells how to switch on what a Pi has switched off, and to restart where that was done', async () => {
  const tree = treeOf(raspberryPi)
  tree.remove('/sys/bus/i2c/devices/i2c-1')
  tree.remove('/sys/bus/w1')
  const bus = (findings: readonly Finding[], group: string) => findings.filter((finding) => finding.group === group)
  const restart = await look(tree)
  assert.equal(
    bus(restart, 'I2C').map(({ verdict, lines }) => [verdict, lines]),
    [['look', ['sudo reboot']]],
  )
  tree.file('/boot/firmware/config.txt', '#dtparam=i2c_arm=on\n[pi5]\ndtparam=i2c_arm=on\n')
  const off = await look(tree)
  assert.equal(
    bus(off, 'I2C').map(({ verdict, lines }) => [verdict, lines]),
    [['off', ["echo 'dtparam=i2c_arm=on' | sudo tee -a /boot/firmware/config.txt", 'sudo reboot']]],
  )
  assert.is(bus(off, '1-wire')[0]?.verdict, 'off')
})

test('reads the word of the firmware on supply and heat', async () => {
  const tree = treeOf(raspberryPi)
  const supply = async (word: string) => {
    tree.file('/sys/devices/platform/soc/soc:firmware/get_throttled', word)
    return (await look(tree)).find(({ what }) => what === 'supply')
  }
  assert.is((await supply('50005\n'))?.verdict, 'broken')
  assert.match((await supply('50000\n'))?.detail ?? '', /^the voltage was too low since the start/)
  assert.match((await supply('80000\n'))?.detail ?? '', /slowed down for heat/)
  assert.is((await supply('0\n'))?.verdict, 'ok')
  tree.file('/sys/class/thermal/thermal_zone0/temp', '82100\n')
  const hot = (await look(tree)).find(({ what }) => what === 'temperature')
  assert.is(hot?.verdict, 'look')
  assert.match(hot?.detail ?? '', /^82.1 °C: a Pi slows down/)
})

test('finds a port whose name has signs that mean something elsewhere', async () => {
  const tree = treeOf(machineTree)
  const cable = { vendor: '0403', product: '6001', name: 'C++ cable' }
  plugIn(tree, { ...cable, tty: 'ttyUSB0', at: '1-1.4', byId: 'usb-ACME_C++_cable-if00-port0' })
  tree.file('/proc/cmdline', 'console=tty1\n')
  assert.is(of(await look(tree), 'serial:usb-ACME_C++_cable-if00-port0').verdict, 'ok')
})

test('warns of a port that the kernel’s console talks on, and leaves out ports without hardware', async () => {
  const tree = treeOf(raspberryPi)
  tree.file('/proc/cmdline', 'console=serial0,115200 console=tty1\n')
  for (const [name, type] of [
    ['ttyS0', '5'],
    ['ttyS1', '0'],
  ] as const) {
    tree.file(`/sys/devices/platform/serial8250/tty/${name}/type`, `${type}\n`)
    tree.link(`/sys/devices/platform/serial8250/tty/${name}/device`, '/sys/devices/platform/serial8250')
    tree.link(`/sys/class/tty/${name}`, `/sys/devices/platform/serial8250/tty/${name}`)
    tree.device(`/dev/${name}`)
  }
  tree.link('/dev/serial0', '/dev/ttyS0')
  const findings = await look(tree)
  assert.match(of(findings, 'serial:serial0').detail, /the kernel's console talks on it/)
  assert.is(findings.filter(({ find }) => find?.id.endsWith('ttyS1')).length, 0)
})

test('tells two adapters of one make apart by the sockets that they are in', async () => {
  const tree = treeOf(machineTree)
  for (const n of [0, 1])
    plugIn(tree, { tty: `ttyUSB${n}`, at: `1-1.${n}`, vendor: '1a86', product: '7523', name: 'USB Serial' })
  const ids = (await look(tree)).flatMap(({ find }) => find?.id ?? [])
  assert.equal(ids, ['serial:platform-usb-1-1.0', 'serial:platform-usb-1-1.1'])
})

test('calls a system of 32 bits broken, and an empty machine nothing worse', async () => {
  const tree = treeOf(machineTree)
  const findings = await lookAround({ rootFolder: tree.folder, person: member, arch: 'arm' })
  assert.equal(
    findings.map(({ what, verdict }) => [what, verdict]),
    [['system', 'broken']],
  )
})

test('prints below headings, wrapped to the terminal, and lines to type in one piece', async () => {
  const lines = findingLines(await look(treeOf(raspberryPi), stranger), 80)
  assert.is(lines[0], 'Machine')
  assert.ok(lines.includes('Serial ports'))
  assert.ok(lines.includes('          sudo usermod -aG dialout pi'))
  const tooLong = lines.filter((line) => line.length > 80 && line.trim().includes(' ') && !/sudo|by-id/.test(line))
  assert.equal(tooLong, [])
  assert.ok(lines.every((line) => line === line.trimEnd()))
})

test('tells instruments that were added on the page from those of the file, and takes them for what a bench names', async () => {
  const tree = treeOf(raspberryPi)
  const file = join(tree.folder, 'node.yaml')
  writeFileSync(
    file,
    'node: pi\nhub: { url: in-process }\ninstruments: {}\nbenches: { b: { parts: { probe: probe }, safeState: {} } }\n',
  )
  const folder = join(tree.folder, 'data')
  const find = { find: 'w1:28-0000075c5a3e', by: 'Ada', at: '2026-01-01T00:00:00.000Z', driver: 'one-wire' }
  const added = {
    probe: { ...find, config: { sensor: '28-0000075c5a3e' } },
    twin: { ...find, config: { sensor: '28-0000075c5a3e' } },
  }
  tree.file('/data/nodes/pi/added-instruments.json', JSON.stringify(added))
  const options = { rootFolder: tree.folder, person: member, arch: 'arm64', nodeFile: file }
  const findings = await lookAround({ ...options, dataFolder: folder })
  const of = (name: string) => findings.find(({ what }) => what === `instrument ${name}`)
  assert.equal([of('probe')?.verdict, of('probe')?.detail], ['ok', "added on the hub's page"])
  assert.is(of('twin')?.verdict, 'look')
  assert.match(of('twin')?.detail ?? '', /left out: .*28-0000075c5a3e is probe's already/)
  assert.ok(findings.every(({ verdict }) => verdict !== 'broken'))
  const without = await lookAround(options)
  assert.ok(without.some(({ detail }) => detail.includes('there is no instrument probe')))
})

test('names a camera by what stays when it is plugged in again, and drafts each find for the drivers that take it', async () => {
  const tree = treeOf(raspberryPi)
  tree.link('/dev/v4l/by-id/usb-046d_HD_Pro_Webcam_C920_1234-video-index0', '/dev/video0')
  const camera = of(await look(tree), 'camera:usb-046d_HD_Pro_Webcam_C920_1234-video-index0')
  const path = '/dev/v4l/by-id/usb-046d_HD_Pro_Webcam_C920_1234-video-index0'
  assert.equal([camera.find?.path, camera.detail], [path, `${path}, now /dev/video0`])
  const draftsFor = async (id: string) => {
    const { find } = of(await look(tree), id)
    return find === undefined ? [] : draftsOf(find)
  }
  assert.equal(await draftsFor('camera:usb-046d_HD_Pro_Webcam_C920_1234-video-index0'), [
    { driver: 'camera', config: { source: { kind: 'v4l2', path } }, settings: [] },
  ])
  assert.equal(
    (await draftsFor(uno)).map(({ driver }) => driver),
    ['board', 'scpi'],
  )
  assert.equal(
    (await draftsFor('serial:platform-usb-1-1.3')).map(({ driver }) => driver),
    ['scpi', 'board'],
  )
  const [pin] = await draftsFor('gpio:pinctrl-bcm2711')
  assert.ok(pin)
  const values = { signal: 'fan', direction: 'out', pin: 17 }
  assert.equal(filledConfig(pin, values), { pins: { fan: { direction: 'out', pin: 17 } } })
  assert.equal(
    [...wrongValues(pin, { ...values, pin: 1.5, signal: '__proto__', more: 1 }).keys()],
    ['signal', 'pin', 'more'],
  )
  const models = readdirSync(new URL('../../../../edge/drivers/scpi/models', import.meta.url))
  assert.equal(models.map((file) => file.replace('.yaml', '')).sort(), [...scpiModels].sort())
})

test.run()
