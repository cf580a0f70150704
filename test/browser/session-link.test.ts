import * as assert from 'uvu/assert'
import { ApiProblem } from '../../hub/web/src/api/client.ts'
import { openSessionLink } from '../../hub/web/src/session/session-link.ts'
import { suite } from '../support/suite.ts'

const test = suite('the link to a live session')

/** A WebSocket that the test holds in its hand. */
class Handheld extends EventTarget {
  readonly sent: { id: number; method: string; params: unknown }[] = []
  isClosed = false

  send(text: string): void {
    this.sent.push(JSON.parse(text))
  }
  close(): void {
    this.isClosed = true
  }
  open(): void {
    this.dispatchEvent(new Event('open'))
  }
  say(message: object): void {
    this.dispatchEvent(Object.assign(new Event('message'), { data: JSON.stringify({ jsonrpc: '2.0', ...message }) }))
  }
  cut(): void {
    this.dispatchEvent(new Event('close'))
  }
}

function stand({ silenceMs = 60_000 } = {}) {
  const sockets: Handheld[] = []
  const waiting: ((socket: Handheld) => void)[] = []
  const connected: boolean[] = []
  const notices: string[] = []
  const network = new EventTarget()
  const link = openSessionLink({
    connect: () => {
      const socket = new Handheld()
      sockets.push(socket)
      waiting.shift()?.(socket)
      return socket as unknown as WebSocket
    },
    onNotice: ({ name }) => notices.push(name),
    onConnected: (now) => connected.push(now),
    network,
    firstRetryMs: 1,
    silenceMs,
  })
  const next = () => new Promise<Handheld>((resolve) => waiting.push(resolve))
  return { link, sockets, connected, notices, network, next }
}

const refusalOf = async (call: Promise<unknown>): Promise<ApiProblem> => {
  try {
    await call
  } catch (error) {
    if (error instanceof ApiProblem) return error
  }
  throw new Error('it was not refused')
}

test('a call gets its own answer, a refusal its reason, and notices are told', async () => {
  const { link, sockets, notices, connected } = stand()
  const [socket] = sockets
  if (socket === undefined) throw new Error('nothing was opened')
  socket.open()
  const set = link.call('set', { values: { 'psu.voltage': 5 } })
  const chat = link.call('chat', { text: 'hello' })
  const [first, second] = socket.sent
  assert.equal([first?.method, second?.method], ['set', 'chat'])
  const data = { code: 'out', kind: 'caller', message: 'psu: 12 V', studentMessage: 'at most 10 V', retry: 'never' }
  socket.say({ id: second?.id, result: null })
  socket.say({ id: first?.id, error: { code: -32000, message: data.message, data } })
  assert.is(await chat, null)
  const refused = await refusalOf(set)
  assert.equal([refused.code, refused.hint], ['out', 'at most 10 V'])
  socket.say({ method: 'people', params: { people: [] } })
  assert.equal(notices, ['people'])
  assert.equal(connected, [true])
  link.close()
})

test('what was under way when the link is lost is refused, and not sent on the next one', async () => {
  const { link, sockets, connected, next } = stand()
  const [socket] = sockets
  socket?.open()
  const set = link.call('set', { values: { 'psu.voltage': 5 } })
  const another = next()
  socket?.cut()
  assert.is((await refusalOf(set)).code, 'network')
  assert.is((await refusalOf(link.call('chat', { text: 'into the void' }))).code, 'network')
  const second = await another
  second.open()
  assert.equal(second.sent, [])
  assert.equal(connected, [true, false, true])
  socket?.say({ method: 'people', params: {} })
  link.close()
  assert.ok(second.isClosed)
})

test('the network’s own word counts at once: offline ends the link, online opens another', async () => {
  const { link, sockets, connected, network, next } = stand()
  sockets[0]?.open()
  network.dispatchEvent(new Event('offline'))
  assert.equal(connected, [true, false])
  const another = next()
  network.dispatchEvent(new Event('online'))
  ;(await another).open()
  assert.is(sockets.length, 2)
  assert.equal(connected, [true, false, true])
  link.close()
})

test('a link over which no readings come from an active session is given up; who waits may hear nothing', async () => {
  const { link, sockets, connected, next } = stand({ silenceMs: 20 })
  const [socket] = sockets
  socket?.open()
  socket?.say({ method: 'session', params: { state: 'waiting' } })
  const another = next()
  socket?.say({ method: 'session', params: { state: 'active' } })
  await another
  assert.ok(socket?.isClosed)
  assert.equal(connected, [true, false])
  link.close()
})

test.run()
