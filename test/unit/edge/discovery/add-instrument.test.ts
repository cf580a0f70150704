import { lstatSync, readFileSync, renameSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type AddInstrument, addInstrument } from '@fernlab/edge/discovery/add-instrument'
import { discover } from '@fernlab/edge/discovery/discovery'
import { readNodeUse } from '@fernlab/edge/discovery/node-use'
import { machineRoot } from '@fernlab/edge/discovery/root'
import { builtInDrivers } from '@fernlab/edge/drivers/drivers'
import { type FoundChip, scanBus } from '@fernlab/edge/drivers/i2c/scan'
import { createI2cBuses } from '@fernlab/firmware-bridge/i2c/buses'
import { withEntry } from '@fernlab/shared/contracts/yaml-edit'
import { systemClock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import * as assert from 'uvu/assert'
import { type MachineTree, raspberryPi } from '../../../support/machine-tree.ts'
import { suite } from '../../../support/suite.ts'

const test = suite('an instrument of what was found')

const trees: MachineTree[] = []
test.after(() => {
  for (const tree of trees) tree.end()
})

const before = `# The bench by the window
node: pi # on the wall
hub: { url: in-process }

instruments: {}
benches: {} # none yet
`

/** The chips of an emulated board, and one that the kernel has. */
const answers = async (): Promise<FoundChip[]> => [
  ...(await scanBus(createI2cBuses({ clock: systemClock }).bus({ emulated: 'room' }), AbortSignal.timeout(5000))),
  { address: 0x68, state: 'kernel', driver: 'rtc-ds1307', chips: [] },
]

/** A Pi with a node.yaml, on whose bus chips are. */
function bench(scan = answers) {
  const tree = raspberryPi()
  trees.push(tree)
  const file = join(tree.folder, 'node.yaml')
  writeFileSync(file, before, { mode: 0o640 })
  const drivers = builtInDrivers()
  const look = async () =>
    discover({
      root: machineRoot(tree.folder),
      person: { name: 'root', uid: 0, gids: [0] },
      arch: 'arm64',
      node: await readNodeUse(file, drivers),
      scan,
    })
  const add = async (find: string, rest: Partial<AddInstrument> = {}) =>
    await addInstrument({ file, drivers, findings: await look(), find, set: [], ...rest })
  return { file, look, add, text: () => readFileSync(file, 'utf8') }
}

const refused = async (doing: Promise<unknown>): Promise<LabError> => {
  try {
    await doing
  } catch (error) {
    if (error instanceof LabError) return error
    throw error
  }
  throw new Error('it was not refused')
}

test('a link to the file stays one', async () => {
  const { file, add } = bench()
  const target = `${file}.kept`
  renameSync(file, target)
  symlinkSync(target, file)
  await add('i2c:1:0x48', { name: 'air', set: ['chip=tmp102'] })
  assert.ok(lstatSync(file).isSymbolicLink())
  assert.match(readFileSync(target, 'utf8'), /chip: tmp102/)
})

test('writes what was found into the file, which keeps its comments, its mode and its former text', async () => {
  const { file, add, text } = bench()
  const { name } = await add('i2c:1:0x48', { name: 'air', set: ['chip=tmp102', 'settings.rateHz=8'] })
  assert.is(name, 'air')
  assert.is(
    text(),
    `# The bench by the window
node: pi # on the wall
hub: { url: in-process }

instruments:
  air:
    driver: i2c
    config:
      bus: 1
      address: 72
      chip: tmp102
      settings:
        rateHz: 8
benches: {} # none yet
`,
  )
  assert.is(readFileSync(`${file}.bak`, 'utf8'), before)
  assert.is(statSync(file).mode & 0o777, 0o640)
})

test('offers a line for what is free and says which chips can have an address', async () => {
  const { look, add } = bench()
  const of = async (id: string) => (await look()).find(({ find }) => find?.id === id)
  const free = await of('i2c:1:0x48')
  assert.match(free?.detail ?? '', /^answers: tmp102, tmp105, lm75/)
  assert.equal(free?.lines, ['sudo fernlab node add-instrument i2c:1:0x48 --set chip=CHIP'])
  assert.match((await of('i2c:1:0x20'))?.detail ?? '', /^answers: mcp23017/)
  assert.is((await of('i2c:1:0x68'))?.verdict, 'look')
  assert.match((await of('i2c:1:0x68'))?.detail ?? '', /the kernel's own driver rtc-ds1307 has it/)
  await add('i2c:1:0x48', { set: ['chip=tmp102'] })
  const used = await of('i2c:1:0x48')
  assert.equal([used?.find?.instruments, used?.lines], [['chip'], undefined])
})

test('says of a bus that can not be asked why, and lists the rest', async () => {
  const message = 'the package i2c-bus is not compiled'
  const { look } = bench(async () => {
    throw new LabError({ code: 'i2c-package-missing', kind: 'configuration', message })
  })
  const findings = await look()
  const bus = findings.find(({ find }) => find?.id === 'i2c:1')
  assert.is(bus?.verdict, 'look')
  assert.ok(bus?.detail.endsWith(message))
  assert.ok(findings.some(({ find }) => find?.kind === 'camera'))
})

test('makes instruments of pins, cameras and serial ports, each with a name that is free', async () => {
  const { look, add } = bench()
  assert.equal((await add('gpio:pinctrl-bcm2711', { set: ['pins.led={ pin: 17, direction: out }'] })).instrument, {
    driver: 'gpio',
    config: { pins: { led: { pin: 17, direction: 'out' } } },
  })
  const more = await add('gpio:pinctrl-bcm2711', { set: ['pins.door={ pin: 27, direction: in }'] })
  assert.is(more.name, 'pins-2')
  assert.is((await add('camera:video0')).name, 'camera')
  assert.equal((await add('w1:28-0000075c5a3e')).instrument, {
    driver: 'one-wire',
    config: { sensor: '28-0000075c5a3e' },
  })
  const port = 'serial:platform-usb-1-1.3'
  const { instrument } = await add(port, { set: ['model=fern-psu', 'transport.baudRate=115200'] })
  assert.equal(instrument, {
    driver: 'scpi',
    config: {
      transport: { kind: 'serial', path: '/dev/serial/by-path/platform-usb-1-1.3', baudRate: 115_200 },
      model: 'fern-psu',
    },
  })
  const finds = (await look()).flatMap(({ find }) => (find === undefined ? [] : [[find.id, find.instruments.join()]]))
  assert.equal(Object.fromEntries(finds)['gpio:pinctrl-bcm2711'], 'pins,pins-2')
  assert.equal(Object.fromEntries(finds)[port], 'port')
  assert.equal(Object.fromEntries(finds)['w1:28-0000075c5a3e'], 'probe')
})

test('refuses, with the file as it was, what is wrong or taken or not there', async () => {
  const { file, add, text } = bench()
  const unknown = await refused(add('i2c:1:0x77'))
  assert.match(unknown.message, /^there is no i2c:1:0x77; did you mean|^there is no i2c:1:0x77/)
  assert.match((await refused(add('gpio:pinctrl-bcm2711'))).message, /It takes more than was found: --set pins\.led=/)
  assert.match(
    (await refused(add('gpio:pinctrl-bcm2711', { set: ['pins.led={ pin: 40, direction: out }'] }))).message,
    /40 belongs to something else/,
  )
  assert.match((await refused(add('camera:video0', { set: ['rate'] }))).message, /--set rate: it is KEY=VALUE/)
  assert.match((await refused(add('camera:video0', { set: ['__proto__.x=1'] }))).message, /it is KEY=VALUE/)
  assert.match((await refused(add('i2c:1'))).message, /no driver takes i2c:1 by itself/)
  assert.match((await refused(add('camera:video0', { driver: 'camra' }))).message, /unknown driver camra/)
  assert.match((await refused(add('camera:video0', { name: 'Big Eye' }))).message, /instruments.*Big Eye/)
  assert.is(text(), before)
  await add('camera:video0')
  assert.match((await refused(add('camera:video0'))).message, /camera:video0 is the instrument camera already/)
  await add('gpio:pinctrl-bcm2711', { set: ['pins.led={ pin: 17, direction: out }'] })
  const same = await refused(add('gpio:pinctrl-bcm2711', { set: ['pins.lamp={ pin: 17, direction: out }'] }))
  assert.match(same.message, /the pin GPIO17 is claimed by .*pins\.led\.pin already/)
  writeFileSync(file, 'node: pi\nhubs: {}\ninstruments: {}\n')
  assert.match((await refused(add('camera:video0'))).message, /unknown key "hubs"/)
})

test('says what it would write, and writes nothing', async () => {
  const { add, text } = bench()
  assert.is((await add('camera:video0', { isDry: true })).name, 'camera')
  assert.is(text(), before)
})

test('puts an entry into a mapping that is not there yet, and keeps anchors of people’s layout', () => {
  assert.is(withEntry('a: 1 # one\n', 'b', 'c', { d: 2 }), 'a: 1 # one\nb:\n  c:\n    d: 2\n')
  assert.is(withEntry('b:\n  # first\n  c: 1\n\na: 2\n', 'b', 'd', 3), 'b:\n  # first\n  c: 1\n  d: 3\n\na: 2\n')
  assert.throws(() => withEntry('b: { c: 1 }\n', 'b', 'c', 2), /there is b\.c already/)
  assert.throws(() => withEntry('- 1\n', 'b', 'c', 2), /holds no mapping/)
})

test.run()
