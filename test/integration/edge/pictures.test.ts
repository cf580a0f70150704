import { createCameraDriver } from '@fernlab/edge/drivers/camera/camera'
import type { Driver } from '@fernlab/edge/drivers/driver'
import { isJpeg, MOST_STILL_BYTES, MOST_STILLS } from '@fernlab/shared/contracts/pictures'
import type { Protocol } from '@fernlab/shared/protocol/protocol'
import * as assert from 'uvu/assert'
import { protocolOf, startTestNode, type TestNode } from '../../support/edge/node.ts'
import { assignmentOf, type ScriptedHub, SITE, startScriptedHub } from '../../support/edge/scripted-hub.ts'
import { suite } from '../../support/suite.ts'

const test = suite('pictures that a run takes', { timeoutMs: 40_000 })
let hub: ScriptedHub
let node: TestNode

const start = async (camera: Driver = createCameraDriver()) => {
  hub = await startScriptedHub('n1')
  const eye = { source: { kind: 'emulated' }, width: 160, height: 120, rateHz: 20 }
  node = await startTestNode(hub, {
    extraDrivers: [camera],
    config: {
      object: {
        site: SITE,
        node: 'n1',
        hub: { url: 'in-process' },
        instruments: { supply: { driver: 'memory', config: {} }, eye: { driver: 'camera', config: eye } },
        benches: { 'bench-1': { parts: { psu: 'supply', view: 'eye' }, safeState: { 'psu.voltage': 0 } } },
      },
    },
  })
  await hub.until('the bench is free', () => {
    const free = node.edge.benches.get('bench-1')?.status.state === 'free'
    return free && node.edge.syncState === 'synced' && node.edge.instruments.get('eye')?.connection.online === true
  })
}
test.after.each(async () => {
  await node.remove()
  await hub.close()
})

const run = async (protocol: Protocol) => {
  const assignment = assignmentOf(protocol)
  await hub.assign(assignment)
  await hub.until('it stopped', () => hub.stopped(assignment.runId) !== undefined)
  const stopped = hub.stopped(assignment.runId)
  if (stopped?.name !== 'stop') throw new Error('there is no stop document')
  return { stop: stopped.doc, documents: hub.documents(assignment.runId) }
}

test('a step takes a picture: a file of the run, with a row that names it and its time', async () => {
  await start()
  const steps = '  - call: {action: view.take_picture}\n  - wait: 0.2\n  - call: {action: view.take_picture}'
  const before = Date.now() / 1000
  const { stop, documents } = await run(protocolOf(steps))
  assert.equal([stop.state, stop.rows, stop.documents], ['succeeded', { 'view.pictures': 2 }, documents.length - 1])
  assert.equal(
    documents.map(({ name }) => name),
    ['start', 'descriptor', 'picture', 'event_page', 'picture', 'event_page', 'stop'],
  )
  const [, described, first, row, second] = documents
  if (described?.name !== 'descriptor' || first?.name !== 'picture' || row?.name !== 'event_page') throw new Error('no')
  assert.equal(described.doc.dataKeys['view.picture'], {
    dtype: 'string',
    shape: [120, 160, 3],
    unit: '1',
    source: 'eye.picture',
    external: 'FILESTORE:',
  })
  assert.equal(described.doc.configuration.eye?.data, { rate_limit: 20 })
  assert.ok(isJpeg(first.doc.jpeg) && first.doc.jpeg.byteLength > 1000)
  assert.equal(row.doc.columns, { 'view.picture': ['view-0001.jpg'] })
  assert.equal([...row.doc.time], [first.doc.time])
  assert.ok(first.doc.time > before && first.doc.time < Date.now() / 1000)
  assert.ok(second?.name === 'picture' && second.doc.number === 1 && second.doc.time >= first.doc.time + 0.2)
})

test('a person takes one in a session, and it is on the disk of the node when that is said to be done', async () => {
  await start()
  const before = protocolOf('  - set: {psu.voltage: 1}')
  const live = { kind: 'live', seconds: 600, idleS: 600, silenceS: 600 } as const
  const session = assignmentOf({ ...before, steps: [...before.steps, live] }, { maxSeconds: 3600 })
  const key = { runId: session.runId, attempt: 1, by: 'ada' }
  await hub.assign(session)
  await hub.until('it is active', () => hub.live.some((one) => one.session?.stage === 'active'))
  await hub.call('session.command', { ...key, command: { what: 'call', action: 'view.take_picture' } })
  await hub.until('the picture is here', () => hub.documents(session.runId).some(({ name }) => name === 'picture'))
  await hub.call('session.finish', key)
  await hub.until('it stopped', () => hub.stopped(session.runId) !== undefined)
  const stop = hub.stopped(session.runId)
  assert.ok(stop?.name === 'stop' && stop.doc.rows['view.pictures'] === 1, JSON.stringify(stop?.doc))
})

/** A camera whose pictures have so many bytes. */
const cameraOf = (bytes: number): Driver => {
  const driver = createCameraDriver()
  const jpeg = new Uint8Array(bytes)
  jpeg.set([0xff, 0xd8])
  const create: Driver['create'] = async (config, context) => ({
    spec: (await driver.create(config, context)).spec,
    open: async () => {},
    read: async () => ({ rate_limit: { value: 20, time: Date.now() / 1000 } }),
    set: async () => {},
    call: async () => {},
    camera: { take: async () => ({ jpeg, time: Date.now() / 1000 }), follow: async function* () {} },
    close: async () => {},
  })
  return { ...driver, create }
}

test('a picture that is too large ends the run with what it is, and is not in it', async () => {
  await start(cameraOf(MOST_STILL_BYTES + 1))
  const { stop } = await run(protocolOf('  - call: {action: view.take_picture}'))
  assert.equal(
    [stop.state, stop.error?.code, stop.error?.details?.at],
    ['failed', 'picture-too-large', 'steps[0].call'],
  )
  assert.equal(stop.rows, {})
})

test('no run takes more pictures than its bound', async () => {
  await start(cameraOf(100))
  const repeat = `  - repeat: {times: ${MOST_STILLS + 1}, steps: [{call: {action: view.take_picture}}]}`
  const { stop, documents } = await run(protocolOf(repeat))
  assert.equal([stop.state, stop.error?.code], ['failed', 'pictures-too-many'])
  assert.is(documents.filter(({ name }) => name === 'picture').length, MOST_STILLS)
  assert.equal(stop.rows, { 'view.pictures': MOST_STILLS })
})

test.run()
