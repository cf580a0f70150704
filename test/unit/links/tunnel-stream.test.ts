import { createHash } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { MOST_TUNNEL_MESSAGE_BYTES, TunnelStream } from '@fernlab/shared/links/tunnel-stream'
import type { LabError } from '@fernlab/shared/primitives/lab-error'
import * as assert from 'uvu/assert'
import { WebSocket, WebSocketServer } from 'ws'
import { suite } from '../../support/suite.ts'

const test = suite('bytes over a WebSocket of their own', { timeoutMs: 30_000 })

let server: WebSocketServer
let here: TunnelStream
let there: TunnelStream
let sockets: WebSocket[]

test.before.each(async () => {
  server = new WebSocketServer({ host: '127.0.0.1', port: 0, maxPayload: MOST_TUNNEL_MESSAGE_BYTES })
  await new Promise((resolve) => server.once('listening', resolve))
  const came = new Promise<WebSocket>((resolve) => server.once('connection', resolve))
  const socket = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`, {
    perMessageDeflate: false,
    maxPayload: MOST_TUNNEL_MESSAGE_BYTES,
  })
  await new Promise((resolve) => socket.once('open', resolve))
  sockets = [socket, await came]
  here = new TunnelStream(socket)
  there = new TunnelStream(sockets[1] as WebSocket)
})
test.after.each(async () => {
  here.destroy()
  there.destroy()
  await new Promise((resolve) => server.close(resolve))
})

const allOf = async (stream: TunnelStream): Promise<Buffer> => {
  const pieces: Buffer[] = []
  for await (const piece of stream) pieces.push(piece as Buffer)
  return Buffer.concat(pieces)
}
const closed = (stream: TunnelStream) =>
  stream.closed ? Promise.resolve() : new Promise<void>((resolve) => stream.once('close', () => resolve()))
const errorOf = (stream: TunnelStream) =>
  new Promise<LabError>((resolve) => stream.once('error', (error) => resolve(error as LabError)))

test('what one end writes the other reads, however it is cut, empty and overlong pieces included', async () => {
  const bytes = Buffer.from(Array.from({ length: 500_000 }, (_, at) => (at * 7919) % 251))
  const cuts = [0, 1, 1, 65_536, 131_073, 131_073, 400_000, 500_000]
  const received = allOf(there)
  for (const [at, to] of cuts.entries()) here.write(bytes.subarray(cuts[at - 1] ?? 0, to))
  here.end()
  assert.ok((await received).equals(bytes))
  assert.is(here.bytes, bytes.length)
  assert.is(there.bytes, bytes.length)
})

test('each direction ends by itself: an answer comes after its question has ended', async () => {
  there.once('end', () => there.end('the answer'))
  there.resume()
  here.end('the question')
  assert.is(String(await allOf(here)), 'the answer')
  await Promise.all([closed(here), closed(there)])
  assert.equal([here.errored, there.errored], [null, null])
})

test('what has arrived is there for who reads late, though both have ended and the connection is gone', async () => {
  here.resume()
  there.end()
  here.end(Buffer.alloc(100_000, 1))
  await closed(here)
  await Promise.all(
    sockets.map((socket) => socket.readyState === 3 || new Promise((done) => socket.once('close', done))),
  )
  assert.is((await allOf(there)).length, 100_000)
  await closed(there)
  assert.is(there.errored, null)
})

test('a connection that breaks is an error for whoever has not ended', async () => {
  const error = errorOf(there)
  there.resume()
  here.write('half of it')
  here.destroy()
  assert.is((await error).code, 'tunnel-broken')
  await closed(there)
})

test('it is an error too for an end that waits for the other to read', async () => {
  const error = errorOf(here)
  const write = () => {
    if (here.write(Buffer.alloc(256 * 1024))) setImmediate(write)
    else there.destroy()
  }
  write()
  assert.is((await error).code, 'tunnel-broken')
})

test('a message that is longer than agreed breaks it', async () => {
  const error = errorOf(there)
  sockets[0]?.send(Buffer.alloc(MOST_TUNNEL_MESSAGE_BYTES + 1))
  assert.is((await error).code, 'tunnel-broken')
})

test('50 MB reach a slow reader whole, and neither end ever holds more than a few messages', async () => {
  const size = 50 * 1024 * 1024
  const [sent, received] = [createHash('sha256'), createHash('sha256')]
  let written = 0
  let held = 0
  const source = Readable.from(
    (function* () {
      while (written < size) {
        const piece = Buffer.alloc(100_000, written % 253)
        written += piece.length
        sent.update(piece)
        yield piece
      }
    })(),
  )
  let read = 0
  const reading = (async () => {
    for await (const piece of there) {
      read += (piece as Buffer).length
      received.update(piece as Buffer)
      const waiting = sockets.map((socket) => socket.bufferedAmount).reduce((sum, bytes) => sum + bytes, 0)
      held = Math.max(held, waiting + here.writableLength + there.readableLength)
      // A turn of the loop: the writer may do what it likes meanwhile.
      await new Promise((resolve) => setImmediate(resolve))
    }
  })()
  await pipeline(source, here)
  await reading
  assert.is(read, written)
  assert.is(received.digest('hex'), sent.digest('hex'))
  assert.ok(held < 1024 * 1024, `${held} bytes were held`)
})

test('nobody reads: the writer stops, and goes on when somebody does', async () => {
  const piece = Buffer.alloc(64 * 1024)
  // The kernel's buffers hold a few MB: a writer that has written so much was never stopped.
  const most = 64 * 1024 * 1024
  let written = 0
  let isStopping = false
  const write = () => {
    if (isStopping || written >= most) return
    written += piece.length
    here.write(piece, write)
  }
  write()
  for (let before = -1; before !== written; ) {
    before = written
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  const whenStopped = written
  assert.ok(whenStopped < most, `${whenStopped} bytes were written`)
  assert.ok(there.readableLength <= 4 * MOST_TUNNEL_MESSAGE_BYTES, `${there.readableLength} bytes wait`)
  await new Promise<void>((resolve) => {
    let read = 0
    there.on('data', (taken: Buffer) => {
      read += taken.length
      if (read > whenStopped) resolve()
    })
  })
  isStopping = true
})

test.run()
