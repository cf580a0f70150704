/** What a node finds becomes an instrument, through the hub: a real hub, and a node of this process on a Pi's files. */
import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Edge } from '@fernlab/edge/main'
import type { AuditEntry } from '@fernlab/shared/contracts/audit'
import type { NodeHardware } from '@fernlab/shared/contracts/hardware'
import type { ShownInstrument } from '@fernlab/shared/contracts/hardware-drafts'
import * as assert from 'uvu/assert'
import { commandLine } from '../../support/command-line.ts'
import { type MachineTree, raspberryPi } from '../../support/machine-tree.ts'
import { suite } from '../../support/suite.ts'
import { admin, adminToken, startTestHub, type TestHub, until } from './hub-with-node.ts'
import { piYaml, startPi } from './pi-node.ts'

const test = suite('instruments of what a node finds, through the hub', { timeoutMs: 60_000 })
let lab: TestHub
let pi: MachineTree
let edge: Edge

const kept = () => join(lab.folder, 'nodes', 'pi', 'added-instruments.json')
const keptNames = async () => Object.keys(JSON.parse(await readFile(kept(), 'utf8').catch(() => '{}')))
const instruments = '/api/v1/nodes/pi/instruments'
const air = { find: 'i2c:1:0x76', driver: 'i2c', name: 'air', settings: { chip: 'bme280' } }
const add = (json: object) => lab.call(instruments, { method: 'POST', json })
const take = (name: string) => lab.call(`${instruments}/${name}`, { method: 'DELETE' })
const said = async (answer: Response) => {
  const { code, detail } = (await answer.json()) as { code?: string; detail?: string }
  return { status: answer.status, code, detail }
}
const look = async (): Promise<NodeHardware> =>
  (await (await lab.call('/api/v1/nodes/pi/hardware')).json()) as NodeHardware
const online = (name: string) => edge.instruments.get(name)?.connection.online === true
const restart = async (yaml?: string) => {
  await edge.close()
  edge = await startPi({ lab, tree: pi, ...(yaml === undefined ? {} : { yaml }) })
}

test.before(async () => {
  lab = await startTestHub()
  pi = raspberryPi()
  for (const device of ['/dev/i2c-1', '/dev/gpiochip0', '/dev/video0', '/dev/ttyACM0'])
    pi.device(device, { mode: 0o666 })
})
test.before.each(async () => {
  await rm(kept(), { force: true })
  await rm(`${kept()}.bak`, { force: true })
  edge = await startPi({ lab, tree: pi })
})
test.after.each(() => edge.close())
test.after(async () => {
  await lab.close()
  pi.end()
})

test('a chip becomes an instrument while a run goes on, is there after a restart, and is taken back', async () => {
  const run = await lab.hub.runs.submit(admin, { lab: 'small', protocol: 'set', parameters: { value: 3, pause: 600 } })
  await until(() => edge.benches.get('b-1')?.lease !== undefined, 'the run has the bench')
  // The run's bench has an instrument on that bus, which is not asked meanwhile.
  const refused = await said(await add(air))
  assert.equal([refused.status, refused.code], [404, 'find-unknown'])
  assert.match(refused.detail ?? '', /not asked who is there: bench b-1 is in use/)
  const probe = { find: 'w1:28-0000075c5a3e', driver: 'one-wire', name: 'probe', settings: {} }
  const answer = await add(probe)
  assert.is(answer.status, 201)
  const made = (await answer.json()) as ShownInstrument
  assert.equal([made.name, made.config, made.by], ['probe', { sensor: '28-0000075c5a3e' }, 'Automation'])
  assert.ok(edge.instruments.has('probe'))
  assert.is((await lab.hub.runs.get(run.id))?.state, 'running')
  await lab.hub.runs.cancel(run.id, admin)
  await lab.final(run.id)
  await until(() => edge.benches.get('b-1')?.status.state === 'free', 'the bench is free')

  assert.is((await add(air)).status, 201)
  await until(() => online('air'), 'the chip answers')
  await restart()
  await until(() => online('air'), 'the chip answers after the restart')
  const { added, findings } = await look()
  assert.equal(
    added.map(({ name, leftOut }) => [name, leftOut]),
    [
      ['probe', undefined],
      ['air', undefined],
    ],
  )
  assert.equal(findings.find(({ find }) => find?.id === probe.find)?.find?.instruments, ['probe'])
  assert.is((await take('air')).status, 204)
  assert.not.ok(edge.instruments.has('air'))
  assert.equal(await keptNames(), ['probe'])
  assert.is((await add(air)).status, 201)
  const log = (await (await lab.call('/api/v1/audit?action=node')).json()) as { items: AuditEntry[] }
  for (const action of ['node.instrument-added', 'node.instrument-removed'])
    assert.ok(
      log.items.some((entry) => entry.action === action && entry.subject === 'pi/air'),
      action,
    )
})

