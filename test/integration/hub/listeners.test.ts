/** What comes in on the web port besides plain requests. */
import { Agent, request } from 'node:http'
import { connect } from 'node:net'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'
import { adminToken, startTestHub, type TestHub, until } from './hub-with-node.ts'

const test = suite('the web port', { timeoutMs: 20_000 })
let lab: TestHub

test.before(async () => {
  lab = await startTestHub()
})
test.after(() => lab.close())

const agent = new Agent({ keepAlive: true, maxSockets: 1 })

/** A request that offers HTTP/2, as Java's client does by default. */
function offering(upgrade: string, method: string, path: string, body?: string | readonly string[]) {
  return new Promise<{ status: number; body: string; port: number | undefined }>((resolve, reject) => {
    const asking = request(`${lab.hub.httpUrl}${path}`, {
      method,
      agent,
      headers: {
        authorization: `Bearer ${adminToken}`,
        connection: 'Upgrade, HTTP2-Settings',
        upgrade,
        'http2-settings': 'AAMAAABkAAQAAP__',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(typeof body === 'string' ? { 'content-length': Buffer.byteLength(body) } : {}),
      },
    })
    asking.on('error', reject)
    asking.on('response', (response) => {
      const port = response.socket.localPort
      let text = ''
      response.on('data', (piece) => {
        text += piece
      })
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: text, port }))
    })
    for (const piece of typeof body === 'string' ? [body] : (body ?? [])) asking.write(piece)
    asking.end()
  })
}

test('a request that offers another protocol is answered as if it had not', async () => {
  const plain = await offering('h2c', 'GET', '/api/v1/runs')
  assert.is(plain.status, 200, plain.body)
  assert.equal(JSON.parse(plain.body), { items: [] })
  const run = JSON.stringify({ lab: 'none', protocol: 'x', note: 'ü'.repeat(200_000) })
  for (const body of [run, [run.slice(0, 1000), run.slice(1000)]]) {
    const refused = await offering('h2c', 'POST', '/api/v1/runs', body)
    assert.ok(refused.status >= 400 && refused.status < 500, `${refused.status}`)
    assert.match(JSON.parse(refused.body).code, /request-invalid|lab-unknown/)
  }
  const again = await offering('h2c', 'GET', '/api/v1/runs')
  assert.is(again.port, plain.port, 'the connection serves on')
  assert.is((await offering('websocket', 'GET', '/api/v1/nothing')).status, 404)
})

test('a connection that offers again and again is tracked once', async () => {
  const warnings: Error[] = []
  const note = (warning: Error) => warnings.push(warning)
  process.on('warning', note)
  for (let n = 0; n < 15; n++) assert.is((await offering('h2c', 'GET', '/healthz')).status, 200)
  await new Promise((resolve) => setImmediate(resolve))
  process.off('warning', note)
  assert.equal(warnings, [])
})

test('one that offers and goes away in the middle leaves the hub well', async () => {
  const { port } = new URL(lab.hub.httpUrl)
  const socket = connect(Number(port), '127.0.0.1')
  socket.write(
    'POST /api/v1/runs HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 10\r\n\r\nabc',
  )
  await new Promise((resolve) => setTimeout(resolve, 50))
  socket.resetAndDestroy()
  await until(() => socket.destroyed, 'the end')
  assert.is((await offering('h2c', 'GET', '/healthz')).status, 200)
})

test.run()
