import { createConnection, type WayInUse } from '@fernlab/shared/clients/typescript/connection'
import type { Way } from '@fernlab/shared/clients/typescript/ways/way'
import { localLinks } from '@fernlab/shared/links/local/local-link'
import { type Clock, ManualClock, systemClock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import type { Link, LinkKind } from '@fernlab/shared/rpc/link'
import { Lingering } from '@fernlab/shared/rpc/peer/lingering'
import { createPeer, type Peer } from '@fernlab/shared/rpc/peer/peer'
import type { Serve } from '@fernlab/shared/rpc/peer/serving'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('a client’s connection with a node')

const rejection = (promise: Promise<unknown>): Promise<LabError> =>
  promise.then(
    (value) => assert.unreachable(`it was done: ${JSON.stringify(value)}`) as never,
    (error: LabError) => error,
  )

/** A node that is reached at any address `<kind>:<name>`; what each link did is told. */
function node({ serve = echo, clock = systemClock as Clock } = {}) {
  const open = new Map<string, Peer>()
  const asked: string[] = []
  const down = new Set<string>()
  const deaf = new Set<string>()
  const slowMs = new Map<string, number>()
  const lingering = new Lingering({ clock })
  const way = (kind: LinkKind): Way => ({
    kind,
    refusal: (address) => (address.startsWith(kind) ? undefined : 'other'),
    connect: async (address, signal) => {
      asked.push(address)
      if (down.has(address)) throw new LabError({ code: 'link-unreachable', kind: 'link', message: 'refused' })
      if (address.endsWith('silent')) {
        await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
      }
      const [mine, its] = localLinks()
      const peer = createPeer({
        link: its,
        clock,
        serve,
        signIn: (params, context) => serve('rpc.sign-in', params, context),
        lingering,
        owner: () => 'ada',
      })
      open.set(address, peer)
      peer.onEnd(() => open.delete(address))
      const send = mine.send.bind(mine)
      return Object.assign(mine, {
        kind,
        send: (frame: never) => {
          if (deaf.has(address)) return
          const ms = slowMs.get(address)
          if (ms === undefined) send(frame)
          else setTimeout(send, ms, frame)
        },
      }) as unknown as Link
    },
  })
  return {
    open,
    asked,
    down,
    deaf,
    slowMs,
    lingering,
    ways: [way('unix-socket'), way('websocket'), way('mqtt')],
    clock,
  }
}

const echo: Serve = (method, params) => (method === 'rpc.sign-in' ? {} : params)

const connected = (to: ReturnType<typeof node>, addresses: readonly string[], more = {}) => {
  const taken: (WayInUse | undefined)[] = []
  const connection = createConnection({
    node: 'lab/pi',
    ways: to.ways,
    access: async () => ({ addresses, token: 'a token', ...more }),
    clock: to.clock,
    onWay: (way) => void taken.push(way),
  })
  return { connection, taken }
}

test('takes the nearest way, and opens no other', async () => {
  const pi = node()
  const { connection, taken } = connected(pi, ['mqtt:a', 'websocket:a', 'unix-socket:a'])
  assert.is(await connection.call('echo', 5), 5)
  assert.equal(pi.asked, ['unix-socket:a'])
  assert.is(connection.way?.kind, 'unix-socket')
  assert.is(taken[0]?.address, 'unix-socket:a')
  await connection.close()
  assert.is((await rejection(connection.call('echo', 5))).code, 'link-ended')
})

test('goes to a further way at once where the nearer one refuses, and after a while where it is silent', async () => {
  const pi = node()
  pi.down.add('unix-socket:a')
  const { connection } = connected(pi, ['websocket:a', 'unix-socket:a'])
  await connection.call('echo', 5)
  assert.is(connection.way?.kind, 'websocket')
  await connection.close()

  const clock = new ManualClock()
  const other = node({ clock })
  const late = connected(other, ['websocket:a', 'unix-socket:silent']).connection
  const answer = late.call('echo', 5)
  await clock.advance(249)
  assert.equal(other.asked, ['unix-socket:silent'])
  await clock.advance(1)
  assert.is(other.asked.length, 2)
  // The silent one may still be the nearest, for a moment.
  await clock.advance(50)
  assert.is(await answer, 5)
  assert.is(late.way?.kind, 'websocket')
  await late.close()
})

test('takes the quicker of two addresses of a kind, and closes the other', async () => {
  const pi = node()
  pi.slowMs.set('websocket:far', 5)
  const { connection } = connected(pi, ['websocket:far', 'websocket:near'])
  await connection.call('echo', 5)
  assert.is(connection.way?.address, 'websocket:near')
  assert.equal([...pi.open.keys()], ['websocket:near'])
  await connection.close()
})

test('says why each way failed, and what can not be tried at all', async () => {
  const pi = node()
  pi.down.add('websocket:a')
  const { connection } = connected(pi, ['websocket:a', 'gopher:a'])
  const error = await rejection(connection.call('echo', 5, { timeoutMs: 1 }))
  assert.is(error.code, 'node-unreachable')
  assert.match(
    error.message,
    /lab\/pi can't be reached \(gopher:a: this client knows no way of that kind; websocket:a: refused\)/,
  )
  await connection.close()
})

test('a node that its hub does not hear of either is not waited for; one whose link breaks is', async () => {
  const clock = new ManualClock()
  const pi = node({ clock })
  const goneSince = '2026-11-28T10:00:00.000Z'
  const { connection } = connected(pi, ['websocket:a'], { goneSince })
  pi.down.add('websocket:a')
  const refused = rejection(connection.call('echo', 5))
  for (let ms = 0; ms < 6000; ms += 100) await clock.advance(100)
  const { code, message } = await refused
  assert.is(code, 'node-unreachable')
  assert.is(
    message,
    `lab/pi, which its hub has not heard of since ${goneSince}, can't be reached (websocket:a: refused)`,
  )
  pi.down.clear()
  assert.is(await connection.call('echo', 5), 5)
  pi.down.add('websocket:a')
  await pi.open.get('websocket:a')?.close('it was pulled')
  const later = connection.call('echo', 6)
  for (let ms = 0; ms < 15_000; ms += 500) await clock.advance(500)
  pi.down.clear()
  for (let ms = 0; ms < 3000; ms += 500) await clock.advance(500)
  assert.is(await later, 6)
  await connection.close()
})

test('does not knock at every way with a token that the node refuses', async () => {
  const pi = node({
    serve: () => {
      throw new LabError({ code: 'token-expired', kind: 'caller', message: 'it ended at noon' })
    },
  })
  const { connection } = connected(pi, ['websocket:a', 'mqtt:a'])
  assert.is((await rejection(connection.call('echo', 5))).code, 'token-expired')
  assert.equal(pi.asked, ['websocket:a'])
  assert.is(pi.open.size, 0)
  await connection.close()
})

test('a call that was sent when the way broke is uncertain, and never done twice; one that may be is done by the next way', async () => {
  const done: unknown[] = []
  const pi = node({
    serve: (method, params) => {
      if (method === 'rpc.sign-in') return {}
      done.push(params)
      // Only what comes by the nearer way is cut off.
      if (pi.down.has('unix-socket:a')) return params
      pi.down.add('unix-socket:a')
      void pi.open.get('unix-socket:a')?.close('pulled out')
      return new Promise(() => {})
    },
  })
  const { connection, taken } = connected(pi, ['unix-socket:a', 'websocket:a'])
  assert.is((await rejection(connection.call('step', 1))).code, 'call-uncertain')
  assert.equal(done, [1])
  assert.is(await connection.call('step', 2), 2)
  assert.is(connection.way?.kind, 'websocket')

  pi.down.clear()
  await pi.open.get('websocket:a')?.close('pulled out')
  assert.is(await connection.call('step', 3, { idempotent: true }), 3)
  assert.equal(done, [1, 2, 3, 3])
  assert.equal(
    taken.map((way) => way?.kind),
    ['unix-socket', undefined, 'websocket', undefined, 'unix-socket', undefined, 'websocket'],
  )
  await connection.close()
})

test('an error of a service that has the name of a broken link is the service’s, and repeats nothing', async () => {
  let done = 0
  const pi = node({
    serve: (method) => {
      if (method === 'rpc.sign-in') return {}
      done++
      throw new LabError({ code: 'link-ended', kind: 'link', message: 'the instrument hung up' })
    },
  })
  const { connection } = connected(pi, ['websocket:a'])
  assert.match((await rejection(connection.call('step', 1, { idempotent: true }))).message, /hung up/)
  assert.is(done, 1)
  await connection.close()
})

test('a stream that lingers goes on by another way without a gap, one that does not ends', async () => {
  async function* count() {
    for (let n = 1; n <= 200; n++) yield n
  }
  const pi = node({ serve: (method) => (method === 'rpc.sign-in' ? {} : count()) })
  const { connection } = connected(pi, ['unix-socket:a', 'websocket:a'])
  const items: unknown[] = []
  for await (const item of connection.stream('count', undefined, { lingerMs: 10_000, credit: 8 })) {
    items.push(item)
    if (items.length !== 50) continue
    pi.down.add('unix-socket:a')
    await pi.open.get('unix-socket:a')?.close('pulled out')
  }
  assert.equal(
    items,
    Array.from({ length: 200 }, (_, index) => index + 1),
  )
  assert.is(connection.way?.kind, 'websocket')

  const cut = async () => {
    for await (const item of connection.stream('count', undefined, { credit: 8 })) {
      if (item === 20) await pi.open.get('websocket:a')?.close('pulled out')
    }
  }
  assert.is((await rejection(cut())).code, 'call-uncertain')
  await connection.close()
})

test('a stream is not followed on where its service came back as another', async () => {
  async function* count() {
    for (let n = 1; n <= 200; n++) yield n
  }
  const pi = node({ serve: (method) => (method === 'rpc.sign-in' ? {} : count()) })
  const { connection } = connected(pi, ['websocket:a'])
  const met = new Set<Peer>()
  const verify = async (peer: Peer) => {
    if (met.add(peer).size > 1) throw new LabError({ code: 'contract-changed', kind: 'caller', message: 'another' })
  }
  const items: unknown[] = []
  const follow = async () => {
    for await (const item of connection.stream('count', undefined, { lingerMs: 10_000, credit: 8, verify })) {
      if (items.push(item) === 50) await pi.open.get('websocket:a')?.close('pulled out')
    }
  }
  assert.is((await rejection(follow())).code, 'contract-changed')
  assert.ok(items.length < 100)
  await connection.close()
  pi.lingering.close()
})

test('signs in again before its token ends, on the same link', async () => {
  const clock = new ManualClock()
  const tokens: unknown[] = []
  const pi = node({
    clock,
    serve: (method, params) => {
      if (method === 'rpc.sign-in') tokens.push((params as { token: unknown }).token)
      return {}
    },
  })
  let asked = 0
  const connection = createConnection({
    node: 'lab/pi',
    ways: pi.ways,
    access: async () => ({ addresses: ['websocket:a'], token: `token ${++asked}`, lastsMs: 600_000 }),
    clock,
  })
  const answer = connection.call('echo', 1)
  await clock.advance(0)
  await answer
  // Links in a process want a turn of the machine now and then.
  for (let second = 0; second < 539; second++) {
    await clock.advance(1000)
    await new Promise((resolve) => setImmediate(resolve))
  }
  await clock.advance(999)
  assert.equal(tokens, ['token 1'])
  await clock.advance(1)
  assert.equal(tokens, ['token 1', 'token 2'])
  assert.equal(pi.asked, ['websocket:a'])
  await connection.close()
})

test('a link whose other end has gone without a word is left, and its stream goes on by another', async () => {
  const clock = new ManualClock()
  async function* count() {
    for (let n = 1; ; n++) yield n
  }
  const pi = node({ clock, serve: (method) => (method === 'rpc.sign-in' ? {} : count()) })
  const { connection } = connected(pi, ['unix-socket:a', 'websocket:a'])
  const items = connection.stream('count', undefined, { lingerMs: 60_000, credit: 4 })
  const first = items.next()
  await clock.advance(0)
  assert.is((await first).value, 1)
  pi.deaf.add('unix-socket:a')
  const rest: unknown[] = []
  void (async () => {
    for await (const item of items) if (rest.push(item) === 20) break
  })()
  await clock.advance(19_000)
  assert.ok(rest.length < 20)
  pi.down.add('unix-socket:a')
  await clock.advance(2000)
  for (let turn = 0; turn < 200 && rest.length < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
  assert.equal(
    rest,
    Array.from({ length: 20 }, (_, index) => index + 2),
  )
  assert.is(connection.way?.kind, 'websocket')
  await connection.close()
})

const away = () => new LabError({ code: 'hub-unreachable', kind: 'link', retry: 'later', message: 'the hub is away' })

/** With what gives access in the test's hands. */
function opened(pi: ReturnType<typeof node>, access: () => Promise<{ token: string; lastsMs: number }>) {
  return createConnection({
    node: 'lab/pi',
    ways: pi.ways,
    access: async () => ({ addresses: ['websocket:a'], ...(await access()) }),
    clock: pi.clock,
  })
}

test('a token that still holds opens the node again while nobody can be asked for another', async () => {
  const pi = node()
  let isAway = false
  const connection = opened(pi, async () => {
    if (isAway) throw away()
    return { token: 'a token', lastsMs: 3_600_000 }
  })
  await connection.call('echo', 1)
  isAway = true
  // The first try fails as well: then it is asked for in vain.
  pi.down.add('websocket:a')
  await pi.open.get('websocket:a')?.close('pulled out')
  assert.is((await rejection(connection.call('echo', 2, { timeoutMs: 50 }))).kind, 'link')
  assert.is((await rejection(connection.renew())).code, 'hub-unreachable')
  pi.down.clear()
  assert.is(await connection.call('echo', 3), 3)
  await connection.close()
})

test('a token that was revoked is replaced by a new one, once', async () => {
  const shown: unknown[] = []
  let refuses = false
  const pi = node({
    serve: (method, params) => {
      if (method !== 'rpc.sign-in') return params
      const { token } = params as { token: string }
      shown.push(token)
      if (refuses && token === 'token 1')
        throw new LabError({ code: 'token-revoked', kind: 'caller', message: 'it was revoked' })
      return {}
    },
  })
  let count = 0
  const connection = opened(pi, async () => ({ token: `token ${++count}`, lastsMs: 3_600_000 }))
  await connection.call('echo', 1)
  refuses = true
  await pi.open.get('websocket:a')?.close('revoked')
  assert.is(await connection.call('echo', 2), 2)
  assert.equal(shown, ['token 1', 'token 1', 'token 2'])
  await connection.close()
})

test('a link that is kept is there again after a break, without a call', async () => {
  const pi = node()
  const { connection, taken } = connected(pi, ['websocket:a'])
  const letGo = await connection.keep()
  assert.is(connection.way?.kind, 'websocket')
  const back = () => taken.filter((way) => way !== undefined).length
  await pi.open.get('websocket:a')?.close('pulled out')
  while (back() < 2) await new Promise((resolve) => setImmediate(resolve))
  assert.is(connection.way?.kind, 'websocket')
  letGo()
  await pi.open.get('websocket:a')?.close('pulled out')
  await new Promise((resolve) => setTimeout(resolve, 20))
  assert.is(connection.way, undefined)
  await connection.close()
})

test('what was given while a link was being opened is shown there last', async () => {
  const shown: unknown[] = []
  let signedIn: (() => void) | undefined
  const pi = node({
    serve: (method, params) => {
      if (method !== 'rpc.sign-in') return params
      shown.push((params as { token: string }).token)
      return shown.length > 1 ? {} : new Promise((resolve) => (signedIn = () => resolve({})))
    },
  })
  let count = 0
  const connection = opened(pi, async () => ({ token: `token ${++count}`, lastsMs: 3_600_000 }))
  const call = connection.call('echo', 1)
  while (signedIn === undefined) await new Promise((resolve) => setImmediate(resolve))
  await Promise.all([connection.renew(), connection.renew()])
  signedIn()
  assert.is(await call, 1)
  assert.equal(shown, ['token 1', 'token 3'])
  await connection.close()
})

test('a call ends within its time also while the node is still being looked for, and is not sent later', async () => {
  const done: unknown[] = []
  const pi = node({
    serve: (method, params) => {
      if (method !== 'rpc.sign-in') done.push(params)
      return {}
    },
  })
  let give: (() => void) | undefined
  const connection = opened(
    pi,
    () => new Promise((resolve) => (give = () => resolve({ token: 'late', lastsMs: 3_600_000 }))),
  )
  const error = await rejection(connection.call('set', 'on', { timeoutMs: 20 }))
  assert.equal([error.code, error.message], ['deadline-exceeded', 'lab/pi was not reached in time; nothing was sent'])
  give?.()
  await connection.call('set', 'off')
  assert.equal(done, ['off'])
  await connection.close()
})

test.run()