test('only a draft of a real find is taken, whatever is asked for', async () => {
  const refusals: [object, number, string][] = [
    [{ ...air, find: 'i2c:1:0x11' }, 404, 'find-unknown'],
    [{ ...air, find: 'i2c:1:0x48' }, 409, 'find-not-usable'],
    [{ ...air, driver: 'camera' }, 409, 'find-not-usable'],
    [{ ...air, settings: {} }, 422, 'setting-wrong'],
    [{ ...air, settings: { chip: 'tmp102' } }, 422, 'setting-wrong'],
    [{ ...air, settings: { chip: 'bme280', command: 'reboot' } }, 422, 'setting-wrong'],
    [{ ...air, name: 'box' }, 422, 'instrument-unfit'],
    [{ ...air, driver: 'process' }, 400, 'request-invalid'],
    [{ ...air, driver: 'lines' }, 400, 'request-invalid'],
    [{ ...air, config: { command: ['sh'] } }, 400, 'request-invalid'],
    [{ ...air, name: '../air' }, 400, 'request-invalid'],
  ]
  for (const [asked, status, code] of refusals) {
    const answer = await said(await add(asked))
    assert.equal([answer.status, answer.code], [status, code], JSON.stringify(asked))
  }
  // A pin of the header that another instrument has.
  const pin = {
    find: 'gpio:pinctrl-bcm2711',
    driver: 'gpio',
    name: 'fan',
    settings: { signal: 'on', direction: 'out' },
  }
  const beyond = await said(await add({ ...pin, settings: { ...pin.settings, pin: 40 } }))
  assert.equal([beyond.status, beyond.code], [422, 'instrument-unfit'])
  // A port at whose other end nobody says what it is.
  const uno = (await look()).findings.find(({ find }) => find?.board === 'uno')
  assert.is(uno?.find?.drafts?.[0]?.driver, 'board')
  const board = await said(
    await add({ find: uno?.find?.id, driver: 'board', name: 'uno', settings: { baudRate: 115200 } }),
  )
  assert.is(board.code, 'instrument-failed')
  assert.equal(await keptNames(), [])
  assert.equal([...edge.instruments.keys()].sort(), ['box', 'lamp', 'thermometer'])
})

test('node.yaml goes first: what it has is left out, what its bench has stays', async () => {
  assert.is((await add(air)).status, 201)
  await restart(piYaml({ benches: '  b-2: { parts: { air: air }, safeState: {} }' }))
  const [withBench] = (await look()).added
  assert.equal([withBench?.name, withBench?.bench], ['air', 'b-2'])
  const refused = await said(await take('air'))
  assert.equal([refused.status, refused.code], [409, 'instrument-of-bench'])
  assert.match(refused.detail ?? '', /bench b-2 of node\.yaml has air/)

  await restart(piYaml({ more: '  climate: { driver: i2c, config: { bus: 1, chip: bme280, address: 0x76 } }' }))
  const [without] = (await look()).added
  assert.match(without?.leftOut ?? '', /0x76 on I2C bus 1 is climate's already/)
  assert.not.ok(edge.instruments.has('air'))
  assert.is((await take('air')).status, 204)
  assert.equal(await keptNames(), [])
  assert.ok(edge.instruments.has('climate'))
  // Its name is free at once, for an instrument that is there.
  const probe = { find: 'w1:28-0000075c5a3e', driver: 'one-wire', name: 'air', settings: {} }
  const again = (await (await add(probe)).json()) as ShownInstrument
  assert.equal([again.name, again.leftOut], ['air', undefined])
  assert.is((await take('air')).status, 204)
  assert.not.ok(edge.instruments.has('air'))
  const own = await said(await take('climate'))
  assert.equal([own.status, own.code], [404, 'instrument-unknown'])
})

test('an added instrument that can not be made does not keep the node from starting', async () => {
  const gone = { driver: 'board', find: 'serial:gone', by: 'Ada', at: '2026-01-01T00:00:00.000Z' }
  await edge.close()
  const transport = { kind: 'serial', path: '/dev/serial/by-id/gone' }
  await writeFile(kept(), JSON.stringify({ gone: { ...gone, config: { transport } } }))
  edge = await startPi({ lab, tree: pi })
  const [left] = (await look()).added
  assert.match(left?.leftOut ?? '', /could not be made as the node started/)
  assert.is((await take('gone')).status, 204)
})

test('its calibration waits while it is left out, and goes with it', async () => {
  const env = { FERNLAB_HUB: lab.hub.httpUrl, FERNLAB_TOKEN: adminToken }
  const calibrated = async () => {
    const { out } = await commandLine(['node', 'calibrate', 'pi', '--show', '--json'], { env })
    return (JSON.parse(out) as { signal: string }[]).map(({ signal }) => signal)
  }
  assert.is((await add(air)).status, 201)
  const done = await commandLine(['node', 'calibrate', 'pi', 'air.temperature', '--linear', '1,-2'], { env })
  assert.is(done.code, 0, done.err)
  await restart(piYaml({ more: '  climate: { driver: i2c, config: { bus: 1, chip: bme280, address: 0x76 } }' }))
  assert.equal(await calibrated(), ['air.temperature'])
  await restart()
  assert.equal(await calibrated(), ['air.temperature'])
  assert.is((await take('air')).status, 204)
  assert.equal(await calibrated(), [])
  await restart()
  assert.not.ok(edge.instruments.has('air'))
})

test('the command line makes an instrument of a find, and takes it back', async () => {
  const env = { FERNLAB_HUB: lab.hub.httpUrl, FERNLAB_TOKEN: adminToken }
  const words = ['node', 'equip', 'pi', 'i2c:1:0x76', '--driver', 'i2c', '--name', 'air', '--set', 'chip=bme280']
  const made = await commandLine(words, { env })
  assert.equal([made.code, made.err.includes('fernlab node unequip pi air')], [0, true], made.err)
  assert.match(made.out, /^pi has air: \{"driver":"i2c","config":\{"bus":1,"address":118,"chip":"bme280"\}\}/)
  const wrong = await commandLine([...words.slice(0, -1), 'chip'], { env })
  assert.match(wrong.err, /it is KEY=VALUE/)
  const taken = await commandLine(['node', 'unequip', 'pi', 'air'], { env })
  assert.equal([taken.code, taken.out], [0, 'air is removed\n'], taken.err)
  assert.equal(await keptNames(), [])
})

test.run()
