import { execFileSync } from 'node:child_process'
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ServiceLog } from '@fernlab/shared/contracts/service-log'
import type { AnnouncedService, ServiceToken } from '@fernlab/shared/contracts/services'
import { encode } from '@fernlab/shared/links/codec'
import { systemClock } from '@fernlab/shared/primitives/clock'
import { type Peer, SIGN_IN } from '@fernlab/shared/rpc/peer/peer'
import { SignJWT } from 'jose'
import * as assert from 'uvu/assert'
import { WebSocket } from 'ws'
import { rejection } from '../../contract/driver-contract.ts'
import { nodeFile, startTestNode, type TestNode, type TestNodeOptions } from '../../support/edge/node.ts'
import { type ScriptedHub, SITE, startScriptedHub } from '../../support/edge/scripted-hub.ts'
import { claimsOf, ended, onMachine, overNetwork, signer } from '../../support/edge/service-clients.ts'
import { suite } from '../../support/suite.ts'

const test = suite('services of a node', { timeoutMs: 30_000 })
let hub: ScriptedHub | undefined
let node: TestNode
const peers: Peer[] = []
const key = signer()

test.after.each(async () => {
  for (const peer of peers.splice(0)) await peer.close()
  await node.remove()
  await hub?.close()
  hub = undefined
})

const listen = { host: '127.0.0.1', port: 0, origins: ['https://lab.example.edu'] }
const config = (more: object = {}, benches = 2) => {
  const file = nodeFile(benches) as { benches: Record<string, object> }
  const first = { ...file.benches['bench-1'], limits: { 'psu.voltage': { high: 5 } } }
  return { object: { ...file, benches: { ...file.benches, 'bench-1': first }, services: { listen }, ...more } }
}
/** A node that a hub knows; it is synced when this resolves. */
const withHub = async (options: TestNodeOptions = {}): Promise<ScriptedHub> => {
  hub = await startScriptedHub('n1')
  hub.serviceKeys = [key.key]
  const there = hub
  node = await startTestNode(there, { config: config(), ...options })
  await there.until('it has told of its services', () => there.services.at(-1)?.services.every(isUp) === true)
  return there
}
/** One that has none. */
const alone = async (options: TestNodeOptions = {}) => {
  const { hub: _, ...file } = config().object as unknown as { hub: unknown }
  node = await startTestNode(undefined, { config: { object: file }, ...options })
  const peer = await local()
  await until('its benches are free', async () =>
    ((await peer.call('node/services')) as AnnouncedService[]).every(isUp),
  )
}
const isUp = ({ state }: AnnouncedService) => state === 'up'
const until = async (what: string, holds: () => boolean | Promise<boolean>) => {
  for (let turn = 0; turn < 1000; turn++) {
    if (await holds()) return
    await sleep(10)
  }
  throw new Error(`it never came: ${what}`)
}
const keep = (peer: Peer): Peer => {
  peers.push(peer)
  return peer
}
const local = async () => keep(await onMachine(node.dataFolder))
const url = () => node.edge.services.addresses[0] ?? ''
const remote = async (token: string, graceS?: number) => keep(await overNetwork(url(), token, graceS))
const code = async (work: Promise<unknown>) => (await rejection(work)).code
const take = async (there: ScriptedHub, bench = 'bench-1') =>
  ((await there.call('lease.take', { bench, holder: 'ada', fence: Date.now(), ttlMs: 60_000 })) as { lease: string })
    .lease
const holdToken = async (there: ScriptedHub, bench = 'bench-1', more: Partial<ServiceToken> = {}) =>
  await key.sign({ services: [`${bench}.*`], hold: { bench, lease: await take(there, bench) }, ...more })
const set = (peer: Peer, value: number, part = 'bench-1.psu') =>
  peer.call(`${part}/signals.set`, { signal: 'voltage', value })
const read = (peer: Peer, part = 'bench-1.psu') => peer.call(`${part}/signals.read`, { signals: ['voltage'] })
const benchIs = (state: string, name = 'bench-1') =>
  until(`${name} is ${state}`, () => node.edge.benches.get(name)?.status.state === state)

