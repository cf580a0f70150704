/** The node's process is killed (-9) around the start of a session on a lab's own server, and in the middle of one. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { labServerFaultPoints } from '@fernlab/edge/fault-point'
import type { StopDoc } from '@fernlab/shared/contracts/documents'
import type { Assignment } from '@fernlab/shared/contracts/sync'
import type { Protocol } from '@fernlab/shared/protocol/protocol'
import * as assert from 'uvu/assert'
import { assignmentOf, type ScriptedHub, SITE, startScriptedHub } from '../../support/edge/scripted-hub.ts'
import { OwnProcess } from '../../support/faults/own-process.ts'
import { startHubEnd } from '../../support/lab-server/hub-end.ts'
import { LAB_PASSWORD, LAB_USER, startTestLabServer, type TestLabServer } from '../../support/lab-server/lab-server.ts'
import { suite } from '../../support/suite.ts'

const test = suite("the node killed with a session on a lab's own server", { timeoutMs: 60_000 })
let folder: string
let lab: TestLabServer
let hub: ScriptedHub
let edge: OwnProcess

const protocol: Protocol = {
  title: 'A session',
  version: 1,
  restart: 'never',
  parameters: {},
  steps: [{ kind: 'live', seconds: 600, idleS: 600, silenceS: 600, server: { part: 'server' } }],
  cleanUp: [{ kind: 'dispose', part: 'server' }],
  outputs: {},
  plots: [],
}
const visitor = { username: 'user-1', unique: 'user-1@test', fullName: 'user-1', locale: 'en', back: 'http://hub/' }
const session = () => assignmentOf(protocol, { maxSeconds: 3600, visitor })

test.before.each(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fernlab-kill-'))
  lab = await startTestLabServer()
  hub = await startScriptedHub('n1')
  hub.repairing = true
  const file = join(folder, 'node.yaml')
  await writeFile(join(folder, 'password'), LAB_PASSWORD)
  await writeFile(
    file,
    `site: ${SITE}
node: n1
hub: {url: "mqtt://127.0.0.1:${hub.port}"}
instruments:
  server: {driver: lab-server, config: {url: "${lab.url}", username: ${LAB_USER}, passwordFile: password}}
benches:
  bench-1: {parts: {server: server}}
`,
  )
  edge = new OwnProcess({
    name: 'edge',
    script: 'edge/dist/bundle/edge-process.js',
    args: ['--config', file],
    env: { FERNLAB_DATA: folder, FERNLAB_LOG_LEVEL: 'warn' },
    logFile: join(folder, 'edge.log'),
    ready: async () => {
      const before = hub.inventories.length
      await hub.until('an inventory', () => hub.inventories.length > before, 15_000)
    },
  })
})
test.after.each(async () => {
  await edge.kill()
  edge.close()
  await hub.close()
  await lab.stop()
  await rm(folder, { recursive: true, force: true })
})

const free = () =>
  hub.until(
    'the bench is free',
    () => {
      const text = hub.retained.get(`fernlab/v1/${SITE}/nodes/n1/benches/bench-1`)
      return text !== undefined && (JSON.parse(text) as { state: string }).state === 'free'
    },
    15_000,
  )
const stopOf = async ({ runId }: Assignment): Promise<StopDoc> => {
  await hub.until('the session stopped', () => hub.stopped(runId) !== undefined, 30_000)
  const document = hub.stopped(runId)
  if (document?.name !== 'stop') throw new Error('there is no stop document')
  return document.doc
}

for (const point of labServerFaultPoints) {
  test(`killed at ${point}: nobody knows whether one is open, and that is said`, async () => {
    await edge.start({ FERNLAB_FAULT_POINT: `${point}:1` })
    await free()
    const assignment = session()
    await hub.assign(assignment)
    assert.is(await edge.ended(), 'SIGKILL')
    await edge.start()
    const stop = await stopOf(assignment)
    assert.equal([stop.state, stop.cleanUp?.done], ['interrupted', false])
    assert.is(stop.cleanUp?.error?.code, 'lab-session-unknown')
    assert.equal(
      lab.sessions.map(({ disposed }) => disposed),
      point === 'after-lab-start' ? [0] : [],
    )
  })
}

test('killed while its hub reads a page of the lab: both ends hear of it at once, and its next life disposes', async () => {
  const end = await startHubEnd()
  await edge.start()
  await free()
  const assignment = session()
  const { runId } = assignment
  await hub.assign(assignment)
  const active = () => hub.live.some((run) => run.runId === runId && run.session?.stage === 'active')
  await hub.until('it is active', active, 15_000)
  lab.pages = (_request, response) => void response.writeHead(200).write('begun')
  await hub.call('session.dial', { runId, attempt: 1, hub: end.url, token: 'one' }, 10_000)
  const stream = end.streams.get('one')
  stream?.write('GET /lab/ HTTP/1.1\r\nHost: lab\r\n\r\n')
  await new Promise((resolve) => stream?.once('data', resolve))
  const broken = new Promise<{ code?: string }>((resolve) => stream?.once('error', resolve))
  await edge.kill()
  assert.is((await broken).code, 'tunnel-broken')
  await hub.until('the lab has no connection', () => lab.connections.size === 0)
  await edge.start()
  const stop = await stopOf(assignment)
  assert.equal([stop.state, stop.cleanUp], ['interrupted', { done: true, tries: 1 }])
  await end.close()
})

test('killed in the middle: its next life disposes of the session', async () => {
  await edge.start()
  await free()
  const assignment = session()
  await hub.assign(assignment)
  const active = () => hub.live.some((run) => run.runId === assignment.runId && run.session?.stage === 'active')
  await hub.until('it is active', active, 15_000)
  await edge.kill()
  await edge.start()
  const stop = await stopOf(assignment)
  assert.equal([stop.state, stop.cleanUp], ['interrupted', { done: true, tries: 1 }])
  assert.equal(
    lab.sessions.map(({ disposed }) => disposed),
    [1],
  )
})

test.run()
