/** Whoever may only read takes nothing from others, however much is asked for. */
import { fork } from 'node:child_process'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { type Peer, SIGN_IN } from '@fernlab/shared/rpc/peer/peer'
import * as assert from 'uvu/assert'
import { WebSocket } from 'ws'
import { rejection } from '../../contract/driver-contract.ts'
import { nodeFileAlone, startTestNode, type TestNode } from '../../support/edge/node.ts'
import { onMachine, overNetwork } from '../../support/edge/service-clients.ts'
import { suite } from '../../support/suite.ts'

const test = suite('greedy clients of services', { timeoutMs: 60_000 })
const GREEDY = fileURLToPath(new URL('../../support/edge/greedy-batches.ts', import.meta.url))
let node: TestNode
let owner: Peer
const peers: Peer[] = []

test.before(async () => {
  const services = { listen: { host: '127.0.0.1', port: 0, announce: false } }
  node = await startTestNode(undefined, { config: { object: { ...nodeFileAlone(), services } } })
  owner = await onMachine(node.dataFolder)
})
test.after.each(async () => {
  for (const peer of peers.splice(0)) await peer.close()
})
test.after(async () => {
  await owner.close()
  await node.remove()
})

const url = () => node.edge.services.addresses[0] ?? ''
const tokenOf = async (person: string, rights = ['read']) =>
  ((await owner.call('node/token', { person, services: ['*'], rights })) as { token: string }).token
const join = async (token: string): Promise<Peer> => {
  const peer = await overNetwork(url(), token)
  peers.push(peer)
  return peer
}
const follow = (rateHz: number) => ['bench-1.psu/signals.follow', { signals: ['voltage'], rateHz }] as const

/** Takes all that comes; resolves with the code of the error that ends it. */
async function takeAll(peer: Peer, rateHz: number): Promise<string> {
  const [method, params] = follow(rateHz)
  return (
    await rejection(
      (async () => {
        for await (const _ of peer.stream(method, params, { credit: 1024 })) taken++
      })(),
    )
  ).code
}
let taken = 0