test('who has the bench sets it within its limits; who has not only reads, and not beside a holder', async () => {
  const there = await withHub()
  const reader = await remote(await key.sign({ rights: ['read', 'use'], sub: 'bob' }))
  assert.equal(Object.keys((await read(reader)) as object), ['voltage'])
  assert.is(await code(set(reader, 1)), 'bench-not-held')
  const holder = await remote(await holdToken(there))
  assert.is(await code(set(reader, 1)), 'bench-held')
  assert.is(await code(read(reader)), 'bench-busy')
  await set(holder, 4)
  const readings = (await read(holder)) as { voltage: { value: number } }
  assert.is(readings.voltage.value, 4)
  // The instrument would take it, the bench does not: its contract says so.
  assert.match((await rejection(set(holder, 6))).message, '6 V is above the limit of 5 V')
  const told = there.services.at(-1)?.services.find(({ name }) => name === 'bench-1.psu')
  assert.equal(told?.contract.signals.voltage?.limits, { low: 0, high: 5 })
  assert.equal((await holder.call('bench-1.psu/contract.get')) as object, told?.contract)
  assert.is(await code(set(holder, 1, 'bench-2.psu')), 'service-not-in-token')
  await until('the hub knows', () => there.services.at(-1)?.services[0]?.lock?.owner === 'ada')
})

test('a token that is not for this, or not for now, opens nothing', async () => {
  const there = await withHub()
  const now = Math.floor(Date.now() / 1000)
  const hold = { bench: 'bench-1', lease: await take(there) }
  const used = await key.sign({ hold })
  await there.call('lease.release', hold)
  const unsigned = [{ alg: 'none', kid: 'hub-1' }, claimsOf()].map((part) =>
    Buffer.from(JSON.stringify(part)).toString('base64url'),
  )
  const symmetric = (secret: Uint8Array) =>
    new SignJWT({ ...claimsOf() }).setProtectedHeader({ alg: 'HS256', kid: 'hub-1' }).sign(secret)
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
  const good = await key.sign()
  const [head, body, signature] = good.split('.')
  const others = Buffer.from(JSON.stringify(claimsOf({ sub: 'eve' }))).toString('base64url')
  const table: [what: string, code: string, token: unknown][] = [
    ['expired', 'token-expired', await key.sign({ iat: now - 600, exp: now - 1 })],
    ['of the future', 'token-not-yet', await key.sign({ iat: now + 300, exp: now + 600 })],
    ['for another node', 'token-foreign', await key.sign({ aud: `${SITE}/n2` })],
    ['for another site', 'token-foreign', await key.sign({ aud: 'other/n1' })],
    ['of the owner of the machine', 'token-invalid', await key.sign({ sub: 'local' })],
    ['of another issuer', 'token-invalid', await key.sign({ iss: 'other' })],
    ['of the node, by the hub', 'token-invalid', await key.sign({ iss: `${SITE}/n1` })],
    ['by another key', 'token-invalid', await signer().sign()],
    ['by a key that nobody knows', 'token-invalid', await signer('hub-2').sign()],
    ['by no key', 'token-invalid', await key.sign({}, { kid: undefined })],
    ['without a signature', 'token-invalid', `${unsigned.join('.')}.`],
    ['with the public key as a secret', 'token-invalid', await symmetric(Buffer.from(key.key.x, 'base64url'))],
    ['with its text as a secret', 'token-invalid', await symmetric(new TextEncoder().encode(key.key.x))],
    [
      'by RSA',
      'token-invalid',
      await new SignJWT({ ...claimsOf() }).setProtectedHeader({ alg: 'RS256', kid: 'hub-1' }).sign(rsa),
    ],
    ['with another body', 'token-invalid', [head, others, signature].join('.')],
    ['cut off', 'token-invalid', [head, body].join('.')],
    ['for a year', 'token-invalid', await key.sign({ exp: now + 365 * 86_400 })],
    ['until no time', 'token-invalid', await key.sign({ exp: 1e300 })],
    ['without services', 'token-invalid', await key.sign({ services: [] })],
    ['with a right that there is not', 'token-invalid', await key.sign({ rights: ['all' as 'read'] })],
    ['after its hold', 'hold-ended', used],
    ['of a hold of another bench', 'hold-ended', await key.sign({ hold: { ...hold, bench: 'bench-2' } })],
    ['of 10 kB', 'token-invalid', 'a'.repeat(10_000)],
    ['no text', 'token-invalid', { token: good }],
    ['missing', 'token-invalid', undefined],
  ]
  for (const [what, expected, token] of table) {
    const peer = keep(await overNetwork(url()))
    const error = await rejection(peer.call(SIGN_IN, { token }))
    assert.is(error.code, expected, `${what}: ${error.message}`)
    if (typeof token === 'string') assert.not.ok(error.message.includes(token), what)
    assert.is(await code(read(peer)), 'sign-in-required', what)
  }
  const peer = keep(await overNetwork(url()))
  assert.is(await code(read(peer)), 'sign-in-required')
  assert.equal(((await peer.call(SIGN_IN, { token: good })) as { person: string }).person, 'ada')
  // As somebody else it stays what it was.
  assert.is(await code(peer.call(SIGN_IN, { token: await key.sign({ sub: 'eve' }) })), 'signed-in-as-another')
  await read(peer)
})

