/** HTTPS and MQTT over TLS with a certificate of the test's own authority. */
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import { get, request } from 'node:https'
import { type AddressInfo, connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { enroll } from '@fernlab/edge/settings/enroll'
import { openNodeSettings } from '@fernlab/edge/settings/settings'
import { parseConfig } from '@fernlab/hub/config/config'
import { type Hub, startHub } from '@fernlab/hub/main'
import type { LabError } from '@fernlab/shared/primitives/lab-error'
import { recordingLog, silentLog } from '@fernlab/shared/primitives/log'
import { HubClient } from 'fernlab/cli/hub-client'
import mqtt from 'mqtt'
import * as assert from 'uvu/assert'
import { WebSocket } from 'ws'
import { commandLine } from '../../support/command-line.ts'
import { suite } from '../../support/suite.ts'

const test = suite('a hub with a certificate', { timeoutMs: 60_000 })
const folder = mkdtempSync(join(tmpdir(), 'fernlab-tls-'))
const certificate = join(folder, 'cert.pem')
const key = join(folder, 'key.pem')
let hub: Hub
let ca: string

const environment = (more: Record<string, string> = {}) => ({
  FERNLAB_DATA: join(folder, 'data'),
  FERNLAB_PORT: '0',
  FERNLAB_MQTT_PORT: '0',
  FERNLAB_MQTTS_PORT: '0',
  FERNLAB_TLS_CERT: certificate,
  FERNLAB_TLS_KEY: key,
  FERNLAB_ADMIN_EMAIL: 'ada@lab.example',
  FERNLAB_ADMIN_PASSWORD: 'a-long-password',
  ...more,
})
const start = (more?: Record<string, string>) =>
  startHub({ config: parseConfig(environment(more), {}, folder), log: silentLog })

test.before(async () => {
  const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1']
  const command = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-keyout', key, '-out', certificate]
  execFileSync('openssl', [...command, ...subject], { stdio: 'ignore' })
  ca = readFileSync(certificate, 'utf8')
  hub = await start()
})
test.after(async () => {
  await hub?.close()
  rmSync(folder, { recursive: true, force: true })
})

const fetchOverTls = (path: string) =>
  new Promise<{ status: number; headers: Record<string, unknown>; body: string }>((resolve, reject) => {
    get(`${hub.httpUrl}${path}`, { ca }, (response) => {
      let body = ''
      response.on('data', (piece) => {
        body += piece
      })
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }))
    }).on('error', reject)
  })

test('the page and the API are served over HTTPS, which a browser is told to keep to', async () => {
  assert.match(hub.httpUrl, /^https:\/\//)
  const { status, headers } = await fetchOverTls('/healthz')
  assert.is(status, 200)
  assert.match(String(headers['strict-transport-security']), /max-age=\d+/)
  assert.is((await fetchOverTls('/api/v1/site')).status, 200)
})

test('the session’s cookie stays on HTTPS', async () => {
  const body = JSON.stringify({ email: 'ada@lab.example', password: 'a-long-password' })
  const headers = { 'content-type': 'application/json', 'content-length': String(body.length) }
  const cookies = await new Promise<readonly string[]>((resolve, reject) => {
    const asking = request(`${hub.httpUrl}/api/auth/sign-in/email`, { ca, method: 'POST', headers }, (response) => {
      response.resume()
      resolve(response.headers['set-cookie'] ?? [])
    })
    asking.on('error', reject)
    asking.end(body)
  })
  assert.match(cookies.join(), /^__Host-Http-fernlab\.session_token=/)
  for (const attribute of [/; Secure/i, /; HttpOnly/i, /; SameSite=Lax/i]) assert.match(cookies[0] ?? '', attribute)
})

test('listening beyond this machine warns without a certificate, and only then', async () => {
  const warned = async (name: string, more: Record<string, string>) => {
    const log = recordingLog()
    const data = { FERNLAB_DATA: join(folder, name), ...more }
    const other = await startHub({ config: parseConfig(environment(data), {}, folder), log })
    await other.close()
    return log.lines.some(({ level, message }) => level === 'warn' && /without TLS/.test(message))
  }
  const open = { FERNLAB_TLS_CERT: '', FERNLAB_TLS_KEY: '' }
  assert.ok(await warned('beyond', { FERNLAB_HOST: '0.0.0.0', ...open }))
  assert.not(await warned('sealed', { FERNLAB_HOST: '0.0.0.0' }))
  assert.not(await warned('inside', open))
})

test('a node speaks MQTT over TLS and over a sealed WebSocket, and a stranger is refused there too', async () => {
  const { username, password } = await hub.enrollInProcess('sealed')
  const endpoints = JSON.parse(readFileSync(join(folder, 'data', 'endpoints.json'), 'utf8')) as { mqtts: string }
  assert.match(endpoints.mqtts, /^mqtts:\/\//)
  for (const url of [endpoints.mqtts, `${hub.httpUrl.replace('https', 'wss')}/mqtt`]) {
    const client = await mqtt.connectAsync(url, { ca, username, password, reconnectPeriod: 0 }, false)
    assert.ok(client.connected, url)
    await client.endAsync(true)
    const stranger = mqtt.connectAsync(url, { ca, username, password: 'guess', reconnectPeriod: 0 }, false)
    assert.is(await stranger.then(() => 'taken').catch(() => 'refused'), 'refused', url)
  }
})

test('the command line trusts the authority that FERNLAB_TLS_CA names', async () => {
  const env = {
    HOME: folder,
    FERNLAB_HUB: hub.httpUrl,
    FERNLAB_TLS_CA: certificate,
    FERNLAB_DATA: join(folder, 'none'),
  }
  const run = (args: string[], more: Record<string, string> = {}) =>
    commandLine(args, { env: { ...env, ...more }, lines: ['a-long-password'] })
  const entered = await run(['login', '--email', 'ada@lab.example'])
  assert.is(entered.code, 0, entered.err)
  assert.match((await run(['whoami'])).out, 'ada@lab.example')
  assert.match((await run(['labs'])).out, 'No labs yet')
  const found = JSON.parse((await run(['doctor', '--json'])).out) as { what: string; verdict: string }[]
  assert.equal(
    found.filter(({ what, verdict }) => /hub|site|token/.test(what) && verdict === 'broken'),
    [],
  )
  assert.match((await run(['account', 'export', '-'])).out, /"ada@lab\.example"[\s\S]*"runs": \[\s*\]\n\}\n$/)
  const stranger = await run(['whoami'], { FERNLAB_TLS_CA: '' })
  assert.match(stranger.err, /DEPTH_ZERO_SELF_SIGNED_CERT\)\n +Its certificate is of an authority .* FERNLAB_TLS_CA/)
  assert.match((await run(['whoami'], { FERNLAB_TLS_CA: key })).err, /FERNLAB_TLS_CA.* holds no certificate/)
  const { url, headers, ca: authorities } = new HubClient({ url: hub.httpUrl, ca }).webSocket('/api/v1/sessions/x/live')
  const socket = new WebSocket(url, { headers, ca: authorities })
  socket.on('error', () => {})
  const [, answer] = (await once(socket, 'unexpected-response')) as [unknown, IncomingMessage]
  assert.is(answer.statusCode, 401)
  socket.terminate()
})

