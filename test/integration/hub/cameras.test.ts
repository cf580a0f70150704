import { readPicture } from '@fernlab/shared/contracts/picture-messages'
import type { Session } from '@fernlab/shared/contracts/sessions'
import * as assert from 'uvu/assert'
import { WebSocket } from 'ws'
import { type SlowLine, startSlowLine } from '../../support/slow-line.ts'
import { suite } from '../../support/suite.ts'
import { CAMERA_RATE_HZ, type CameraNode, startCameraNode } from './camera-node.ts'
import { startTestHub, type TestHub, until } from './hub-with-node.ts'
import { newPerson, type TestPerson } from './session-people.ts'

const test = suite('what cameras see', { timeoutMs: 40_000 })
/** What a household sends at most. */
const UPLINK_BITS_PER_S = 1_500_000

let lab: TestHub
let line: SlowLine
let node: CameraNode
let ada: TestPerson
let ben: TestPerson
let staff: TestPerson

test.before(async () => {
  lab = await startTestHub()
  line = await startSlowLine(Number(new URL(lab.hub.httpUrl).port))
  node = await startCameraNode(lab, line.url)
  ada = await newPerson(lab)
  ben = await newPerson(lab)
  staff = await newPerson(lab, 'instructor')
})
test.after(async () => {
  await node.close()
  await line.close()
  await lab.close()
})
test.before.each(() => {
  line.bitsPerS = Number.POSITIVE_INFINITY
  line.delayMs = 0
})

async function drive(who: TestPerson): Promise<Session> {
  const { status, body } = await who.ask('POST', '/api/v1/sessions', { lab: 'oven' })
  assert.ok(status === 201 || status === 200, JSON.stringify(body))
  const { id } = body as Session
  await until(
    async () => ((await who.ask('GET', `/api/v1/sessions/${id}`)).body as Session).state === 'active',
    'it begins',
  )
  return body as Session
}
const finish = async (who: TestPerson, { id }: Session) => {
  await who.ask('DELETE', `/api/v1/sessions/${id}`)
  await until(async () => {
    const { state } = (await (await lab.call('/api/v1/benches/kitchen.oven')).json()) as { state?: string }
    return state === 'free'
  }, 'the bench is free again')
}

interface Viewer {
  /** How old each picture was as it came, in seconds, and when it was seen. */
  readonly seen: { age: number; time: number; bytes: number }[]
  readonly said: string[]
  readonly closed: Promise<number>
  readonly socket: WebSocket
}

/** Looks; rejects with the status of a refusal. */
async function look(id: string, part: string, headers: Record<string, string>, answers = true): Promise<Viewer> {
  const url = `${lab.hub.httpUrl.replace(/^http/, 'ws')}/api/v1/sessions/${id}/cameras/${part}`
  const socket = new WebSocket(url, { headers })
  const viewer: Viewer = {
    seen: [],
    said: [],
    socket,
    closed: new Promise((resolve) => socket.once('close', resolve)),
  }
  socket.on('message', (message: Buffer, binary: boolean) => {
    if (!binary) return void viewer.said.push(message.toString())
    const picture = readPicture(message)
    assert.ok(picture !== undefined)
    viewer.seen.push({ age: Date.now() / 1000 - picture.time, time: picture.time, bytes: picture.jpeg.length })
    if (answers) socket.send('')
  })
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve)
    socket.once('unexpected-response', (_request, response) => {
      socket.terminate()
      reject(Object.assign(new Error(String(response.statusCode)), { status: response.statusCode }))
    })
    socket.once('error', reject)
  })
  return viewer
}
const statusOf = (work: Promise<Viewer>): Promise<number | undefined> =>
  work.then(
    ({ socket }) => void socket.terminate(),
    ({ status }: { status?: number }) => status,
  )
const middle = (values: number[]) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN

