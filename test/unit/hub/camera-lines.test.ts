import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createCameraLines, type Looker } from '@fernlab/hub/cameras/camera-lines'
import { pictureMessage, readPicture } from '@fernlab/shared/contracts/picture-messages'
import { ManualClock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { silentLog } from '@fernlab/shared/primitives/log'
import * as assert from 'uvu/assert'
import { WebSocket } from 'ws'
import { suite } from '../../support/suite.ts'

const test = suite('lines of cameras', { timeoutMs: 10_000 })
const closing: (() => void)[] = []
test.after.each(() => {
  for (const close of closing.splice(0)) close()
})

/** A hub's lines with one session, and whoever plays its node. */
async function make() {
  const clock = new ManualClock()
  const asked: { token: string; part: string }[] = []
  let isActive = true
  let refusal: LabError | undefined
  let changed: (change: { runId: string; kind: 'state' }) => void = () => {}
  const lines = createCameraLines({
    sessions: {
      seat: () => {
        if (isActive) return { node: 'kitchen', attempt: 1 }
        throw new LabError({ code: 'session-not-active', kind: 'caller', message: 'it is over' })
      },
      onChange: (listener) => {
        changed = listener as typeof changed
        return () => {}
      },
    },
    calls: {
      call: async (_node, _method, params) => {
        asked.push(params as never)
        if (refusal !== undefined) throw refusal
        return {} as never
      },
    },
    publicUrl: () => 'http://127.0.0.1',
    clock,
    log: silentLog,
  })
  const server: Server = createServer()
  server.on('upgrade', (...upgrade) => assert.ok(lines.upgrade(...upgrade)))
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  closing.push(() => {
    lines.stop()
    server.closeAllConnections()
    server.close()
  })
  const seen: number[] = []
  const ended: string[] = []
  const looker: Looker = {
    picture: (message) => seen.push(readPicture(message)?.time ?? Number.NaN),
    ended: ({ code }) => ended.push(code),
  }
  return {
    clock,
    lines,
    asked,
    seen,
    ended,
    looker,
    refuse: (error: LabError | undefined) => {
      refusal = error
    },
    over: () => {
      isActive = false
      changed({ runId: 's', kind: 'state' })
    },
    /** The node connects, with the token of the last call. */
    node: async () => {
      const { port } = server.address() as AddressInfo
      const headers = { authorization: `Bearer ${asked.at(-1)?.token}` }
      const socket = new WebSocket(`ws://127.0.0.1:${port}/camera-line`, { headers })
      closing.push(() => socket.terminate())
      await new Promise((done, fail) => socket.once('open', done).once('error', fail))
      return {
        closed: new Promise<void>((done) => socket.once('close', () => done())),
        show: async (time: number) => {
          const answered = new Promise((done) => socket.once('message', done))
          socket.send(pictureMessage({ time, jpeg: Uint8Array.of(0xff, 0xd8, 0xff, 0xd9) }))
          await answered
        },
        send: (bytes: Uint8Array) => socket.send(bytes),
      }
    },
  }
}

test('all who look at a camera share its line, and who comes later has the newest at once', async () => {
  const { lines, asked, seen, looker, node } = await make()
  lines.look('s', 'view', looker)
  const kitchen = await node()
  await kitchen.show(7)
  lines.look('s', 'view', { ...looker, picture: looker.picture })
  assert.equal(seen, [7, 7])
  assert.is(asked.length, 1)
})

test('a line on which nothing comes any more is given up and asked for again', async () => {
  const { clock, lines, asked, seen, looker, node } = await make()
  lines.look('s', 'view', looker)
  const first = await node()
  await first.show(1)
  await clock.advance(14_900)
  await first.show(2)
  await clock.advance(14_900)
  assert.is(asked.length, 1)
  await clock.advance(200)
  await first.closed
  await new Promise((done) => setImmediate(done))
  await clock.advance(500)
  assert.is(asked.length, 2)
  await (await node()).show(3)
  assert.equal(seen, [1, 2, 3])
})

test('what is no picture ends the line, and the next is asked for', async () => {
  const { clock, lines, asked, seen, looker, node } = await make()
  lines.look('s', 'view', looker)
  const kitchen = await node()
  kitchen.send(Uint8Array.from({ length: 40 }, () => 7))
  await kitchen.closed
  await new Promise((done) => setImmediate(done))
  await clock.advance(500)
  assert.equal([asked.length, seen.length], [2, 0])
})

test('nobody looks: the line is kept for a moment, then ended', async () => {
  const { clock, lines, asked, looker, node } = await make()
  const leave = lines.look('s', 'view', looker)
  const kitchen = await node()
  await kitchen.show(1)
  leave()
  await clock.advance(4000)
  const leaveAgain = lines.look('s', 'view', looker)
  leaveAgain()
  assert.is(asked.length, 1)
  await clock.advance(5000)
  await kitchen.closed
})

test('the end of the session ends it for all, once; a refusal that stays is told at once', async () => {
  const { lines, ended, looker, node, over } = await make()
  lines.look('s', 'view', looker)
  const kitchen = await node()
  over()
  await kitchen.closed
  assert.equal(ended, ['session-not-active'])
  const other = await make()
  other.refuse(new LabError({ code: 'not-a-camera', kind: 'caller', message: 'box is none' }))
  other.lines.look('s', 'box', other.looker)
  await new Promise((done) => setImmediate(done))
  assert.equal(other.ended, ['not-a-camera'])
})

test.run()
