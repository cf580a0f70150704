/** What somebody has recorded, and sends again: sign-ins whose token is good no more, calls, and the places of streams. */
import type { ServiceToken } from '@fernlab/shared/contracts/services'
import { encode } from '@fernlab/shared/links/codec'
import { localLinks } from '@fernlab/shared/links/local/local-link'
import { systemClock } from '@fernlab/shared/primitives/clock'
import { cborFormat } from '@fernlab/shared/rpc/cbor-format'
import { defaultLimits } from '@fernlab/shared/rpc/limits'
import { createPeer, type Peer, SIGN_IN } from '@fernlab/shared/rpc/peer/peer'
import * as assert from 'uvu/assert'
import { WebSocket } from 'ws'
import { rejection } from '../../contract/driver-contract.ts'
import { nodeFile, nodeFileAlone, startTestNode, type TestNode } from '../../support/edge/node.ts'
import { type ScriptedHub, startScriptedHub } from '../../support/edge/scripted-hub.ts'
import { ended, onMachine, overNetwork, signer } from '../../support/edge/service-clients.ts'
import { suite } from '../../support/suite.ts'
import { until } from '../hub/hub-with-node.ts'

const test = suite('what is recorded of services, and sent again', { timeoutMs: 60_000 })
const key = signer()
const services = { listen: { host: '127.0.0.1', port: 0 } }
let hub: ScriptedHub | undefined
let node: TestNode
const peers: Peer[] = []

test.after.each(async () => {
  for (const peer of peers.splice(0)) await peer.close()
  await node.remove()
  await hub?.close()
  hub = undefined
})

const withHub = async (): Promise<ScriptedHub> => {
  const there = await startScriptedHub('n1')
  hub = there
  there.serviceKeys = [key.key]
  node = await startTestNode(there, { config: { object: { ...nodeFile(1), services } } })
  await there.until('it is free', () => there.services.at(-1)?.services.every(({ state }) => state === 'up') === true)
  return there
}
const url = () => node.edge.services.addresses[0] ?? ''
const keep = (peer: Peer): Peer => {
  peers.push(peer)
  return peer
}
const remote = async (token: string) => keep(await overNetwork(url(), token))
const take = async (there: ScriptedHub, holder = 'ada') => {
  const asked = { bench: 'bench-1', holder, fence: Date.now(), ttlMs: 60_000 }
  return ((await there.call('lease.take', asked)) as { lease: string }).lease
}
const ofHold = (lease: string, more: Partial<ServiceToken> = {}) =>
  key.sign({ services: ['bench-1.*'], hold: { bench: 'bench-1', lease }, ...more })
const set = (value: number) => ['bench-1.psu/signals.set', { signal: 'voltage', value }] as const

/** A frame as it went over the line. */
const recorded = (id: number, method: string, params: object) => encode({ jsonrpc: '2.0', id, method, params })
interface Answer {
  readonly id: number
  readonly result?: unknown
  readonly error?: { readonly data: { readonly code: string } }
}
/**
 * What is answered on a link of their own: `ok`, or the code of its error. The frames go one after another, those that are
 * sent `together` at once.
 */
async function replayed(frames: readonly Uint8Array[], together: readonly Uint8Array[] = []): Promise<string[]> {
  const before = node.edge.services.counts.links
  const socket = new WebSocket(url(), ['fernlab.rpc.1.cbor'])
  await new Promise((resolve) => socket.once('open', resolve))
  const answers: string[] = []
  let answered = () => {}
  socket.on('message', (bytes: Buffer) => {
    const { error } = cborFormat.read(new Uint8Array(bytes), defaultLimits) as Answer
    answers.push(error === undefined ? 'ok' : error.data.code)
    answered()
  })
  const upTo = (count: number) =>
    new Promise<void>((resolve) => {
      answered = () => answers.length >= count && resolve()
    })
  for (const [n, frame] of frames.entries()) {
    const next = upTo(n + 1)
    socket.send(frame)
    await next
  }
  const all = upTo(frames.length + together.length)
  for (const frame of together) socket.send(frame)
  if (together.length > 0) await all
  socket.terminate()
  await until(() => node.edge.services.counts.links === before, 'its link has ended', 5000)
  return answers
}
/** The same sign-in by a way that is no socket: whatever carries the link, it ends at one gate. */
async function shownWithin(token: string): Promise<string> {
  const [near, far] = localLinks()
  node.edge.services.door.take(far, 'anyone')
  const peer = keep(createPeer({ link: near, clock: systemClock }))
  return await peer.call(SIGN_IN, { token }).then(
    () => 'ok',
    ({ code }: { code: string }) => code,
  )
}

test('a sign-in opens nothing after its hold, also when the same person, or another, has the bench again', async () => {
  const there = await withHub()
  const lease = await take(there)
  const token = await ofHold(lease)
  const conversation = [recorded(1, SIGN_IN, { token }), recorded(2, ...set(2))]
  const holder = await remote(token)
  assert.equal(await replayed(conversation), ['ok', 'ok'])
  const over = ended(holder)
  await there.call('lease.release', { bench: 'bench-1', lease })
  assert.match(await over, /hold-ended/)
  const refused = ['hold-ended', 'sign-in-required']
  assert.equal(await replayed(conversation), refused)
  for (const person of ['ada', 'bob']) {
    const again = await take(there, person)
    assert.equal(await replayed(conversation), refused, person)
    assert.is(await shownWithin(token), 'hold-ended', person)
    // What has the bench now has it still.
    const now = await remote(await ofHold(again, { sub: person }))
    await now.call(...set(1))
    assert.is(node.instrument().values.get('voltage'), 1)
    await there.call('lease.release', { bench: 'bench-1', lease: again })
  }
})