test('a rate that nobody needs is refused with what may be had', async () => {
  const peer = await join(await tokenOf('bob'))
  for (const rateHz of [101, 1e9, 0, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
    const [method, params] = follow(rateHz)
    const error = await rejection(peer.stream(method, params).next())
    assert.is(error.code, 'call-invalid')
    assert.equal(error.issues, [{ path: 'rateHz', message: 'must be a number above 0 and at most 100' }])
  }
})

test('thousands of streams of one person leave a neighbour its answers, and the node its time', async () => {
  const neighbour = await join(await tokenOf('bob'))
  const token = await tokenOf('eve')
  const greedy = await Promise.all(Array.from({ length: 8 }, () => join(token)))
  const ends: string[] = []
  for (let n = 0; n < 4000; n++) {
    void takeAll(greedy[n % 8] as Peer, n % 2 === 0 ? 100 : 1).then((code) => void ends.push(code))
  }
  for (let turn = 0; turn < 1500 && ends.length < 3744; turn++) await sleep(20)
  assert.ok(ends.length >= 3744, `${ends.length} of 4000 were refused`)
  assert.equal([...new Set(ends)], ['link-busy'])
  assert.ok(node.edge.services.counts.calls <= 256)
  const delay = monitorEventLoopDelay({ resolution: 1 })
  delay.enable()
  const before = taken
  const answeredMs: number[] = []
  for (const began = performance.now(); performance.now() - began < 2000; ) {
    const asked = performance.now()
    await neighbour.call('bench-1.psu/signals.read', { signals: ['voltage'] })
    answeredMs.push(performance.now() - asked)
  }
  delay.disable()
  const middle = (of: number[]) => of.sort((a, b) => a - b)[of.length >> 1] ?? Number.NaN
  const told = `a neighbour waits ${middle(answeredMs)} ms, the loop is late by ${delay.percentile(50) / 1e6} ms`
  assert.ok(middle(answeredMs) < 10, told)
  assert.ok(delay.percentile(50) / 1e6 < 20, told)
  // What one person follows is read so often together, and does go on.
  const perSecond = (taken - before) / 2
  assert.ok(perSecond > 200 && perSecond <= 1100, `${perSecond} readings a second`)
})

test('messages without an end have so much memory of a person together, who is told so; a neighbour sends long ones', async () => {
  const neighbour = await join(await tokenOf('bob'))
  const token = await tokenOf('eve')
  const said: string[] = []
  const sockets: WebSocket[] = []
  const text = 'x'.repeat(60_000)
  let sent = 0
  for (let n = 0; n < 6; n++) {
    const socket = new WebSocket(url(), ['fernlab.rpc.1.json'])
    sockets.push(socket)
    await new Promise((resolve) => socket.once('open', resolve))
    socket.send(JSON.stringify({ jsonrpc: '2.0', id: 1, method: SIGN_IN, params: { token } }))
    await new Promise((resolve) => socket.once('message', resolve))
    socket.on('message', (data) => void said.push(String(data)))
    for (let piece = 0; piece < 600; piece++, sent++) {
      if (socket.readyState !== WebSocket.OPEN) break
      socket.send(`+1:${text}`)
      if (piece % 20 === 0) await sleep(1)
    }
  }
  for (let turn = 0; turn < 500 && said.length === 0; turn++) await sleep(20)
  assert.ok(said.length > 0, `${sent} pieces were kept`)
  for (const words of said)
    assert.match(words, /"link-busy".*of one person's messages|of one person's messages.*"link-busy"/)
  assert.ok(sockets.some(({ readyState }) => readyState !== WebSocket.OPEN))
  // A long message of another is read to its end, and refused for what it says alone.
  const long = neighbour.call('bench-1.psu/signals.read', { signals: ['y'.repeat(5_000_000)] })
  assert.is((await rejection(long)).code, 'call-invalid')
  for (const socket of sockets) socket.terminate()
})

/** How late the node's loop is, and how long a neighbour waits for a reading, for so long. */
async function measured(neighbour: Peer, forMs: number) {
  const delay = monitorEventLoopDelay({ resolution: 1 })
  const waitedMs: number[] = []
  delay.enable()
  for (const began = performance.now(); performance.now() - began < forMs; ) {
    const asked = performance.now()
    await neighbour.call('bench-1.psu/signals.read', { signals: ['voltage'] })
    waitedMs.push(performance.now() - asked)
  }
  delay.disable()
  waitedMs.sort((a, b) => a - b)
  const lateMs = (percent: number) => Math.round(delay.percentile(percent) / 1e5) / 10
  return { p99: lateMs(99), most: lateMs(100), waits: waitedMs[Math.floor(waitedMs.length * 0.99)] ?? Number.NaN }
}

test('batches with very large answers, one after another, leave a neighbour its readings and the node its time', async () => {
  const neighbour = await join(await tokenOf('bob'))
  // How late a process is that does so much as well, 5 ms at a time: other programs of the machine have their part in it.
  let isOver = false
  const busy = () => {
    for (const began = performance.now(); performance.now() - began < 5; );
    if (!isOver) setImmediate(busy)
  }
  busy()
  const fair = await measured(neighbour, 4000)
  isOver = true
  const token = await tokenOf('eve')
  const greedy = fork(GREEDY, [url(), token])
  try {
    let answered = 0
    greedy.on('message', (calls) => {
      answered += calls as number
    })
    for (let turn = 0; turn < 1000 && answered === 0; turn++) await sleep(20)
    assert.ok(answered > 0, 'batches are answered')
    const before = answered
    const beside = await measured(neighbour, 4000)
    const told = `beside turns of 5 ms ${JSON.stringify(fair)}, beside batches ${JSON.stringify(beside)}`
    assert.ok(answered > before, 'batches are answered meanwhile')
    assert.ok(beside.p99 < fair.p99 + 300, told)
    assert.ok(beside.waits < fair.waits + 400, told)
  } finally {
    const over = new Promise((resolve) => greedy.once('exit', resolve))
    greedy.kill()
    await over
  }
})

test.run()
