import { createGate, type Gate, MOST_NODE_STREAMS } from '@fernlab/edge/services/gate/gate'
import { localLinks } from '@fernlab/shared/links/local/local-link'
import { ManualClock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { recordingLog } from '@fernlab/shared/primitives/log'
import { PING } from '@fernlab/shared/rpc/messages'
import { createPeer, type Peer, SIGN_IN } from '@fernlab/shared/rpc/peer/peer'
import * as assert from 'uvu/assert'
import { rejection } from '../../../contract/driver-contract.ts'
import { SITE } from '../../../support/edge/scripted-hub.ts'
import { ended, signer } from '../../../support/edge/service-clients.ts'
import { suite } from '../../../support/suite.ts'

const test = suite('the gate of services')
const key = signer()
const contract = {
  kind: 'fit',
  version: '1.0',
  actions: { hold: { arguments: {}, result: { type: 'any' } } },
} as const

async function* rings() {
  for (let value = 1; ; value++) yield { event: 'rang', value, time: 0 }
}

/** The person, and which of the person's programs where it said so. */
const named = (program: string) => (JSON.parse(program) as string[]).filter((part) => part !== '').join(' by ')

function openGate() {
  const clock = new ManualClock()
  const log = recordingLog()
  const ends: (() => void)[] = []
  const came: string[] = []
  const revoked = new Set<string>()
  const held = new Set(['l1'])
  const asked: string[] = []
  const gate: Gate = createGate({
    audience: `${SITE}/n1`,
    keys: () => [{ ...key.key, issuer: SITE }],
    revocations: { add: async () => {}, has: ({ sub }) => revoked.has(sub) },
    ownTokens: { end: async () => {}, isEnded: () => false },
    timeOf: () => ({ nowMs: clock.now(), by: 'the clock' }),
    isHeld: ({ lease }) => held.has(lease),
    holdEnded: ({ bench }) => new LabError({ code: 'hold-ended', kind: 'caller', message: `${bench} ended: why` }),
    benchToTake: (service, issuer) => (issuer === SITE && service === 'bench-1.psu' ? 'bench-1' : undefined),
    find: (name, caller) => ({
      contract: { ...contract, signals: {}, events: { rang: { value: { type: 'integer' } } } },
      events: rings,
      call: () => {
        for (const end of ends.splice(0)) caller.onEnd(end)
        if (name === 'slow') return new Promise(() => {})
        return caller.hold?.lease ?? null
      },
    }),
    requireUnlocked: (service, { person }) => {
      asked.push(service)
      if (service === 'locked' && person !== 'ada')
        throw new LabError({ code: 'service-locked', kind: 'caller', message: '' })
    },
    attendance: {
      came: (program) => came.push(`${named(program)} came`),
      left: (program, isOver) => {
        came.push(`${named(program)} left${isOver ? ' for good' : ''}`)
        return isOver ? 0 : 600_000
      },
      holdCame: ({ lease }) => came.push(`${lease} came`),
      holdLeft: ({ lease }, graceMs) => came.push(`${lease} left for ${graceMs}`),
    },
    clock,
    log,
  })
  const connect = (from: 'anyone' | 'owner' = 'anyone'): Peer => {
    const [mine, its] = localLinks()
    gate.take(its, from)
    return createPeer({ link: mine, clock })
  }
  const sign = (lifetimeS: number, more: object = {}) => {
    const iat = clock.now() / 1000
    return key.sign({ iat, exp: iat + lifetimeS, ...more })
  }
  return { gate, clock, came, connect, sign, revoked, held, ends, log, asked }
}

test('who has not signed in within 5 s is left', async () => {
  const { gate, clock, connect } = openGate()
  const peer = connect()
  const over = ended(peer)
  await clock.advance(4999)
  assert.is(gate.counts.links, 1)
  await clock.advance(1)
  assert.match(await over, /nobody signed in within 5 s/)
  assert.is(gate.counts.links, 0)
})

test('one person has so many streams of the node itself, by all links, and another as many', async () => {
  const { gate, connect, sign } = openGate()
  const rights = ['read']
  const [first, second, other] = [connect(), connect(), connect()]
  await first.call(SIGN_IN, { token: await sign(60, { rights }) })
  await second.call(SIGN_IN, { token: await sign(60, { rights }) })
  await other.call(SIGN_IN, { token: await sign(60, { rights, sub: 'bob' }) })
  const follow = (peer: Peer) => peer.stream('node/events.follow', { events: ['rang'] }, { credit: 1 })
  const open = [first, second].flatMap((peer) => Array.from({ length: MOST_NODE_STREAMS / 2 }, () => follow(peer)))
  const rang = async (stream: ReturnType<typeof follow>) => ((await stream.next()).value as { value: number }).value
  for (const stream of open) assert.is(await rang(stream), 1)
  for (const peer of [first, second]) assert.is((await rejection(follow(peer).next())).code, 'link-busy')
  assert.is(await rang(follow(other)), 1)
  await open[0]?.return()
  while (gate.counts.calls > MOST_NODE_STREAMS) await Promise.resolve()
  assert.is(await rang(follow(second)), 1)
  await first.close()
  assert.is(await rang(follow(second)), 1, 'with a link goes what it had')
})

test('a link ends with its token, unless there is a newer one', async () => {
  const { gate, clock, came, connect, sign } = openGate()
  const [renewed, old] = [connect(), connect()]
  const answer = await renewed.call(SIGN_IN, { token: await sign(60) })
  assert.is((answer as { until: string }).until, new Date(clock.now() + 60_000).toISOString())
  await old.call(SIGN_IN, { token: await sign(60, { sub: 'bob' }) })
  const over = ended(old)
  await clock.advance(59_000)
  await renewed.call(SIGN_IN, { token: await sign(60) })
  await clock.advance(1000)
  assert.match(await over, /token-expired/)
  assert.is(gate.counts.links, 1)
  assert.equal(came, ['ada came', 'bob came', 'bob left for good'])
  const last = ended(renewed)
  await clock.advance(59_000)
  assert.match(await last, /token-expired/)
})

test('each program of a person comes and goes by itself', async () => {
  const { came, connect, sign } = openGate()
  const [first, second, other] = [connect(), connect(), connect()]
  await first.call(SIGN_IN, { token: await sign(60), program: 'p1' })
  await second.call(SIGN_IN, { token: await sign(60), program: 'p1' })
  await other.call(SIGN_IN, { token: await sign(60), program: 'p2' })
  await first.close()
  await other.close()
  await second.close()
  assert.equal(came, ['ada by p1 came', 'ada by p2 came', 'ada by p2 left', 'ada by p1 left'])
})

test('a wall clock that is set does not let an old token go on', async () => {
  const { clock, connect, sign } = openGate()
  const peer = connect()
  await peer.call(SIGN_IN, { token: await sign(60) })
  clock.jump(61_000)
  assert.is((await rejection(peer.call('a.b/c'))).code, 'token-expired')
})

test('people and holds are there as long as one of their links is', async () => {
  const { came, connect, sign } = openGate()
  const hold = { bench: 'b', lease: 'l1' }
  const [first, second] = [connect(), connect()]
  await first.call(SIGN_IN, { token: await sign(60) })
  await first.call(SIGN_IN, { token: await sign(60, { hold }), graceS: 3 })
  await second.call(SIGN_IN, { token: await sign(60, { hold }), graceS: 5 })
  await first.close()
  assert.equal(came, ['ada came', 'l1 came'])
  // A newer token without the hold lets go of it.
  await second.call(SIGN_IN, { token: await sign(60), graceS: 7 })
  await second.close()
  assert.equal(came, ['ada came', 'l1 came', 'l1 left for 7000', 'ada left'])
  for (const graceS of [-1, 601, Number.NaN, '5']) {
    const refusal = await rejection(connect().call(SIGN_IN, { token: await sign(60), graceS }))
    assert.is(refusal.code, 'call-invalid')
  }
})

test('all that belongs to a link is freed at its end, also when something of it fails', async () => {
  const { gate, came, connect, sign, ends, log } = openGate()
  const peer = connect()
  await peer.call(SIGN_IN, { token: await sign(60) })
  ends.push(
    () => {
      throw new TypeError('no')
    },
    () => came.push('freed'),
  )
  await peer.call('a.b/hold')
  await peer.close()
  assert.equal(came, ['ada came', 'freed', 'ada left'])
  assert.equal([gate.counts.links, log.lines.filter(({ level }) => level === 'error').length], [0, 1])
})

test('one person has 32 links, others as many, and the owner of the machine more', async () => {
  const { gate, connect, sign } = openGate()
  const peers = Array.from({ length: 33 }, () => connect())
  const token = await sign(60)
  // All at once: whoever is the last to sign in is told.
  const outcomes = await Promise.allSettled(peers.map((peer) => peer.call(SIGN_IN, { token })))
  const refusals = outcomes.flatMap((one) => (one.status === 'rejected' ? [one.reason as LabError] : []))
  assert.equal(
    refusals.map(({ code, retry }) => [code, retry]),
    [['too-many-clients', 'later']],
  )
  assert.match(refusals[0]?.message ?? '', /at most 32 links/)
  const [first = connect(), ...others] = peers.filter((_, i) => outcomes[i]?.status === 'fulfilled')
  // A newer token on the same link is no other link.
  await first.call(SIGN_IN, { token: await sign(90) })
  await connect().call(SIGN_IN, { token: await sign(60, { sub: 'bob' }) })
  for (let i = 0; i < 40; i++) await connect('owner').call(SIGN_IN, {})
  assert.is(others.length, 31)
  await first.close()
  await connect().call(SIGN_IN, { token })
  await gate.close()
})

test('a link whose person is shut out does nothing more, even before it has ended', async () => {
  const { gate, connect, sign, revoked } = openGate()
  const peer = connect()
  await peer.call(SIGN_IN, { token: await sign(60) })
  revoked.add('ada')
  const refusal = rejection(peer.call('a.b/c'))
  assert.is((await refusal).code, 'token-revoked')
  const over = ended(peer)
  assert.is(await gate.revoke({}), 1)
  assert.match(await over, /token-revoked/)
})

test('a hold that is no more closes its links, and opens none, with what is said of it', async () => {
  const { gate, connect, sign, held } = openGate()
  const peer = connect()
  const token = await sign(60, { hold: { bench: 'b', lease: 'l1' } })
  await peer.call(SIGN_IN, { token })
  const over = ended(peer)
  held.delete('l1')
  gate.judgeHolds()
  assert.match(await over, /hold-ended: b ended: why/)
  const refusal = await rejection(connect().call(SIGN_IN, { token }))
  assert.equal([refusal.code, refusal.message], ['hold-ended', 'b ended: why'])
})

test('a token that ended with its hold is told of the hold, not of the token', async () => {
  const { gate, connect, sign, held, revoked } = openGate()
  const peer = connect()
  const token = await sign(60, { hold: { bench: 'b', lease: 'l1' } })
  await peer.call(SIGN_IN, { token })
  const over = ended(peer)
  held.delete('l1')
  revoked.add('ada')
  assert.is((await rejection(peer.call('a.b/c'))).code, 'hold-ended')
  assert.is(await gate.revoke({}), 1)
  assert.match(await over, /hold-ended: b ended: why/)
  assert.is((await rejection(connect().call(SIGN_IN, { token }))).code, 'hold-ended')
})

test('what somebody else has locked is read, and not used', async () => {
  const { connect, sign } = openGate()
  const [ada, bob] = [connect(), connect()]
  await ada.call(SIGN_IN, { token: await sign(60) })
  await bob.call(SIGN_IN, { token: await sign(60, { sub: 'bob' }) })
  await ada.call('locked/hold')
  await bob.call('free/hold')
  await bob.call('locked/contract.get')
  assert.is((await rejection(bob.call('locked/hold'))).code, 'service-locked')
})

test('what is locked meanwhile is asked for at once, however many are; what is under way of other services is not', async () => {
  const { gate, connect, sign, asked } = openGate()
  const peer = connect()
  await peer.call(SIGN_IN, { token: await sign(60) })
  const under = Array.from({ length: 3 }, () => peer.call('slow/hold'))
  for (const call of under) call.catch(() => {})
  await peer.call(PING)
  asked.splice(0)
  for (let n = 0; n < 64; n++) {
    gate.judgeLocks([`other-${n}`])
    await Promise.resolve()
  }
  await peer.call(PING)
  assert.equal(asked, [])
  for (let n = 0; n < 64; n++) gate.judgeLocks(['slow', 'other'])
  await peer.call(PING)
  assert.equal(asked, ['slow', 'slow', 'slow'])
  await peer.close()
})

test('who may not use a part of a bench is told that the bench gives that, and of others nothing of the kind', async () => {
  const { connect, sign, held } = openGate()
  const refusal = async (service: string, more: object) => {
    const peer = connect()
    await peer.call(SIGN_IN, { token: await sign(60, { services: ['*'], rights: ['read'], ...more }) })
    const { code, message, details } = await rejection(peer.call(`${service}/hold`, {}))
    await peer.close()
    return { code, message, details }
  }
  const part = await refusal('bench-1.psu', {})
  assert.equal([part.code, part.details], ['right-missing', { bench: 'bench-1' }])
  assert.match(
    part.message,
    /^this token does not open bench-1\.psu to use: whoever has bench bench-1 may; take it by a lock/,
  )
  const { message: given, ...none } = await refusal('fit', {})
  assert.equal(none, { code: 'right-missing', details: {} })
  const byHub =
    'the hub gives the right use to admins and instructors, by an API token with the scope run, builder or admin; anybody else asks one of them'
  assert.is(given, `this token does not open fit to use: ${byHub}`)
  // Whoever has the bench already, and may not use it, is not helped by taking it.
  assert.ok(held.has('l1'))
  const holder = await refusal('bench-1.psu', { hold: { bench: 'bench-1', lease: 'l1' } })
  assert.equal(holder, { ...none, message: `this token does not open bench-1.psu to use: ${byHub}` })
  assert.is((await refusal('bench-1.psu', { services: ['fit'] })).code, 'service-not-in-token')
})

test('who has not signed in is told how a token is given', async () => {
  const { connect } = openGate()
  const { code, message } = await rejection(connect().call('fit/hold', {}))
  assert.is(code, 'sign-in-required')
  assert.match(message, /token, fernlab .* --token-file .* FERNLAB_NODE_TOKENS, .* rpc\.sign-in \{token\}$/)
})

test('the owner of the machine signs in to nothing, and may show the token of a hold until that ends', async () => {
  const { gate, clock, came, connect, sign, held } = openGate()
  const peer = connect('owner')
  assert.is(await peer.call('fit/hold'), null)
  const hold = { bench: 'b', lease: 'l1' }
  assert.is(((await peer.call(SIGN_IN, { token: await sign(60, { hold }) })) as { person: string }).person, 'local')
  assert.is(await peer.call('fit/hold'), 'l1')
  held.delete('l1')
  gate.judgeHolds()
  assert.is(await peer.call('fit/hold'), null)
  // Neither that end nor the token's is the link's.
  await clock.advance(120_000)
  assert.is(await peer.call('fit/hold'), null)
  assert.equal(came, ['local came', 'l1 came', 'l1 left for 10000'])
})

test('a stream that outlived its link goes on for who may follow it still, and not at all once that was revoked', async () => {
  const { gate, connect, sign, revoked } = openGate()
  const follow = async () => {
    const peer = connect()
    await peer.call(SIGN_IN, { token: await sign(60, { services: ['a.b'] }) })
    const stream = peer.stream('a.b/events.follow', { events: ['rang'] }, { lingerMs: 60_000, credit: 4 })
    while (stream.place === undefined) await stream.next()
    return { peer, stream }
  }
  const first = await follow()
  await first.peer.close()
  assert.is(gate.counts.lingering, 1)
  const place = first.stream.place ?? assert.unreachable()
  const other = connect()
  await other.call(SIGN_IN, { token: await sign(60, { services: ['c.d'] }) })
  assert.is((await rejection(other.resume(place as never).next())).code, 'service-not-in-token')
  await other.call(SIGN_IN, { token: await sign(60, { services: ['a.b'] }) })
  const items = other.resume(place as never)
  assert.is((await items.next()).done, false)
  await items.return()

  const second = await follow()
  revoked.add('ada')
  const over = ended(second.peer)
  await gate.revoke({})
  await over
  assert.is(gate.counts.lingering, 0)
})

test('a hold that ends takes no program with it that has another token, whichever of its links went first', async () => {
  for (const first of ['the broken', 'that of the hold']) {
    const { gate, came, connect, sign, held, revoked } = openGate()
    const [free, holding] = [connect(), connect()]
    await free.call(SIGN_IN, { token: await sign(60, { jti: 'of the services' }), program: 'p' })
    const hold = { bench: 'b', lease: 'l1' }
    await holding.call(SIGN_IN, { token: await sign(60, { jti: 'of the hold', hold }), program: 'p', graceS: 3 })
    const breaks = () => free.close('its cable was pulled')
    const holdEnds = async () => {
      const over = ended(holding)
      held.delete('l1')
      gate.judgeHolds()
      assert.match(await over, /hold-ended/)
    }
    for (const goes of first === 'the broken' ? [breaks, holdEnds] : [holdEnds, breaks]) await goes()
    const left = came.filter((one) => one.startsWith('ada'))
    assert.equal(left, ['ada by p came', 'ada by p left'], `${first} went first`)
    revoked.add('ada')
    await gate.revoke({})
    assert.is(came.at(-1), 'ada by p left for good')
  }
})

test('whose token is revoked while no link is there is not waited for; others are', async () => {
  const { gate, came, connect, sign, revoked } = openGate()
  for (const sub of ['ada', 'bob']) {
    const peer = connect()
    await peer.call(SIGN_IN, { token: await sign(60, { sub }) })
    await peer.close('its cable was pulled')
  }
  revoked.add('ada')
  await gate.revoke({})
  await gate.revoke({})
  assert.equal(came, ['ada came', 'ada left', 'bob came', 'bob left', 'ada left for good'])
  const back = connect()
  await back.call(SIGN_IN, { token: await sign(60, { sub: 'bob' }) })
  revoked.add('bob')
  const over = ended(back)
  await gate.revoke({})
  await over
  assert.equal(came.slice(5), ['bob came', 'bob left for good'])
  await gate.close()
})

test.run()