test('a sign-in whose token or person was revoked opens nothing, on no link and after no start', async () => {
  const there = await withHub()
  const tokens = { one: await key.sign({ jti: 'one' }), other: await key.sign({ jti: 'other' }) }
  const bobs = await key.sign({ sub: 'bob' })
  const [one, other, bob] = [await remote(tokens.one), await remote(tokens.other), await remote(bobs)]
  const frames = [recorded(1, SIGN_IN, { token: tokens.one })]
  assert.equal(await replayed(frames), ['ok'])
  const over = [ended(one), ended(bob)]
  assert.equal(await there.call('services.revoke', { tokens: ['one'], people: ['bob'] }), { closed: 2 })
  for (const why of await Promise.all(over)) assert.match(why, /token-revoked/)
  const still = async () => {
    assert.equal(await replayed(frames), ['token-revoked'])
    assert.equal(await replayed([recorded(1, SIGN_IN, { token: bobs })]), ['token-revoked'])
    assert.is(await shownWithin(tokens.one), 'token-revoked')
    // Another of the same person is good, and shows nothing of the revoked one on its link.
    assert.equal(await replayed([recorded(1, SIGN_IN, { token: tokens.other }), ...frames]), ['ok', 'token-revoked'])
  }
  await still()
  await other.call('node/locks')
  node = await node.restart()
  await there.until('it is back', () => node.edge.services.addresses.length > 0)
  await still()
})

test('a sign-in opens nothing after the end of its token', async () => {
  await withHub()
  const now = Math.floor(Date.now() / 1000)
  const token = await key.sign({ iat: now - 60, exp: now + 5 })
  const peer = await remote(token)
  assert.match(await ended(peer), /token-expired/)
  assert.equal(await replayed([recorded(1, SIGN_IN, { token }), recorded(2, 'node/locks', {})]), [
    'token-expired',
    'sign-in-required',
  ])
})

test('a sign-in by which a node without a hub was opened opens nothing once its owner has ended it', async () => {
  node = await startTestNode(undefined, { config: { object: { ...nodeFileAlone(1), services } } })
  const owner = keep(await onMachine(node.dataFolder))
  const asked = { person: 'ada', services: ['*'], rights: ['read'] }
  const sign = async () => ((await owner.call('node/token', asked)) as { token: string }).token
  const token = await sign()
  const frames = [recorded(1, SIGN_IN, { token })]
  assert.equal(await replayed(frames), ['ok'])
  await owner.call('node/revoke', { people: ['ada'] })
  assert.equal(await replayed(frames), ['token-revoked'])
  assert.equal(await replayed([recorded(1, SIGN_IN, { token: await sign() })]), ['ok'])
  node = await node.restart()
  assert.equal(await replayed(frames), ['token-revoked'])
})

test('a call without its sign-in does nothing, and one is done once however often it is sent while it lasts', async () => {
  const there = await withHub()
  const token = await ofHold(await take(there))
  const call = recorded(7, ...set(3))
  const before = node.instrument().sets('voltage').length
  assert.equal(await replayed([call, call]), ['sign-in-required', 'sign-in-required'])
  assert.is(node.instrument().sets('voltage').length, before)
  const answers = await replayed([recorded(1, SIGN_IN, { token }), recorded(2, 'node/locks', {})], [call, call, call])
  assert.equal(answers.slice(0, 2), ['ok', 'ok'])
  assert.equal(answers.slice(2).sort(), ['call-invalid', 'call-invalid', 'ok'])
  assert.is(node.instrument().sets('voltage').length, before + 1)
})

test('the place of a stream is of no use to another person, and to its own not without a good token', async () => {
  const there = await withHub()
  const token = await key.sign()
  const ada = await remote(token)
  const stream = ada.stream('bench-1.psu/signals.follow', { signals: ['voltage'] }, { lingerMs: 60_000, credit: 4 })
  while (stream.place === undefined) await stream.next()
  const { place } = stream
  await ada.close()
  const isKept = async () => node.edge.services.counts.lingering === 1
  await until(isKept, 'the stream waits for its link', 5000)
  const eve = await remote(await key.sign({ sub: 'eve' }))
  assert.is((await rejection(eve.resume(place).next())).code, 'stream-gone')
  const nobody = keep(await overNetwork(url()))
  assert.is((await rejection(nobody.resume(place).next())).code, 'stream-gone')
  assert.ok(await isKept())
  await there.call('services.revoke', { people: ['ada'] })
  assert.not.ok(await isKept(), 'nothing goes on for somebody who is shut out')
  assert.is((await rejection(overNetwork(url(), token))).code, 'token-revoked')
  // Its person comes with a token that is newer than the end of the others, in whole seconds.
  const back = await remote(await key.sign({ iat: Math.floor(Date.now() / 1000) + 1 }))
  assert.is((await rejection(back.resume(place).next())).code, 'stream-gone')
})

test('what waits for its link ends with the token that it was begun by, as a hub names it, and with no other', async () => {
  const there = await withHub()
  const begin = async (jti: string) => {
    const ada = await remote(await key.sign({ sub: 'mia', jti }))
    const stream = ada.stream('bench-1.psu/signals.follow', { signals: ['voltage'] }, { lingerMs: 60_000, credit: 4 })
    while (stream.place === undefined) await stream.next()
    await ada.close()
    return stream.place
  }
  const [, stays] = [await begin('ends'), await begin('stays')]
  await until(async () => node.edge.services.counts.lingering === 2, 'both wait for their links', 5000)
  await there.call('services.revoke', { tokens: ['ends'] })
  assert.is(node.edge.services.counts.lingering, 1)
  const back = await remote(await key.sign({ sub: 'mia', jti: 'new' }))
  assert.is((await back.resume(stays).next()).done, false)
})

test.run()
