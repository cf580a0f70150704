import { createServer } from 'node:http'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { type ConnectOptions, connect } from '@fernlab/shared/clients/typescript/node'
import { whyUnreachable } from '@fernlab/shared/links/why-unreachable'
import * as assert from 'uvu/assert'
import { rejection } from '../../contract/driver-contract.ts'
import { suite } from '../../support/suite.ts'

const test = suite('a program whose hub or node is not there')

/** A port at which nobody listens. */
async function deserted(): Promise<number> {
  const server = createTcpServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

async function failure(options: ConnectOptions) {
  const client = connect(options)
  try {
    return (await rejection(client.directory.find())) as Error & { code: string }
  } finally {
    await client.close()
  }
}

test('is told who does not answer, of a name with two addresses too', async () => {
  const port = await deserted()
  for (const host of ['127.0.0.1', 'localhost']) {
    const hub = `http://${host}:${port}`
    const { code, message } = await failure({ hub, token: 'mine' })
    assert.is(code, 'hub-unreachable')
    assert.is(message, `the hub at ${hub} can't be reached: nobody answers at ${host}:${port}`)
  }
})

test('is told so of a node', async () => {
  const port = await deserted()
  for (const host of ['127.0.0.1', 'localhost']) {
    const { code, message } = await failure({ node: `ws://${host}:${port}`, token: 'mine' })
    assert.is(code, 'node-unreachable')
    const at = `ws://${host}:${port}/rpc`
    assert.is(message, `${at} can't be reached (${at}: nobody answers at ${host}:${port})`)
  }
})

test('looks for a node for half a second, however long the call may take', async () => {
  let tries = 0
  const server = createTcpServer((socket) => {
    tries++
    socket.destroy()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  assert.is((await failure({ node: `ws://127.0.0.1:${port}`, token: 'mine' })).code, 'node-unreachable')
  await new Promise((resolve) => server.close(resolve))
  // Each wait is twice as long as the one before it: for as long as a call may take there would be twice as many at least.
  assert.ok(tries >= 1 && tries <= 3, `it was tried ${tries} times`)
})

test('is told what else than a node answers there', async () => {
  const server = createServer((_request, response) => response.writeHead(404).end())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const { message } = await failure({ node: `ws://127.0.0.1:${port}`, token: 'mine' })
  assert.match(message, /\(ws:\/\/127\.0\.0\.1:\d+\/rpc: Unexpected server response: 404\)$/)
  await new Promise((resolve) => server.close(resolve))
})

test('is told in words what a hub says that does not lead to a node', async () => {
  const bodies = ['{"code":"node-offline","detail":"pi is not connected"}', '{"detail":', 'x'.repeat(100_000)]
  const said: string[] = []
  for (const body of bodies) {
    const server = createServer((_request, response) => response.writeHead(503).end(body))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    said.push((await failure({ node: `ws://127.0.0.1:${port}`, token: 'mine' })).message)
    await new Promise((resolve) => server.close(resolve))
  }
  assert.equal(
    said.map((message) => message.replace(/^.*\/rpc: /, '')),
    ['pi is not connected)', 'Unexpected server response: 503)', 'Unexpected server response: 503)'],
  )
})

test('is told the cause that stands below what was thrown, by the name or the port that was given', () => {
  const because = (code: string) => new TypeError('fetch failed', { cause: Object.assign(new Error(code), { code }) })
  const said = (url: string, code: string) => whyUnreachable(url, because(code))
  assert.is(said('https://lab.example.org/below', 'ECONNREFUSED'), 'nobody answers at lab.example.org:443')
  assert.is(said('ws://[::1]:8090/rpc', 'ECONNREFUSED'), 'nobody answers at [::1]:8090')
  assert.is(said('http://lab.exmaple.org', 'ENOTFOUND'), 'no machine is called lab.exmaple.org')
  assert.match(said('http://lab.example.org', 'EAI_AGAIN'), /^the name lab\.example\.org could not be looked up/)
  assert.is(said('http://10.0.0.9:81', 'EHOSTUNREACH'), 'no network leads to 10.0.0.9')
  assert.is(said('http://10.0.0.9:81', 'UND_ERR_CONNECT_TIMEOUT'), '10.0.0.9:81 has not answered in time')
  assert.is(said('http://10.0.0.9:81', 'UND_ERR_SOCKET'), '10.0.0.9:81 broke the connection off')
  assert.is(said('https://lab.example.org', 'CERT_HAS_EXPIRED'), 'CERT_HAS_EXPIRED')
  assert.is(whyUnreachable('http://lab', new Error('it says nothing')), 'it says nothing')
  assert.is(whyUnreachable('http://lab', 'gone'), 'gone')
})

test.run()