test('a node enrols at it by the same setting', async () => {
  const code = JSON.parse(
    (
      await commandLine(['node', 'enroll', 'sealed-node', '--json'], {
        env: { HOME: folder, FERNLAB_HUB: hub.httpUrl, FERNLAB_TLS_CA: certificate },
      })
    ).out,
  ).code as string
  const settings = await openNodeSettings(join(folder, 'node'), silentLog)
  const enrolment = { hubUrl: hub.httpUrl, code, node: 'sealed-node', settings }
  const refused = await enroll(enrolment).then(
    () => '',
    (error: Error) => error.message,
  )
  assert.match(refused, 'FERNLAB_TLS_CA')
  assert.is((await enroll({ ...enrolment, ca })).node, 'sealed-node')
  assert.is(settings.data.node, 'sealed-node')
})

test('a redirect to it is not followed, which would lose what was sent; who asked is told the address', async () => {
  const asked: string[] = []
  const redirecting = createServer((request, response) => {
    asked.push(request.headers.authorization ?? '')
    response.writeHead(request.url === '/api/v1/nodes/enroll' ? 301 : 308, { location: `${hub.httpUrl}${request.url}` })
    response.end('elsewhere')
  })
  redirecting.listen(0, '127.0.0.1')
  await once(redirecting, 'listening')
  const hubUrl = `http://127.0.0.1:${(redirecting.address() as AddressInfo).port}`
  const settings = await openNodeSettings(join(folder, 'redirected'), silentLog)
  for (const authority of [{ ca }, {}]) {
    const error = await enroll({ hubUrl, code: 'x', node: 'redirected', settings, ...authority }).then(
      () => undefined,
      (thrown: LabError) => thrown,
    )
    assert.is(error?.code, 'hub-elsewhere')
    assert.is(error?.message, `the hub at ${hubUrl} is reached at ${hub.httpUrl}: give that address instead`)
  }
  const env = { HOME: folder, FERNLAB_HUB: hubUrl, FERNLAB_TOKEN: 'secret', FERNLAB_TLS_CA: certificate }
  const { code, err } = await commandLine(['whoami'], { env })
  assert.is(code, 1)
  assert.ok(err.includes(`the hub at ${hubUrl} is reached at ${hub.httpUrl}`), err)
  assert.match(err, /--hub or FERNLAB_HUB/)
  assert.is(asked.length, 3)
  await new Promise((resolve) => redirecting.close(resolve))
})

test('a certificate that can not be read stops the start with the setting’s name', async () => {
  const message = await start({ FERNLAB_TLS_CERT: join(folder, 'none.pem'), FERNLAB_DATA: join(folder, 'other') }).then(
    () => 'started',
    (error: Error) => error.message,
  )
  assert.match(message, /FERNLAB_TLS_CERT/)
  assert.match(message, /none\.pem/)
  assert.not.match(message, /\n/)
})

test('a hub closes at once though somebody has not finished the handshake', async () => {
  const other = await start({ FERNLAB_DATA: join(folder, 'silent') })
  const endpoints = JSON.parse(readFileSync(join(folder, 'silent', 'endpoints.json'), 'utf8')) as { mqtts: string }
  const silent = [other.httpUrl, endpoints.mqtts].map((url) => connect(Number(new URL(url).port), '127.0.0.1'))
  for (const socket of silent) {
    socket.on('error', () => {})
    await new Promise((resolve) => socket.once('connect', resolve))
  }
  const from = performance.now()
  await other.close()
  assert.ok(performance.now() - from < 5000)
})

test.run()
