/** Every way to start a part and to end it: all of it is gone within 5 s, in order. */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { killAll, type Program, startProgram, untilGone, untilPrinted } from '../../support/programs.ts'
import { suite } from '../../support/suite.ts'
import { smallLab } from '../hub/hub-with-node.ts'

const test = suite('stopping a program', { timeoutMs: 120_000, fileTimeoutMs: 15 * 60_000 })
const adminToken = 'an-admin-token-of-32-characters-or-more'
const stopMs = 5_000
const folder = mkdtempSync(join(tmpdir(), 'fernlab-programs-'))
const nodeFile = join(folder, 'node.yaml')
const node = process.execPath
let data = ''
let count = 0

writeFileSync(
  nodeFile,
  `
node: n1
hub: { url: in-process }
instruments:
  box: { driver: simulated, config: { model: constant } }
benches:
  b: { parts: { box: box }, labs: [small], safeState: { box.value: 0 } }
`,
)

test.before.each(() => {
  count += 1
  data = join(folder, String(count))
  mkdirSync(data)
})
test.after.each(() => killAll(data))
test.after(() => rmSync(folder, { recursive: true, force: true }))

const start = (command: string, ...args: string[]): Program =>
  startProgram(command, args, { FERNLAB_DATA: data, FERNLAB_ADMIN_TOKEN: adminToken })

async function startHub(command: string, ...args: string[]): Promise<{ hub: Program; http: string }> {
  const hub = start(command, ...args)
  const [, http = ''] = await untilPrinted(hub, /page {4}(http\S+)/)
  return { hub, http }
}

function call(
  http: string,
  path: string,
  json?: unknown,
  method = json === undefined ? 'GET' : 'POST',
): Promise<Response> {
  return fetch(`${http}/api/v1${path}`, {
    method,
    headers: { authorization: `Bearer ${adminToken}`, 'content-type': 'application/json' },
    ...(json === undefined ? {} : { body: JSON.stringify(json) }),
  })
}

