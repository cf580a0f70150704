import { once } from 'node:events'
import { connect } from 'node:net'
import { type Listening, listenForServices } from '@fernlab/edge/services/gate/listen'
import { PING_MS } from '@fernlab/shared/links/websocket/keep-awake'
import { ManualClock } from '@fernlab/shared/primitives/clock'
import type { Frame } from '@fernlab/shared/rpc/formats'
import { PIECE_BYTES } from '@fernlab/shared/rpc/limits'
import * as assert from 'uvu/assert'
import { type ClientOptions, WebSocket } from 'ws'
import { suite } from '../../support/suite.ts'

const test = suite('where clients come to a node')
let listening: Listening
test.after.each(() => listening.close())

let pageOrigin: string | undefined
const entry = { host: '127.0.0.1', port: 0, clients: 10 }
const listen = async (clock: ManualClock, frame: (frame: Frame) => void, askWithinMs?: number) => {
  const asked = askWithinMs === undefined ? {} : { askWithinMs }
  listening = await listenForServices({
    entry,
    folder: '/',
    pageOrigin: () => pageOrigin,
    clock,
    onLink: (link) => {
      link.listen({ frame, drained: () => {}, ended: () => {} })
      return () => {}
    },
    ...asked,
  })
  return listening.addresses[0] ?? ''
}
const opened = async (url: string, options: ClientOptions = {}) => {
  const socket = new WebSocket(url, ['fernlab.rpc.1.json'], options)
  await once(socket, 'open')
  return socket
}

test('who has lost power answers no ping, and is left; who answers stays', async () => {
  const clock = new ManualClock()
  let heard = (_: Frame) => {}
  const url = await listen(clock, (frame) => heard(frame))
  const awake = await opened(url)
  const lost = await opened(url, { autoPong: false })
  const left = once(lost, 'close')
  for (let round = 0; round < 2; round++) {
    const asked = [once(awake, 'ping'), ...(round === 0 ? [once(lost, 'ping')] : [])]
    await clock.advance(PING_MS)
    await Promise.all(asked)
    if (round === 1) await left
    // What comes behind its answer has come.
    const arrived = new Promise<Frame>((resolve) => {
      heard = resolve
    })
    awake.send(`round ${round}`)
    assert.is(await arrived, `round ${round}`)
  }
  awake.terminate()
})

test('nothing is longer than a piece of a message', async () => {
  const frames: Frame[] = []
  const socket = await opened(await listen(new ManualClock(), (frame) => void frames.push(frame)))
  const over = once(socket, 'close')
  const piece = `.4294967295:${'語'.repeat(PIECE_BYTES)}`
  socket.send(piece)
  socket.send('x'.repeat(3 * PIECE_BYTES + 65))
  socket.close()
  // RFC 6455, 7.4.1: too big.
  assert.is((await over)[0], 1009)
  assert.equal([frames.length, frames[0] === piece], [1, true])
})

test('who does not come to ask for anything is left', async () => {
  const { port } = new URL(await listen(new ManualClock(), () => {}, 200))
  const socket = connect(Number(port), '127.0.0.1')
  let answer = ''
  socket.on('data', (data) => {
    answer += data
  })
  socket.write('GET /rpc HTTP/1.1\r\nHost: n1\r\nX-Slow: ')
  await once(socket, 'close')
  assert.match(answer, /^HTTP\/1\.1 408 /)
})

test("the hub's page comes in once the hub has told of it, and no other", async () => {
  const url = await listen(new ManualClock(), () => {})
  const lab = { origin: 'https://lab.example.edu' }
  const outcome = (options: ClientOptions) =>
    opened(url, options).then(
      () => 'open',
      ({ message }) => message,
    )
  assert.match(await outcome(lab), /403/)
  pageOrigin = lab.origin
  assert.is(await outcome(lab), 'open')
  assert.match(await outcome({ origin: 'https://evil.example.org' }), /403/)
  pageOrigin = 'http://127.0.0.1:18080'
  // It is the same page, whichever name of its own machine the browser was given.
  for (const name of ['127.0.0.1', 'localhost', '[::1]'])
    assert.is(await outcome({ origin: `http://${name}:18080` }), 'open')
  for (const other of ['http://localhost:8080', 'https://localhost:18080', 'http://192.0.2.1:18080'])
    assert.match(await outcome({ origin: other }), /403/)
})

test.run()
