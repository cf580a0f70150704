import { createServer, type RequestListener, type Server } from 'node:http'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { asLabError, type LabError } from '@fernlab/shared/primitives/lab-error'
import { HubClient } from 'fernlab/cli/hub-client'
import { unreachable } from 'fernlab/cli/unreachable'
import * as assert from 'uvu/assert'
import { z } from 'zod'
import { suite } from '../../support/suite.ts'

const test = suite('a hub that does not answer as it should')

const servers: { close(done: () => void): unknown }[] = []
test.after.each(async () => {
  for (const server of servers.splice(0)) await new Promise<void>((resolve) => server.close(() => resolve()))
})

async function hubThat(answers: RequestListener): Promise<string> {
  const server: Server = createServer((request, response) => {
    response.setHeader('connection', 'close')
    answers(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  servers.push(server)
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const failure = (work: Promise<unknown>): Promise<LabError> =>
  work.then(() => assert.unreachable('it answered') as never, asLabError)
const call = (url: string, options = {}) =>
  failure(new HubClient({ url }).call(z.object({ name: z.string() }), '/api/v1/me', options))

test('down: says where one is started or named', async () => {
  const server = createTcpServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  const { code, message } = await call(`http://127.0.0.1:${port}`)
  assert.is(code, 'hub-unreachable')
  assert.match(message, /^no hub answers at http:\S+ \(ECONNREFUSED\)\n {2}Start one with "npm start"/)
})

test('slow: says for how long it was waited, and after a change that its outcome is not known', async () => {
  const late: (() => void)[] = []
  const url = await hubThat((_request, response) => void late.push(() => response.end()))
  assert.match((await call(url, { timeoutMs: 40 })).message, /has not answered within 0 s\n.*try again in a while/)
  const change = await call(url, { timeoutMs: 40, method: 'POST', body: {} })
  assert.match(change.message, /Whether it did what was asked is not known/)
  for (const end of late) end()
})

test('slow in the middle of an answer: says the same', async () => {
  const late: (() => void)[] = []
  const url = await hubThat((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' })
    response.write('{"name":')
    late.push(() => response.destroy())
  })
  assert.match((await call(url, { timeoutMs: 200 })).message, /has not answered within/)
  for (const end of late) end()
})

test('of another version: says how the versions are compared', async () => {
  const other = await hubThat((_request, response) => response.end('{"called": "Ada"}'))
  const { message, issues } = await call(other)
  assert.match(message, /answered something else than this fernlab expects\n.*another version.*"fernlab doctor"/)
  assert.is(issues[0]?.path, 'name')
  const problem = { type: '', title: '', status: 404, code: 'not-found', detail: '/api/v1/me does not exist' }
  const older = await hubThat((_request, response) => {
    response.writeHead(404, { 'content-type': 'application/problem+json' })
    response.end(JSON.stringify({ ...problem, hint: 'Check the address.' }))
  })
  assert.match((await call(older)).message, /The hub does not know this call, so it is of another version/)
})

test('no hub at all: is told as such', async () => {
  const page = await hubThat((_request, response) => response.end('<html>'))
  assert.match((await call(page)).message, /or no hub/)
  const proxy = await hubThat((_request, response) => {
    response.writeHead(502)
    response.end('<html>')
  })
  assert.match((await call(proxy)).message, /answered 502 Bad Gateway, not as a hub does/)
})

test('a token that ended: says how to get another', async () => {
  const url = await hubThat((_request, response) => {
    response.writeHead(401, { 'content-type': 'application/problem+json' })
    const told = { type: '', title: '', status: 401, code: 'token-refused', detail: 'expired', hint: 'expired' }
    response.end(JSON.stringify(told))
  })
  const work = new HubClient({ url, token: 'old' }).call(z.unknown(), '/api/v1/me')
  assert.match((await failure(work)).message, /The token is wrong, expired or revoked: "fernlab login" gets another/)
})

test('certificates and names: each says what to do', () => {
  for (const [code, words] of [
    ['CERT_HAS_EXPIRED', /has expired: whoever runs the hub has to renew it/],
    ['ERR_TLS_CERT_ALTNAME_INVALID', /is for another name/],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', /FERNLAB_TLS_CA/],
    ['ENOTFOUND', /No machine has that name/],
    ['ERR_SSL_WRONG_VERSION_NUMBER', /http there, not https/],
  ] as const) {
    const cause = Object.assign(new TypeError(code), { code })
    assert.match(unreachable('https://x', new TypeError('fetch failed', { cause }), {}).message, words)
  }
})

test.run()
