import { once } from 'node:events'
import { mkdtemp, rename, rm, stat, writeFile } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connectUnixSocket, listenUnixSocket } from '@fernlab/shared/links/unix-socket/unix-socket'
import { GREETING_MS } from '@fernlab/shared/links/unix-socket/unix-socket-link'
import { ManualClock, systemClock } from '@fernlab/shared/primitives/clock'
import { cborFormat } from '@fernlab/shared/rpc/cbor-format'
import * as assert from 'uvu/assert'
import { rejection } from '../../contract/driver-contract.ts'
import { suite } from '../../support/suite.ts'

const test = suite('Unix sockets for calls')
let folder = ''
test.before.each(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fernlab-socket-'))
})
test.after.each(() => rm(folder, { recursive: true }))

const noLink = () => assert.unreachable('there is no link')

test('a socket is its owner’s alone unless said otherwise, and gone when it was closed', async () => {
  for (const [mode, expected] of [
    [undefined, 0o600],
    [0o660, 0o660],
  ] as const) {
    const path = join(folder, 'rpc.sock')
    const umask = process.umask()
    const server = await listenUnixSocket({
      path,
      clock: systemClock,
      onLink: noLink,
      ...(mode === undefined ? {} : { mode }),
    })
    assert.is((await stat(path)).mode & 0o777, expected)
    assert.is(process.umask(), umask)
    await server.close()
    await rejection(
      connectUnixSocket({ path, format: cborFormat, clock: systemClock, signal: new AbortController().signal }),
    )
  }
})

test('a path is taken from nobody who listens there, and from no file that is no socket', async () => {
  const path = join(folder, 'rpc.sock')
  const options = { path, clock: systemClock, onLink: noLink }
  const server = await listenUnixSocket(options)
  assert.match((await rejection(listenUnixSocket(options))).message, /another process listens there/)
  await server.close()
  await writeFile(path, 'mine')
  assert.match((await rejection(listenUnixSocket(options))).message, /another file is there/)
  const long = await rejection(listenUnixSocket({ ...options, path: join(folder, 'x'.repeat(108)) }))
  assert.is(long.code, 'path-wrong')
})

test('a socket that a dead process left is replaced', async () => {
  const path = join(folder, 'rpc.sock')
  const dead = createServer().listen({ path: `${path}.old` })
  await once(dead, 'listening')
  // Under another name its file stays when it closes.
  await rename(`${path}.old`, path)
  dead.close()
  await once(dead, 'close')
  assert.ok((await stat(path)).isSocket())
  const server = await listenUnixSocket({ path, clock: systemClock, onLink: noLink })
  await server.close()
})

test('who greets wrongly, too long or not at all is left without an answer', async () => {
  const path = join(folder, 'rpc.sock')
  const clock = new ManualClock()
  const server = await listenUnixSocket({ path, clock, onLink: noLink })
  for (const greeting of [
    'GET / HTTP/1.1\r\n\r\n',
    'fernlab.rpc.2.cbor\n',
    'fernlab.rpc.1.xml\n',
    'x'.repeat(1000),
    undefined,
  ]) {
    const socket = connect({ path })
    let heard = 0
    socket.on('data', (data) => (heard += data.length))
    socket.on('error', () => {}) // of a connection that is ended while it speaks
    await once(socket, 'connect')
    const closed = once(socket, 'close')
    if (greeting === undefined) {
      // The server hears of it when it does: its time begins then.
      const timer = setInterval(() => void clock.advance(GREETING_MS), 5)
      await closed
      clearInterval(timer)
    } else {
      socket.write(greeting)
      await closed
    }
    assert.is(heard, 0)
  }
  await server.close()
})

test.run()
