/** Hub and node are processes; each is killed (-9) while somebody is on the page of a lab's own server through them. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Session, SessionVisit } from '@fernlab/shared/contracts/sessions'
import * as assert from 'uvu/assert'
import { benchesKept } from '../../support/faults/benches-kept.ts'
import { HubClient, pause, within } from '../../support/faults/hub-client.ts'
import { OwnProcess } from '../../support/faults/own-process.ts'
import { freePort } from '../../support/free-port.ts'
import { LAB_PASSWORD, LAB_USER, startTestLabServer, type TestLabServer } from '../../support/lab-server/lab-server.ts'
import { suite } from '../../support/suite.ts'

const test = suite("killed with a page of a lab's own server open", { timeoutMs: 120_000, hookTimeoutMs: 120_000 })
const token = 'fault-test-token-0123456789-0123456789'
const labFile = `
title: Robot
summary: Has a server of its own.
parts:
  server: { signals: {}, labServer: true }
session:
  seconds: 600
  server: { part: server }
`
let folder: string
let lab: TestLabServer
let hub: OwnProcess
let edge: OwnProcess
let client: HubClient

test.before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'fernlab-page-'))
  lab = await startTestLabServer()
  lab.pages = (request, response) => {
    response.writeHead(200)
    if (request.url === '/lab/stream') response.write('begun')
    else response.end('the lab')
  }
  const [httpPort, mqttPort, pagesPort] = [await freePort(), await freePort(), await freePort()]
  client = new HubClient(() => `http://127.0.0.1:${httpPort}`, token)
  hub = new OwnProcess({
    name: 'the hub',
    script: 'hub/dist/hub-process.js',
    logFile: join(folder, 'hub.log'),
    env: {
      FERNLAB_DATA: join(folder, 'hub-data'),
      FERNLAB_PORT: String(httpPort),
      FERNLAB_MQTT_PORT: String(mqttPort),
      FERNLAB_PAGES_PORT: String(pagesPort),
      FERNLAB_ADMIN_TOKEN: token,
      FERNLAB_ADMIN_EMAIL: 'admin@example.org',
      FERNLAB_ADMIN_PASSWORD: 'a-password-for-tests',
    },
    ready: async () => {
      await client.get('/readyz', 60_000)
    },
  })
  await hub.start()
  await client.insist('PUT', '/api/v1/labs/robot', {
    files: [
      { path: 'lab.yaml', text: labFile },
      { path: 'README.md', text: '# Robot\n' },
    ],
  })
  writeFileSync(join(folder, 'password'), LAB_PASSWORD)
  const config = join(folder, 'node.yaml')
  writeFileSync(
    config,
    `node: robots
hub: { url: "mqtt://127.0.0.1:${mqttPort}" }
instruments:
  server: { driver: lab-server, config: { url: "${lab.url}", username: ${LAB_USER}, passwordFile: password } }
benches:
  arm: { parts: { server: server }, labs: [robot] }
`,
  )
  const { body } = await client.insist('POST', '/api/v1/nodes', { node: 'robots' })
  let enroll = ['--enroll', (body as { code: string }).code, '--hub', `http://127.0.0.1:${httpPort}`]
  edge = new OwnProcess({
    name: 'the node',
    script: 'edge/dist/bundle/edge-process.js',
    get args() {
      return ['--config', config, ...enroll]
    },
    logFile: join(folder, 'edge.log'),
    env: { FERNLAB_DATA: join(folder, 'node-data') },
    ready: () => client.online('robots', 60_000),
  })
  await edge.start()
  await benchesKept(join(folder, 'hub-data', 'hub', 'hub.db'), 'robots')
  enroll = []
})
test.after(async () => {
  await edge.kill()
  await hub.kill()
  edge.close()
  hub.close()
  await lab.stop()
  rmSync(folder, { recursive: true, force: true })
})

const until = async (what: string, holds: () => Promise<boolean> | boolean) => {
  const looking = (async () => {
    while (!(await holds())) await pause(20)
  })()
  await within(60_000, what, looking)
}
const stateOf = async (id: string) => (await client.get<Session>(`/api/v1/sessions/${id}`)).state
const open = async (): Promise<string> => {
  const { body } = await client.insist('POST', '/api/v1/sessions', { lab: 'robot' })
  const { id } = body as Session
  await until('the session is active', async () => (await stateOf(id)) === 'active')
  return id
}
/** Comes in as a browser does; asks for pages of the lab from then on. */
const enter = async (id: string) => {
  const { body } = await client.insist('POST', `/api/v1/sessions/${id}/visit`)
  const { url } = body as SessionVisit
  const entered = await fetch(url, { redirect: 'manual' })
  assert.is(entered.status, 303)
  const [cookie = ''] = entered.headers.getSetCookie().at(-1)?.split(';') ?? []
  return (path: string) => fetch(new URL(path, url), { headers: { cookie } })
}
/** A page that is being read; resolves with why it broke. */
const readStream = async (ask: (path: string) => Promise<Response>) => {
  const reader = (await ask('/lab/stream')).body?.getReader()
  await reader?.read()
  const broken = (async () => {
    for (;;) {
      const { done } = (await reader?.read()) ?? { done: true }
      if (done) return 'it ended'
    }
  })().catch((error: Error) => error.message)
  return { broken }
}

test('the hub: the lab loses its visitors at once, and the session goes on through the next hub', async () => {
  const id = await open()
  const { broken } = await readStream(await enter(id))
  await hub.kill()
  assert.is.not(await within(10_000, 'the page broke', broken), 'it ended')
  await until('the lab has no visitors', () => lab.connections.size === 0)
  await hub.start()
  await client.online('robots')
  assert.is(await stateOf(id), 'active')
  const page = await (await enter(id))('/lab/')
  assert.equal([page.status, await page.text()], [200, 'the lab'])
  await client.insist('POST', `/api/v1/sessions/${id}/finish`)
  await until('the session is closed', async () => (await stateOf(id)) === 'closed')
  assert.is(lab.sessions.at(-1)?.disposed, 1)
})

test('the node: the page breaks at once and says that it can not be had, the session is ended, and the next has the rest of its time', async () => {
  const id = await open()
  const cut = lab.sessions.at(-1)
  const ask = await enter(id)
  const { broken } = await readStream(ask)
  await edge.kill()
  assert.is.not(await within(10_000, 'the page broke', broken), 'it ended')
  await until('the lab has no visitors', () => lab.connections.size === 0)
  const late = await ask('/lab/')
  assert.ok(late.status >= 500, `${late.status}`)
  await edge.start()
  await until('the session is closed', async () => (await stateOf(id)) === 'closed')
  assert.is(cut?.disposed, 1)
  const { next } = await client.get<Session>(`/api/v1/sessions/${id}`)
  assert.ok(next)
  await until('the next session is active', async () => (await stateOf(next)) === 'active')
  const page = await (await enter(next))('/lab/')
  assert.equal([page.status, await page.text()], [200, 'the lab'])
  assert.is(lab.sessions.length, 3)
  await client.insist('POST', `/api/v1/sessions/${next}/finish`)
  await until('the next session is closed', async () => (await stateOf(next)) === 'closed')
  assert.equal(
    lab.sessions.map(({ disposed }) => disposed),
    [1, 1, 1],
  )
})

test.run()
