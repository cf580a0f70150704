import { once } from 'node:events'
import { connect } from 'node:net'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'
import { type ServedHub, serveHub } from './served-hub.ts'

const test = suite('answers are sent in one piece, and packed when that is worth it', { timeoutMs: 60_000 })
let hub: ServedHub
let cookie = ''

test.before(async () => {
  hub = await serveHub()
  cookie = (await hub.signIn()).cookie
})
test.after(() => hub.close())

/** What the hub wrote first: head and body, if they were sent together. */
async function firstPiece(path: string, headers: Record<string, string> = {}): Promise<string> {
  const socket = connect(Number(new URL(hub.url).port), '127.0.0.1')
  const lines = Object.entries({ host: 'x', cookie, ...headers }).map(([name, value]) => `${name}: ${value}\r\n`)
  socket.write(`GET ${path} HTTP/1.1\r\n${lines.join('')}\r\n`)
  const [piece] = (await once(socket, 'data')) as [Buffer]
  socket.destroy()
  return piece.toString('latin1')
}

test('a small answer has its length, is not packed, and comes with its head', async () => {
  const piece = await firstPiece('/api/v1/me', { 'accept-encoding': 'gzip' })
  const [head = '', body = ''] = piece.split('\r\n\r\n')
  assert.not.match(head.toLowerCase(), 'content-encoding')
  assert.not.match(head.toLowerCase(), 'transfer-encoding')
  assert.is(Number(/content-length: (\d+)/i.exec(head)?.[1]), body.length)
  assert.match(head, "content-security-policy: default-src 'none'")
  assert.is(JSON.parse(body).name, 'Admin')
})

test('a long answer is packed for those who take it', async () => {
  for (let n = 0; n < 12; n++) {
    const made = await hub.json(
      'POST',
      '/api/v1/tokens',
      { name: `t${n}`, scopes: ['read'] },
      { cookie, origin: hub.url },
    )
    assert.is(made.status, 201)
  }
  const packed = await fetch(`${hub.url}/api/v1/tokens`, { headers: { cookie, 'accept-encoding': 'gzip' } })
  assert.is(packed.headers.get('content-encoding'), 'gzip')
  assert.is(((await packed.json()) as { items: unknown[] }).items.length, 12)
  const plain = await fetch(`${hub.url}/api/v1/tokens`, { headers: { cookie, 'accept-encoding': 'identity' } })
  assert.is(plain.headers.get('content-encoding'), null)
  assert.is(((await plain.json()) as { items: unknown[] }).items.length, 12)
})

test('a HEAD has the length of the answer and no body', async () => {
  const answer = await fetch(`${hub.url}/api/v1/me`, { method: 'HEAD', headers: { cookie } })
  assert.is(answer.status, 200)
  assert.ok(Number(answer.headers.get('content-length')) > 10)
  assert.is(await answer.text(), '')
})

test.run()