test('a picture is less than half a second old where the network is quick, whoever looks besides', async () => {
  const session = await drive(ada)
  const mine = await look(session.id, 'view', ada.bearer)
  const observed = await look(session.id, 'view', staff.bearer)
  const stuck = await look(session.id, 'view', ada.bearer, false)
  await until(async () => mine.seen.length >= 45 && observed.seen.length >= 30, 'three seconds of pictures')
  for (const { seen } of [mine, observed]) {
    const ages = seen.slice(5).map(({ age }) => age)
    assert.ok(Math.max(...ages) < 0.5, `the oldest was ${Math.max(...ages)} s old`)
  }
  const rate = (mine.seen.length - 1) / ((mine.seen.at(-1)?.time ?? 0) - (mine.seen[0]?.time ?? 0))
  assert.ok(rate > 0.8 * CAMERA_RATE_HZ, `${rate} pictures a second`)
  // Who does not answer gets no more, and holds up nobody.
  assert.is(stuck.seen.length, 2)
  assert.equal(node.network.viewers, 1, 'one encoder')
  stuck.socket.terminate()
  await finish(ada, session)
  assert.equal([await mine.closed, await observed.closed], [4410, 4410])
  assert.match(mine.said[0] ?? '', /^\{"code":"session-not-active"/)
})

test('less than a second old from a node behind 1.5 Mbit/s, with fewer pictures instead', async () => {
  line.bitsPerS = UPLINK_BITS_PER_S
  line.delayMs = 30
  const session = await drive(ada)
  const mine = await look(session.id, 'view', ada.bearer)
  await until(async () => mine.seen.length >= 25, 'pictures')
  const settled = mine.seen.slice(5)
  const ages = settled.map(({ age }) => age)
  const bytes = settled.reduce((sum, one) => sum + one.bytes, 0)
  const perS = (bytes * 8) / ((settled.at(-1)?.time ?? 0) - (settled[0]?.time ?? 0))
  assert.ok(Math.max(...ages) < 1, `the oldest was ${Math.max(...ages)} s old`)
  assert.ok(middle(ages) < 0.7, `the median was ${middle(ages)} s`)
  assert.ok(perS > 0.6 * UPLINK_BITS_PER_S, `${perS} bit/s of ${UPLINK_BITS_PER_S}`)
  await finish(ada, session)
})

test('a line that breaks comes back by itself, and nobody who looks has to do anything', async () => {
  const session = await drive(ada)
  const mine = await look(session.id, 'view', ada.bearer)
  await until(async () => mine.seen.length > 3, 'pictures')
  line.cut()
  const before = mine.seen.length
  await until(async () => mine.seen.length > before + 5, 'pictures again')
  assert.equal(mine.said, [])
  await finish(ada, session)
})

test('nobody sees a bench but those who may be in its session, and only while it lasts', async () => {
  const session = await drive(ada)
  const waiting = (await ben.ask('POST', '/api/v1/sessions', { lab: 'oven' })).body as Session
  assert.is(await statusOf(look(session.id, 'view', {})), 401)
  assert.is(await statusOf(look(session.id, 'view', ben.bearer)), 404)
  assert.is(await statusOf(look(session.id, 'view', { ...ada.browser, origin: 'https://elsewhere.example' })), 403)
  assert.is((await ada.ask('GET', `/api/v1/sessions/${session.id}/cameras/view`)).status, 426)
  assert.is((await ben.ask('GET', `/api/v1/sessions/${session.id}/cameras/view`)).status, 404)
  const early = await look(waiting.id, 'view', ben.bearer)
  assert.is(await early.closed, 4410)
  assert.equal([early.seen.length, early.said.length], [0, 1])
  const box = await look(session.id, 'box', ada.bearer)
  assert.is(await box.closed, 4410)
  assert.match(box.said[0] ?? '', /"code":"not-a-camera"/)
  const none = await look(session.id, 'nothing', ada.bearer)
  assert.is(await none.closed, 4410)
  assert.is(none.seen.length, 0)
  await ben.ask('DELETE', `/api/v1/sessions/${waiting.id}`)
  const mine = await look(session.id, 'view', ada.bearer)
  await until(async () => mine.seen.length > 0, 'a picture')
  const forged = new WebSocket(`${lab.hub.httpUrl.replace(/^http/, 'ws')}/camera-line`, {
    headers: { authorization: 'Bearer 00000000000000000000000000.x' },
  })
  const refused = await new Promise((resolve) => {
    forged.once('unexpected-response', (_request, { statusCode }) => resolve(statusCode))
    forged.once('error', resolve)
  })
  forged.on('error', () => {})
  forged.terminate()
  assert.is(refused, 401)
  await finish(ada, session)
})

test('who signs out sees no more', async () => {
  const session = await drive(ada)
  const mine = await look(session.id, 'view', ada.browser)
  await until(async () => mine.seen.length > 0, 'a picture')
  await fetch(`${lab.hub.httpUrl}/api/v1/me/sign-out-everywhere`, { method: 'POST', headers: ada.browser })
  assert.is(await mine.closed, 4401)
  await finish(ada, session)
})

test.run()
