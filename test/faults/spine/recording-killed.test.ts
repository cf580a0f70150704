/**
 * The hub is killed (-9) around the commit of a piece of a recording: what was there before is there, each piece is whole,
 * and the session is recorded on once the hub is back.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { recordingFaultPoints } from '@fernlab/hub/fault-point'
import { unpackPictures } from '@fernlab/shared/contracts/recording-pieces'
import type { Recording } from '@fernlab/shared/contracts/recordings'
import type { Session } from '@fernlab/shared/contracts/sessions'
import * as assert from 'uvu/assert'
import { benchesKept } from '../../support/faults/benches-kept.ts'
import { HubClient, pause } from '../../support/faults/hub-client.ts'
import { OwnProcess } from '../../support/faults/own-process.ts'
import { freePort } from '../../support/free-port.ts'
import { suite } from '../../support/suite.ts'

const test = suite('the hub is killed as it records a session', { timeoutMs: 90_000, hookTimeoutMs: 120_000 })
const token = 'fault-test-token-0123456789-0123456789'
const labFile = `
title: Oven
summary: Is filmed.
parts: { view: { signals: {}, camera: true } }
session: { seconds: 600, film: [view] }
`
let folder: string
let url: string
let client: HubClient
let hub: OwnProcess
let edge: OwnProcess

test.before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'fernlab-faults-'))
  const [httpPort, mqttPort] = [await freePort(), await freePort()]
  url = `http://127.0.0.1:${httpPort}`
  client = new HubClient(() => url, token)
  hub = new OwnProcess({
    name: 'the hub',
    script: 'hub/dist/hub-process.js',
    logFile: join(folder, 'hub.log'),
    env: {
      FERNLAB_DATA: join(folder, 'hub-data'),
      FERNLAB_PORT: String(httpPort),
      FERNLAB_MQTT_PORT: String(mqttPort),
      FERNLAB_ADMIN_TOKEN: token,
      FERNLAB_ADMIN_EMAIL: 'admin@example.org',
    },
    ready: async () => {
      await client.get('/readyz', 30_000)
    },
  })
  const config = join(folder, 'node.yaml')
  writeFileSync(
    config,
    `node: kitchen
hub: { url: "mqtt://127.0.0.1:${mqttPort}" }
instruments:
  eye: { driver: camera, config: { source: { kind: emulated }, width: 160, height: 120, rateHz: 15 } }
benches:
  oven: { parts: { view: eye }, labs: [oven] }
`,
  )
  let enroll: readonly string[] = []
  edge = new OwnProcess({
    name: 'the node',
    script: 'edge/dist/bundle/edge-process.js',
    get args() {
      return ['--config', config, ...enroll]
    },
    logFile: join(folder, 'edge.log'),
    env: { FERNLAB_DATA: join(folder, 'node-data'), FERNLAB_BROKER_URL: `mqtt://127.0.0.1:${mqttPort}` },
    ready: async () => {},
  })
  await hub.start()
  const files = [
    { path: 'lab.yaml', text: labFile },
    { path: 'README.md', text: '# Oven\n' },
  ]
  await client.insist('PUT', '/api/v1/labs/oven', { files })
  const { body } = await client.insist('POST', '/api/v1/nodes', { node: 'kitchen' })
  enroll = ['--enroll', (body as { code: string }).code, '--hub', url]
  await edge.start()
  await client.online('kitchen')
  await benchesKept(join(folder, 'hub-data', 'hub', 'hub.db'), 'kitchen')
})
test.after(async () => {
  await edge?.kill()
  await hub?.kill()
  edge?.close()
  hub?.close()
  rmSync(folder, { recursive: true, force: true })
})

const piecesOf = async (id: string) =>
  (await client.get<Recording>(`/api/v1/runs/${id}/recording`)).cameras[0]?.pieces ?? []
const until = async (holds: () => Promise<boolean>) => {
  while (!(await holds())) await pause(50)
}
const pictures = async (id: string, number: number) => {
  const headers = { authorization: `Bearer ${token}` }
  const answer = await fetch(`${url}/api/v1/runs/${id}/recording/view/${number}`, { headers })
  assert.is(answer.status, 200)
  return unpackPictures(new Uint8Array(await answer.arrayBuffer()))
}

for (const point of recordingFaultPoints) {
  test(`killed at ${point}`, async () => {
    await hub.kill()
    await hub.start({ FERNLAB_FAULT_POINT: `${point}:3` })
    await client.online('kitchen')
    const { body } = await client.insist('POST', '/api/v1/sessions', { lab: 'oven' })
    const { id } = body as Session
    assert.is(await hub.ended(), 'SIGKILL')
    await hub.start()
    const kept = await piecesOf(id)
    assert.ok(kept.length >= (point === 'before-recording-commit' ? 2 : 3), `${kept.length} pieces`)
    await until(async () => (await piecesOf(id)).length >= kept.length + 2)
    await client.insist('DELETE', `/api/v1/sessions/${id}`)
    await client.finished(id)
    const pieces = await piecesOf(id)
    assert.equal(pieces.slice(0, kept.length), kept)
    assert.equal(
      pieces.map(({ number }) => number),
      pieces.map((_, number) => number),
    )
    let before = 0
    for (const { number, times } of pieces) {
      const shown = await pictures(id, number)
      assert.equal(
        shown.map(({ time }) => time),
        times,
      )
      for (const { time, jpeg } of shown) {
        assert.ok(time > before, 'each picture once, in order')
        before = time
        assert.equal([...jpeg.subarray(0, 2), ...jpeg.subarray(-2)], [0xff, 0xd8, 0xff, 0xd9])
      }
    }
  })
}

test.run()