test('rights and names of a token are those of each call', async () => {
  await withHub()
  const peer = await remote(await key.sign({ services: ['bench-1.*'], rights: ['read'] }))
  const table: [method: string, params: object, code: string][] = [
    ['bench-1.psu/signals.set', { signal: 'voltage', value: 1 }, 'right-missing'],
    ['bench-1.psu/pulse', { length: 1 }, 'right-missing'],
    ['bench-2.psu/signals.read', { signals: ['voltage'] }, 'service-not-in-token'],
    ['bench-1x.psu/signals.read', { signals: ['voltage'] }, 'service-not-in-token'],
    ['bench-1.*/signals.read', { signals: ['voltage'] }, 'service-unknown'],
    ['bench-1.../signals.read', { signals: ['voltage'] }, 'service-unknown'],
    ['../bench-1.psu/signals.read', { signals: ['voltage'] }, 'service-not-in-token'],
    [`bench-1.${'a'.repeat(10_000)}/signals.read`, { signals: ['voltage'] }, 'rpc-unreadable'],
    [`bench-1.psu/${'a'.repeat(10_000)}`, {}, 'rpc-unreadable'],
    ['bench-1.psu/../node.daemons/down', {}, 'right-missing'],
    ['bench-1.psu/signals.read', { signals: ['__proto__'] }, 'call-invalid'],
    ['bench-1.psu/signals.read', { signals: ['../voltage', '*'] }, 'call-invalid'],
    ['bench-1.psu/close', {}, 'right-missing'],
    ['node/lock', { services: ['bench-1.psu'] }, 'right-missing'],
    ['node/unlock', { services: ['bench-2.psu'] }, 'right-missing'],
  ]
  for (const [method, params, expected] of table) {
    const error = await rejection(peer.call(method, params))
    assert.is(error.code, expected, `${method}: ${error.message}`)
  }
  const names = ((await peer.call('node/services')) as AnnouncedService[]).map(({ name }) => name)
  assert.equal(names, ['bench-1.psu'])
  const outcome = await peer.batch([
    ['bench-1.psu/signals.read', { signals: ['voltage'] }],
    ['bench-1.psu/signals.set', { signal: 'voltage', value: 1 }],
  ])
  assert.equal(
    outcome.map((one) => ('error' in one ? one.error?.code : 'ok')),
    ['ok', 'right-missing'],
  )
  assert.is(node.instrument().sets('voltage').includes(1), false)
})

