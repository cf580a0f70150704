import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { ManualClock } from '@fernlab/shared/primitives/clock'
import { asLabError, LabError } from '@fernlab/shared/primitives/lab-error'
import { rpcNotification } from '@fernlab/shared/rpc/envelope'
import { HubClient } from 'fernlab/cli/hub-client'
import { followLive, type LiveNews } from 'fernlab/cli/live-session'
import * as assert from 'uvu/assert'
import { type WebSocket, WebSocketServer } from 'ws'
import { commandLine } from '../../support/command-line.ts'
import { suite } from '../../support/suite.ts'

const test = suite('following a session from the command line')
let hub: Server
const sockets = new WebSocketServer({ noServer: true })
/** What happens to each connection, in order. */
let visits: ((socket: WebSocket) => void)[] = []
/** Answers an upgrade instead, with a status. */
let refusal: number | undefined

const ada = { id: 'ada', name: 'Ada' }
const session = {
  ...{ id: 's1', state: 'active', lab: 'rc', bench: 'n.b', person: ada, partners: [], seconds: 600, mostSeconds: 600 },
  ...{ idleSeconds: 300, createdAt: '2027-01-01T00:00:00.000Z' },
}
const line = (id: string) => ({ id, from: ada, text: `line ${id}`, at: '2027-01-01T00:00:00.000Z' })
const say = (socket: WebSocket, id: string) => socket.send(rpcNotification('chat', line(id)))

test.before(async () => {
  hub = createServer((_request, response) => {
    response.setHeader('connection', 'close').setHeader('content-type', 'application/json')
    response.end(JSON.stringify(session))
  })
  hub.on('upgrade', (request, socket, head) => {
    if (refusal !== undefined) {
      const problem = {
        type: 'about:blank',
        title: 'no',
        status: refusal,
        detail: 'it is full',
        code: 'full',
        hint: 'no',
        retry: refusal === 503 ? 'later' : 'never',
      }
      const body = JSON.stringify(problem)
      const head = `HTTP/1.1 ${refusal} No\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n`
      return void socket.end(`${head}${body}`)
    }
    sockets.handleUpgrade(request, socket, head, (opened) => visits.shift()?.(opened))
  })
  await new Promise<void>((resolve) => hub.listen(0, '127.0.0.1', resolve))
})
test.after(async () => {
  sockets.close()
  await new Promise((resolve) => hub.close(resolve))
})
test.before.each(() => {
  refusal = undefined
})

const hubUrl = () => `http://127.0.0.1:${(hub.address() as AddressInfo).port}`

/** Its waits take no time. */
class HastyClock extends ManualClock {
  override async sleep(ms: number): Promise<void> {
    await this.advance(ms)
  }
}

async function follow(signal = new AbortController().signal, onNews: (...news: LiveNews) => void = () => {}) {
  const heard: string[] = []
  let losses = 0
  let end = 'over'
  try {
    await followLive({
      client: new HubClient({ url: hubUrl(), token: 'token' }),
      id: 's1',
      signal,
      clock: new HastyClock(),
      onNews: (...news) => {
        const [name, params] = news
        if (name === 'chat') heard.push(params.id)
        if (name === 'said') heard.push(...params.lines.map(({ id }) => id))
        onNews(...news)
        return heard.includes('enough')
      },
      onLost: () => void losses++,
    })
  } catch (error) {
    end = asLabError(error).code
  }
  return { heard, losses, end }
}

test('a lost connection is opened again, and each line of the chat comes once', async () => {
  visits = [
    (socket) => {
      say(socket, '1')
      say(socket, '2')
      socket.close(1011)
    },
    (socket) => socket.close(4408, 'too little was taken'),
    (socket) => {
      socket.send(rpcNotification('said', { lines: ['1', '2', '3'].map(line) }))
      say(socket, '3')
      say(socket, '4')
      socket.close(4410)
    },
  ]
  assert.equal(await follow(), { heard: ['1', '2', '3', '4'], losses: 2, end: 'over' })
})

test('it ends with enough, with the sign-in, with a refusal, and when the person leaves', async () => {
  visits = [(socket) => say(socket, 'enough'), (socket) => socket.close(4401), (socket) => say(socket, '1')]
  assert.is((await follow()).end, 'over')
  assert.is((await follow()).end, 'sign-in-ended')
  const leaving = new AbortController()
  const left = new LabError({ code: 'interrupted-by-person', kind: 'caller', message: 'left' })
  assert.is((await follow(leaving.signal, () => leaving.abort(left))).end, 'interrupted-by-person')
  refusal = 403
  assert.equal(await follow(), { heard: [], losses: 0, end: 'full' })
})

test('a hub that stays away is given up', async () => {
  refusal = 503
  assert.equal(await follow(), { heard: [], losses: 1, end: 'full' })
})

test('a wait in a pipe ends with the session', async () => {
  let end = () => {}
  visits = [
    (socket) => {
      end = () => socket.close(4410, 'over')
    },
  ]
  const line = () => {
    end()
    return 'wait 3600'
  }
  const env = { FERNLAB_HUB: hubUrl(), FERNLAB_TOKEN: 'token' }
  const driven = await commandLine(['session', 'drive', 's1'], { env, lines: [line] })
  assert.is(driven.code, 1)
  assert.match(driven.err, /session s1 was over before all commands were done/)
})

test.run()