/** A hub with a node, its bench free. */
async function withNode(hub: [string, ...string[]], edge: [string, ...string[]]) {
  const { hub: program, http } = await startHub(...hub)
  assert.is((await call(http, '/labs/small', { files: smallLab }, 'PUT')).status, 201)
  const { code } = (await (await call(http, '/nodes', { node: 'n1' })).json()) as { code: string }
  const enrolled = start(...edge, '--config', nodeFile, '--hub', http, '--enroll', code.toLowerCase())
  await untilPrinted(enrolled, /the node is up/)
  const deadline = performance.now() + 20_000
  for (;;) {
    const { items } = (await (await call(http, '/benches')).json()) as { items: { state: string }[] }
    if (items[0]?.state === 'free') return { hub: program, http, edge: enrolled }
    if (performance.now() > deadline) throw new Error(`the bench is not free\n${enrolled.output()}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

async function running(http: string): Promise<{ id: string; events: Promise<string> }> {
  const submitted = await call(http, '/runs', { lab: 'small', protocol: 'set', parameters: { pause: 60 } })
  const { id } = (await submitted.json()) as { id: string }
  let heard = ''
  const events = call(http, `/runs/${id}/events`)
    .then(async (response) => {
      for await (const chunk of response.body ?? []) heard += Buffer.from(chunk as Uint8Array).toString()
    })
    // Cut off with the hub: what was heard until then counts.
    .catch(() => {})
    .then(() => heard)
  const deadline = performance.now() + 20_000
  for (;;) {
    const { state } = (await (await call(http, `/runs/${id}`)).json()) as { state: string }
    if (state === 'running') return { id, events }
    if (performance.now() > deadline) throw new Error(`the run is ${state}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

const stoppedCleanly = () =>
  assert.not(existsSync(join(data, 'endpoints.json')), 'endpoints.json names a hub that is gone')

test('npm start, when the whole group gets SIGTERM', async () => {
  const { hub } = await startHub('npm', 'start')
  process.kill(-hub.pid, 'SIGTERM')
  await untilGone(data, stopMs)
  stoppedCleanly()
})

test('npm start, when the terminal is closed', async () => {
  const { hub } = await startHub(node, 'scripts/start/start.mjs')
  process.kill(hub.pid, 'SIGHUP')
  assert.is(await hub.ended, 0)
  stoppedCleanly()
})

test('npm run hub and npm run edge, enrolled, with a run and a stream of events, when npm gets SIGTERM', async () => {
  const { hub, http, edge } = await withNode(['npm', 'run', 'hub'], ['npm', 'run', 'edge', '--'])
  const { events } = await running(http)
  process.kill(edge.pid, 'SIGTERM')
  await untilPrinted({ ...edge, ended: new Promise(() => {}) }, /the node is down/, stopMs)
  process.kill(hub.pid, 'SIGTERM')
  await untilGone(data, stopMs)
  assert.match(await events, /event: state/)
  stoppedCleanly()
})

test('a hub on which a run is in flight and followed', async () => {
  const { hub, http } = await withNode(
    [node, 'scripts/start/part.mjs', 'hub'],
    [node, 'scripts/start/part.mjs', 'edge'],
  )
  await running(http)
  const from = performance.now()
  process.kill(hub.pid, 'SIGTERM')
  assert.is(await hub.ended, 0, hub.output())
  assert.ok(performance.now() - from < stopMs)
  stoppedCleanly()
})

test('a node that is started again while it runs is refused, and its run goes on', async () => {
  const part: [string, ...string[]] = [node, 'scripts/start/part.mjs']
  const { http, edge } = await withNode([...part, 'hub'], [...part, 'edge'])
  const { id } = await running(http)
  const second = start(...part, 'edge', '--config', nodeFile)
  assert.is(await second.ended, 1)
  const taken = `another node runs on ${join(data, 'nodes', 'n1')}; stop it, or set FERNLAB_DATA to another folder\n`
  assert.is(second.errors(), taken)
  assert.is(((await (await call(http, `/runs/${id}`)).json()) as { state: string }).state, 'running')
  process.kill(edge.pid, 'SIGKILL')
  await edge.ended
  const third = start(...part, 'edge', '--config', nodeFile)
  await untilPrinted(third, /the node is up/)
  process.kill(third.pid, 'SIGHUP')
  assert.is(await third.ended, 0, third.output())
  assert.match(third.output(), /the node is down/)
})

const fernlab = 'scripts/cli/fernlab.mjs'

test('fernlab hub, with Ctrl-C in its terminal', async () => {
  const { hub } = await startHub(node, fernlab, 'hub')
  process.kill(-hub.pid, 'SIGINT')
  assert.is(await hub.ended, 0, hub.output())
  await untilGone(data, 0)
  stoppedCleanly()
})

test('fernlab hub and fernlab edge, with SIGTERM', async () => {
  const { hub, edge } = await withNode([node, fernlab, 'hub'], [node, fernlab, 'edge'])
  process.kill(edge.pid, 'SIGTERM')
  assert.is(await edge.ended, 0, edge.output())
  assert.match(edge.output(), /the node is down/)
  process.kill(-hub.pid, 'SIGTERM')
  assert.is(await hub.ended, 0, hub.output())
  await untilGone(data, 0)
  stoppedCleanly()
})

test('a hub that still starts', async () => {
  const hub = start(node, 'scripts/start/start.mjs')
  const locked = join(data, 'hub', 'hub.lock')
  while (!existsSync(locked)) await new Promise((resolve) => setTimeout(resolve, 5))
  process.kill(hub.pid, 'SIGTERM')
  assert.is(await hub.ended, 0, hub.output())
  stoppedCleanly()
})

test('wrong arguments end a node with one line', async () => {
  const { ended, errors } = start(node, 'scripts/start/part.mjs', 'edge', '--enroll', '-abc')
  assert.is(await ended, 1)
  assert.is(
    errors(),
    "Option '--enroll' argument is ambiguous; usage: --config node.yaml [--enroll CODE --hub URL] [--json]\n",
  )
})

test.run()