test('a hold that ends and a person who is shut out close their links, also after a start', async () => {
  const there = await withHub()
  const lease = await take(there)
  const token = await key.sign({ hold: { bench: 'bench-1', lease } })
  const holder = await remote(token)
  const other = await remote(await key.sign({ sub: 'bob' }))
  const left = ended(holder)
  await there.call('lease.release', { bench: 'bench-1', lease })
  assert.match(await left, /hold-ended/)
  await read(other)
  const bobs = await key.sign({ sub: 'bob' })
  const stays = await remote(await key.sign({ sub: 'cy' }))
  const shut = ended(other)
  assert.equal(await there.call('services.revoke', { people: ['bob'] }), { closed: 1 })
  assert.match(await shut, /token-revoked/)
  await read(stays)
  assert.is(await code(remote(bobs)), 'token-revoked')
  node = await node.restart()
  await until('the keys are known', () => node.edge.services.addresses.length > 0)
  assert.is(await code(remote(bobs)), 'token-revoked')
})

test('a hold ends when whoever used it has been gone for longer than the grace, and the hub hears of it', async () => {
  const there = await withHub()
  const token = await holdToken(there)
  const first = await remote(token, 600)
  await set(first, 3)
  // Who comes back in time goes on.
  await first.close()
  const second = await remote(token, 0)
  await set(second, 2)
  await second.close()
  await benchIs('free')
  assert.is(node.instrument().values.get('voltage'), 0)
  await there.until('the hub knows', () => JSON.parse(there.retained.get(benchTopic()) ?? '{}').state === 'free')
})
const benchTopic = () => `fernlab/v1/${SITE}/nodes/n1/benches/bench-1`

test('without a hub the node signs, and locks benches itself: several together or none', async () => {
  await alone()
  const owner = await local()
  const own = async (person: string, rights: ServiceToken['rights'] = ['read', 'use', 'lock']) =>
    ((await owner.call('node/token', { person, services: ['*'], rights })) as { token: string }).token
  assert.is(await code(own('local')), 'call-invalid')
  assert.is(await code(own('ada', ['all' as 'read'])), 'call-invalid')
  const ada = await remote(await own('ada'))
  const bob = await remote(await own('bob'))
  const cy = await remote(await own('cy', ['read', 'unlock']))
  await ada.call('node/lock', { services: ['bench-1.psu'], reason: 'a diode' })
  await set(ada, 2)
  assert.is(await code(set(bob, 1)), 'bench-held')
  const refusal = await rejection(bob.call('node/lock', { services: ['bench-2.psu', 'bench-1.psu'] }))
  assert.is(refusal.code, 'service-locked')
  assert.match(refusal.message, /^bench bench-1 is locked by somebody else since [^ ]*Z$/)
  await benchIs('free', 'bench-2')
  const [lock] = (await cy.call('node/locks')) as [{ service: string; lock: { owner: string; reason: string } }]
  assert.equal([lock.service, lock.lock.owner, lock.lock.reason], ['bench-1.psu', 'ada', 'a diode'])
  const [seen] = (await bob.call('node/locks')) as [{ lock: object }]
  assert.equal(Object.keys(seen.lock), ['since'])
  assert.is(await code(bob.call('node/unlock', { services: ['bench-1.psu'] })), 'service-locked')
  await cy.call('node/unlock', { services: ['bench-1.psu'] })
  assert.is(node.instrument().values.get('voltage'), 0)
  assert.is(await code(set(ada, 1)), 'bench-not-held')
  assert.is(await code(ada.call('node/unlock', { services: ['bench-1.psu'] })), 'not-locked')
  assert.is(await code(ada.call('node/lock', { services: ['bench-9.psu'] })), 'service-unknown')
  const forMore = { person: 'ada', services: ['*'], rights: ['unlock'] }
  assert.is(await code(ada.call('node/token', forMore)), 'right-missing')
  // Its key is kept.
  const bobs = await own('bob')
  node = await node.restart()
  await read(await remote(bobs))
})

test('a lock outlives its last link for its grace, and no longer', async () => {
  await alone()
  const first = await local()
  for (const peer of peers.splice(0)) if (peer !== first) await peer.close()
  await first.call('node/lock', { services: ['bench-1.psu', 'bench-2.psu'], graceS: 600 })
  await first.close()
  await until('its link is gone', () => node.edge.services.counts.links === 0)
  const second = await onMachine(node.dataFolder)
  await set(second, 2)
  await second.call('node/lock', { services: ['bench-1.psu'], graceS: 0 })
  await second.close()
  await benchIs('free')
  assert.is(node.instrument().values.get('voltage'), 0)
  assert.is(node.edge.benches.get('bench-2')?.status.state, 'busy')
})

