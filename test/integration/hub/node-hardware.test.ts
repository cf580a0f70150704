/** What a node finds on its machine, through the hub: a real hub, and a node of this process on a copy of a Pi's files. */
import { rm } from 'node:fs/promises'
import type { FoundChip } from '@fernlab/edge/drivers/i2c/scan'
import type { Edge } from '@fernlab/edge/main'
import type { NodeInfo } from '@fernlab/shared/contracts/api'
import type { AuditEntry } from '@fernlab/shared/contracts/audit'
import type { HardwareFinding, NodeHardware } from '@fernlab/shared/contracts/hardware'
import * as assert from 'uvu/assert'
import { commandLine } from '../../support/command-line.ts'
import { type MachineTree, raspberryPi } from '../../support/machine-tree.ts'
import { suite } from '../../support/suite.ts'
import { adminToken, startTestHub, type TestHub, until } from './hub-with-node.ts'
import { piYaml, startPi } from './pi-node.ts'

const test = suite('the hardware of a node, through the hub', { timeoutMs: 60_000 })
let lab: TestHub
let pi: MachineTree
let edge: Edge
/** What a bus answers, and how often it was asked. */
let onBus: (answer: readonly FoundChip[]) => Promise<readonly FoundChip[]>
let asked = 0

const start = async (rest = '') => {
  edge = await startPi({
    lab,
    tree: pi,
    yaml: piYaml({ rest }),
    onScan: async (found) => {
      asked++
      return await onBus(found)
    },
  })
}

const look = async (verb: 'look' | 'scan' = 'look'): Promise<NodeHardware> => {
  const path = '/api/v1/nodes/pi/hardware'
  const answer = await (verb === 'look' ? lab.call(path) : lab.call(`${path}/scan`, { method: 'POST' }))
  assert.is(answer.status, 200)
  return (await answer.json()) as NodeHardware
}
const of = (hardware: NodeHardware, id: string): HardwareFinding | undefined =>
  hardware.findings.find(({ find }) => find?.id === id)
const codeOf = async (answer: Response) => [answer.status, ((await answer.json()) as { code?: string }).code]

test.before(async () => {
  lab = await startTestHub()
  pi = raspberryPi()
})
test.before.each(async () => {
  asked = 0
  onBus = async (answer) => answer
  await start()
})
test.after.each(() => edge.close())
test.after(async () => {
  await lab.close()
  pi.end()
  await rm(lab.folder, { recursive: true, force: true })
})

test('a node says what is plugged in, who has it, and what to type, and asks no bus by itself', async () => {
  const hardware = await look()
  assert.is(hardware.scanned, false)
  assert.is(asked, 0)
  const uno = of(hardware, 'serial:usb-Arduino__www.arduino.cc__0043_75630313636351D0F0C1-if00')
  assert.equal([uno?.what, uno?.verdict, uno?.find?.board], ['Arduino Uno', 'look', 'uno'])
  assert.match(uno?.detail ?? '', /fernlab may not open it/)
  const permissions = hardware.findings.find(({ group }) => group === 'Permissions')
  assert.ok(permissions?.lines?.some((line) => /^sudo usermod -aG .* fernlab$/.test(line)))
  const bus = of(hardware, 'i2c:1')
  assert.equal(bus?.find?.instruments, ['thermometer'])
  assert.match(
    hardware.findings.find(({ what }) => what === 'system')?.detail ?? '',
    /Raspberry Pi 4 .* kernel 6\.6\.51/,
  )
  assert.match(hardware.findings.find(({ what }) => what === 'temperature')?.detail ?? '', /^41\.9 °C$/)
  assert.match(hardware.findings.find(({ what }) => what === 'way to the hub')?.detail ?? '', /no port has to be open/)
})

test('a bus is asked when a person wants it, which is in the audit log, and never while an instrument on it is in use', async () => {
  pi.device('/dev/i2c-1', { mode: 0o666 })
  const hardware = await look('scan')
  assert.equal([hardware.scanned, asked], [true, 1])
  assert.equal(of(hardware, 'i2c:1:0x48')?.find?.instruments, ['thermometer'])
  assert.equal(of(hardware, 'i2c:1:0x76')?.find?.chips, ['bme280', 'pca9685'])
  const log = (await (await lab.call('/api/v1/audit?action=node')).json()) as { items: AuditEntry[] }
  assert.ok(log.items.some(({ action, subject }) => action === 'node.buses-scanned' && subject === 'pi'))
  const bench = edge.benches.get('b-1')
  assert.ok(bench)
  const lease = bench.acquire({ kind: 'direct', id: 'somebody' }, { ttlMs: 60_000 })
  const later = await look('scan')
  assert.is(asked, 1)
  assert.is(of(later, 'i2c:1:0x76'), undefined)
  assert.match(of(later, 'i2c:1')?.detail ?? '', /not asked who is there: bench b-1 is in use/)
  await bench.release(lease)
})

test('a bus that an interlock may watch is left alone', async () => {
  await edge.close()
  await start('interlocks: { hot: { bench: b-1, when: "box.value > 9", everyMs: 1000 } }')
  await until(() => (edge.benches.get('b-1')?.status.interlocks ?? []).length > 0, 'the interlock')
  const hardware = await look('scan')
  assert.is(asked, 0)
  assert.match(of(hardware, 'i2c:1')?.detail ?? '', /not asked who is there/)
})

test('one look at a time: the second is refused, and the first is answered', async () => {
  let answer = () => {}
  onBus = (found) =>
    new Promise((resolve) => {
      answer = () => resolve(found)
    })
  pi.device('/dev/i2c-1', { mode: 0o666 })
  const first = look('scan')
  await until(() => asked === 1, 'the bus is asked')
  assert.equal(await codeOf(await lab.call('/api/v1/nodes/pi/hardware')), [409, 'look-under-way'])
  answer()
  assert.ok(of(await first, 'i2c:1:0x76'))
  await look()
})

test('health says by what pins are reached, and the command line what was found', async () => {
  await until(async () => {
    const { health } = (await (await lab.call('/api/v1/nodes/pi')).json()) as NodeInfo
    return health?.reached?.some(({ instrument, by }) => instrument === 'lamp' && by.includes('emulated')) === true
  }, 'the pins are reached')
  const env = { FERNLAB_HUB: lab.hub.httpUrl, FERNLAB_TOKEN: adminToken }
  const shown = await commandLine(['node', 'look', 'pi', '--scan'], { env })
  assert.is(shown.code, 0, shown.err)
  assert.match(shown.out, /^Machine\n/)
  assert.match(shown.out, /^Cameras\n.*HD Pro Webcam C920/m)
  const data = JSON.parse((await commandLine(['node', 'look', 'pi', '--json'], { env })).out) as NodeHardware
  assert.ok(data.findings.length > 5)
})

test('of a node that is away or unknown nothing can be said', async () => {
  assert.equal(await codeOf(await lab.call('/api/v1/nodes/nobody/hardware')), [404, 'node-unknown'])
  await edge.close()
  await until(async () => {
    const { state } = (await (await lab.call('/api/v1/nodes/pi')).json()) as NodeInfo
    return state === 'offline'
  }, 'the node is away')
  assert.equal(await codeOf(await lab.call('/api/v1/nodes/pi/hardware')), [503, 'node-offline'])
})

test.run()
