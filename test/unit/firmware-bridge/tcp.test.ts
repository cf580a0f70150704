/** What is said of a network instrument that cannot be reached. */
import { once } from 'node:events'
import { createServer } from 'node:net'
import { openTcp } from '@fernlab/firmware-bridge/transports/tcp'
import * as assert from 'uvu/assert'
import { rejection } from '../../contract/driver-contract.ts'
import { suite } from '../../support/suite.ts'

const test = suite('instruments on a network', { timeoutMs: 20_000 })
const { signal } = new AbortController()

test('a port that takes no connection is told from an instrument that is not there', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  await new Promise<void>((resolve) => server.close(() => resolve()))
  const error = await rejection(openTcp({ kind: 'tcp', host: '127.0.0.1', port }, signal))
  assert.is(error.code, 'transport-unreachable')
  assert.match(
    error.message,
    /takes no connection on that port; raw sockets must be allowed .* many take one connection only/,
  )
})

test('a name of the local network says what looks such names up; another name does not', async () => {
  const open = (host: string) => rejection(openTcp({ kind: 'tcp', host, port: 5025 }, signal))
  assert.match((await open('no-such-meter-4711.local')).message, /no such name on the network;.*libnss-mdns/)
  const { message } = await open('no-such-meter.invalid')
  assert.match(message, /no such name; check it, or use the address/)
  assert.not.match(message, /mdns/)
})

test.run()