test('programs of one person keep what they have locked, whatever the others of the same person do', async () => {
  await alone()
  const program = async (name: string) => {
    const peer = await local()
    await peer.call('rpc.sign-in', { program: name })
    return peer
  }
  const held = async () =>
    ((await (await local()).call('node/locks')) as { service: string; lock: { reason: string } }[]).map(
      ({ service, lock }) => [service, lock.reason],
    )
  const [a, b] = [await program('a'), await program('b')]
  await a.call('node/lock', { services: ['bench-1.psu'], reason: 'of a', graceS: 0, id: 'one' })
  await set(a, 2)
  await b.call('node/lock', { services: ['bench-1.psu'], reason: 'of b', id: 'two' })
  await b.call('node/unlock', { services: ['bench-1.psu'], id: 'two' })
  assert.equal(await held(), [['bench-1.psu', 'of a']])
  assert.is(node.instrument().values.get('voltage'), 2)
  assert.is(await code(local().then((peer) => peer.call('rpc.sign-in', { program: 'x'.repeat(65) }))), 'call-invalid')
  // It comes back on another link before the first has ended, and the lock stands.
  const again = await program('a')
  await a.close()
  await set(again, 1)
  assert.equal(await held(), [['bench-1.psu', 'of a']])
  // It is gone, though another program is there.
  await again.close()
  await benchIs('free')
  assert.is(node.instrument().values.get('voltage'), 0)
  await b.call('node/locks')
})

test('a hub decides who gets its benches, also beside the owner of the machine', async () => {
  await withHub()
  assert.is(await code((await local()).call('node/lock', { services: ['bench-1.psu'] })), 'bench-of-hub')
})

test('where the clock of the node is wrong, the time of its hub counts', async () => {
  const slow = { ...systemClock, now: () => Date.now() - 600_000 }
  await withHub({ clock: slow })
  await read(await remote(await key.sign()))
  // Without having heard of the hub's time it can't know, and says both.
  await hub?.away()
  const there = hub
  await node.close()
  if (there !== undefined) there.welcoming = false
  node = await node.restart()
  const error = await rejection(remote(await key.sign()))
  assert.is(error.code, 'token-not-yet')
  assert.match(error.message, /is from \d{4}-.*Z, and it is \d{4}-.*Z by this node's clock/)
})

const FIT = `
class Fit:
    def say(self, words: str) -> str:
        print(words, flush=True)
        return words
`
/** With a service `fit` in a daemon of its own. */
const withFit = async () => {
  const folder = await mkdtemp(join(tmpdir(), 'fernlab-own-'))
  const file = join(folder, 'fit.py')
  await writeFile(file, FIT)
  const own = { fit: { file, daemon: 'maths', parameters: {} } }
  const there = await withHub({ config: config({ daemons: { maths: {} }, services: { listen, own } }) })
  const told = () => there.services.at(-1)
  await there.until('the service is there', () => told()?.services.find(({ name }) => name === 'fit')?.state === 'up')
  return { folder, there, told }
}

test('who may end locks reads what the daemon of a service has written, and then what came since', async () => {
  const { folder } = await withFit()
  const staff = await remote(await key.sign({ sub: 'staff', rights: ['read', 'use', 'unlock'] }))
  const logOf = async (args: object = {}) => (await staff.call('node/log', { service: 'fit', ...args })) as ServiceLog
  const has = async (words: string, args: object = {}) => {
    const log = await logOf(args)
    return log.lines.some(({ text }) => text === words) ? log : undefined
  }
  await staff.call('fit/say', { words: 'one' })
  await until('the line is kept', async () => (await has('one')) !== undefined)
  const first = await logOf()
  assert.is(first.daemon, 'maths')
  assert.not.ok(first.continues)
  assert.equal((await logOf({ lines: 1 })).lines, first.lines.slice(-1))
  await staff.call('fit/say', { words: 'two' })
  await until('the next one is', async () => (await has('two')) !== undefined)
  const since = await logOf({ after: first.next })
  assert.equal([since.continues, since.lines.map(({ from, text }) => `${from}: ${text}`)], [true, ['output: two']])
  assert.equal((await logOf({ after: since.next })).lines, [])
  assert.not.ok((await logOf({ after: 'of another start.3' })).continues)

  const user = await remote(await key.sign({ sub: 'user', rights: ['read', 'use', 'lock'] }))
  const other = await remote(await key.sign({ sub: 'other', rights: ['unlock'], services: ['bench-1.psu'] }))
  const codes = [
    await code(user.call('node/log', { service: 'fit' })),
    await code(other.call('node/log', { service: 'fit' })),
    await code(other.call('node/log', { service: 'bench-1.psu' })),
    await code(staff.call('node/log', { service: 'fits' })),
    await code(staff.call('node/log', { service: 'node.daemons' })),
    await code(staff.call('node/log', { service: 'fit', lines: 501 })),
  ]
  assert.equal(codes, [
    'right-missing',
    'right-missing',
    'log-none',
    'service-unknown',
    'service-unknown',
    'call-invalid',
  ])
  await rm(folder, { recursive: true })
})

test('the hub is told when somebody ends the lock of another', async () => {
  const { folder, there, told } = await withFit()
  await (await local()).call('node/lock', { services: ['fit'] })
  const staff = await remote(await key.sign({ sub: 'staff', rights: ['read', 'unlock'] }))
  await staff.call('node/unlock', { services: ['fit'], reason: 'it hangs' })
  await there.until('it has told', () => told()?.endedLocks?.length === 1)
  const { target, owner, by, reason } = told()?.endedLocks?.[0] ?? {}
  assert.equal([target, owner, by, reason], ['service fit', 'local', 'staff', 'it hangs'])
  await rm(folder, { recursive: true })
})

test('a clock of the node that is set while it has its hub changes nothing', async () => {
  let setMs = 0
  await withHub({ clock: { ...systemClock, now: () => Date.now() + setMs } })
  const before = await remote(await key.sign())
  setMs = 3_600_000
  await read(before)
  await read(await remote(await key.sign()))
  setMs = -3_600_000
  await read(await remote(await key.sign()))
})

test('500 clients come at once, the next one is told, and nobody else notices', async () => {
  await withHub()
  const [tokens, ...others] = await Promise.all(Array.from({ length: 20 }, (_, i) => key.sign({ sub: `p${i}` })))
  if (tokens === undefined) throw new Error('there is no token')
  const clients = await Promise.all(Array.from({ length: 500 }, (_, i) => remote(others[i % 19] ?? tokens)))
  const refused = keep(await overNetwork(url()))
  assert.is(await code(refused.call(SIGN_IN, { token: tokens })), 'too-many-clients')
  assert.is(node.edge.services.counts.links, 500)
  await Promise.all(clients.map((peer) => read(peer)))
  await clients[0]?.close()
  await until('there is room', () => node.edge.services.counts.links === 499)
  await read(await remote(tokens))
})

test('who dies in a stream leaves nothing behind, and who has not signed in sends little', async () => {
  await withHub()
  const socket = new WebSocket(url(), ['fernlab.rpc.1.json'])
  const say = (message: object) => socket.send(JSON.stringify({ jsonrpc: '2.0', ...message }))
  await new Promise((resolve) => socket.once('open', resolve))
  say({ id: 1, method: SIGN_IN, params: { token: await key.sign() } })
  await new Promise((resolve) => socket.once('message', resolve))
  const follow = { method: 'bench-1.psu/signals.follow', params: { signals: ['voltage'], rateHz: 100 } }
  say({ id: 2, ...follow, credit: 1000 })
  say({ id: 3, ...follow, credit: 1 })
  await until('both stream', () => node.edge.services.counts.calls === 2)
  socket.terminate()
  await until(
    'nothing is left',
    () => JSON.stringify(node.edge.services.counts) === '{"links":0,"calls":0,"lingering":0}',
  )
  const loud = keep(await overNetwork(url()))
  const over = ended(loud)
  await rejection(loud.call(SIGN_IN, { token: 'a'.repeat(100_000) }))
  assert.match(await over, /sign in first/)
})

test('whatever bytes come, nothing is set, and others go on', async () => {
  const there = await withHub()
  const holder = await remote(await holdToken(there))
  const token = await key.sign({ sub: 'eve' })
  const signIn = { jsonrpc: '2.0', id: 1, method: SIGN_IN, params: { token } }
  const attack = async (format: 'json' | 'cbor', isKnown: boolean) => {
    const socket = new WebSocket(url(), [`fernlab.rpc.1.${format}`])
    const over = new Promise((resolve) => socket.once('close', resolve))
    await new Promise((resolve) => socket.once('open', resolve))
    if (isKnown) {
      socket.send(format === 'json' ? JSON.stringify(signIn) : encode(signIn))
      await new Promise((resolve) => socket.once('message', resolve))
    }
    for (let frame = 0; frame < 300; frame++) {
      const bytes = randomBytes(1 + (frame % 64))
      socket.send(format === 'json' ? bytes.toString('latin1') : bytes)
    }
    // More than a few that can't be read, and the link is given up.
    await over
  }
  const attacks = Promise.all([true, false].flatMap((isKnown) => [attack('json', isKnown), attack('cbor', isKnown)]))
  for (let value = 1; value <= 20; value++) await set(holder, value / 10)
  await attacks
  await until('only the holder is there', () => node.edge.services.counts.links === 1)
  assert.equal(
    node
      .instrument()
      .sets('voltage')
      .filter((value) => value !== 0),
    Array.from({ length: 20 }, (_, i) => (i + 1) / 10),
  )
})

test('a page of a browser comes in where its origin is named, and at the one path', async () => {
  await withHub()
  const outcome = (address: string, origin?: string) =>
    new Promise<string>((resolve) => {
      const socket = new WebSocket(address, ['fernlab.rpc.1.json'], origin === undefined ? {} : { origin })
      socket.once('open', () => {
        resolve('open')
        socket.terminate()
      })
      socket.once('error', ({ message }) => resolve(message))
    })
  assert.is(await outcome(url(), 'https://lab.example.edu'), 'open')
  assert.match(await outcome(url(), 'https://evil.example.org'), /403/)
  assert.match(await outcome(url(), 'null'), /403/)
  assert.match(await outcome(url().replace('/rpc', '/')), /404/)
})

test('it speaks TLS where it has a certificate, and does not start where it can not listen', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'fernlab-listen-'))
  const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1']
  const made = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', 'key.pem', '-out', 'cert.pem', ...subject]
  execFileSync('openssl', made, { cwd: folder, stdio: 'ignore' })
  const tls = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') }
  const start = (more: object) =>
    startTestNode(hub, {
      config: config({ services: { listen: { ...listen, ...more } } }),
      dataFolder: join(folder, 'data'),
    })
  hub = await startScriptedHub('n1')
  hub.serviceKeys = [key.key]
  const taken = createServer()
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
  const { port } = taken.address() as { port: number }
  const wrong = [{ port }, { tls: { ...tls, cert: 'missing.pem' } }, { tls: { cert: tls.key, key: tls.key } }]
  for (const more of wrong) {
    const error = await rejection(start(more))
    assert.is(error.code, 'services-listen-wrong', error.message)
    assert.equal(error.issues[0]?.path, 'services.listen')
  }
  await new Promise((resolve) => taken.close(resolve))
  // Nothing of them is left that would keep it from starting.
  node = await start({ tls })
  assert.match(url(), /^wss:/)
  const there = hub
  await there.until('it has told of its services', () => there.services.length > 0)
  const ca = await readFile(tls.cert, 'utf8')
  await read(keep(await overNetwork(url(), await key.sign(), 10, ca)))
  assert.is(await code(overNetwork(url(), await key.sign())), 'link-unreachable')
  await rm(folder, { recursive: true })
})

test.run()
