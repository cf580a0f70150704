/** The fleet over a real database, with nodes and time that do as the test says. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Caller } from '@fernlab/hub/accounts/caller'
import { createHolds } from '@fernlab/hub/directory/holds'
import { CompatibilityCache } from '@fernlab/hub/fleet/compatible'
import { loadFleetBook } from '@fernlab/hub/fleet/fleet-book'
import { createLeaseEnds } from '@fernlab/hub/fleet/lease-ends'
import { createFleet } from '@fernlab/hub/fleet/open-fleet'
import { openStore, type Store } from '@fernlab/hub/store/store'
import { type Inventory, SYNC_VERSION } from '@fernlab/shared/contracts/sync'
import { ManualClock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { recordingLog, silentLog } from '@fernlab/shared/primitives/log'
import * as assert from 'uvu/assert'
import { rejection } from '../../contract/driver-contract.ts'
import { suite } from '../../support/suite.ts'
import { until } from './hub-with-node.ts'

const test = suite('the fleet')
let folder: string
let store: Store
let clock: ManualClock
let refuseWrites: boolean
/** What is written waits for it. */
let writing: Promise<void> | undefined
let hasSpace: boolean
/** What the node answers to a call. */
let answer: (method: string, params: { ttlMs?: number; lease?: string }) => object

test.before.each(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fernlab-fleet-'))
  store = await openStore({ url: `sqlite:${join(folder, 'hub.db')}`, log: silentLog })
  clock = new ManualClock()
  refuseWrites = false
  writing = undefined
  hasSpace = true
})
test.after.each(async () => {
  await store.close()
  await rm(folder, { recursive: true, force: true })
})

const full = new LabError({ code: 'disk-full', kind: 'configuration', message: 'full', retry: 'later' })

async function startFleet(log = recordingLog()) {
  const book = await loadFleetBook(store, clock)
  const fleet = createFleet({
    book,
    compatible: new CompatibilityCache(book),
    store: {
      ...store,
      write: async (queries) => {
        if (refuseWrites) throw full
        await writing
        return await store.write(queries)
      },
    },
    calls: {
      call: async (_, method, params) => answer(method, params as never) as never,
      reply: () => {},
      close: () => {},
    },
    checks: { announced: () => {}, reported: () => {} },
    checkDetails: () => ({}),
    giveWay: () => undefined,
    originOf: (address) => ({ client_address: address ?? null, country: null }),
    isSuspended: () => false,
    space: {
      hasSpace: () => hasSpace,
      requireSpace: () => {
        if (!hasSpace) throw full
      },
    },
    clock,
    log,
    onShutOut: () => {},
    onRevoked: async () => {},
  })
  return { book, fleet, log }
}

const inventory = (fence?: number): Inventory => ({
  version: SYNC_VERSION,
  nodeVersion: '0',
  bootId: 'boot',
  serial: 1,
  timeMs: 0,
  benches: [{ name: 'b', parts: {}, state: 'free', ...(fence === undefined ? {} : { fence }) }],
  instruments: [],
  attempts: [],
})

/** A fleet with one free bench, `n.b`. */
async function withBench() {
  const made = await startFleet()
  await made.fleet.enrollment.issue('n')
  made.fleet.inventory('n', inventory())
  const bench = made.book.benches.get('n.b')
  if (bench === undefined) throw new Error('there is no bench')
  await until(() => made.book.isFree(bench, 0), 'the bench being free')
  return { ...made, bench }
}

const refusal = async (work: Promise<unknown>): Promise<string> => {
  try {
    await work
  } catch (error) {
    return (error as LabError).code
  }
  return 'none'
}

test('a bench that could not be kept takes no runs, and is kept as soon as that is possible', async () => {
  const { fleet, book, log } = await startFleet()
  await fleet.enrollment.issue('n')
  refuseWrites = true
  fleet.inventory('n', inventory(7))
  const bench = book.benches.get('n.b')
  if (bench === undefined) throw new Error('there is no bench')
  for (let i = 0; i < 3; i++) await clock.advance(1000)
  assert.not(book.isFree(bench, clock.monotonic()))
  assert.is(log.lines.filter(({ message }) => /could not be kept/.test(message)).length, 1)
  refuseWrites = false
  let told = 0
  fleet.onChange(() => told++)
  await clock.advance(1000)
  await until(() => book.isFree(bench, clock.monotonic()), 'the bench being kept')
  assert.is(told, 1, 'those that wait for a bench hear of it')
  const row = await store.db.selectFrom('bench').select('fence').where('id', '=', 'n.b').executeTakeFirst()
  assert.is(row?.fence, 7)
  fleet.close()
})

test('what a node has is known to the next life of a hub whose disk was full when the node told it', async () => {
  const { fleet } = await startFleet()
  await fleet.enrollment.issue('n')
  const instruments = [{ name: 'psu', driver: 'scpi', signals: [], actions: [] }]
  const told = { ...inventory(), benches: [{ name: 'b', parts: { supply: 'psu' }, state: 'free' }], instruments }
  refuseWrites = true
  fleet.inventory('n', told)
  await clock.advance(1000)
  refuseWrites = false
  // The node has nothing new to tell, and is away when the hub starts again.
  fleet.inventory('n', told)
  await clock.advance(1000)
  await until(async () => (await loadFleetBook(store, clock)).benches.has('n.b'), 'the bench being kept')
  const next = await loadFleetBook(store, clock)
  const bench = next.benches.get('n.b')
  assert.equal(bench && next.partsOf(bench), { supply: instruments[0] })
  assert.is(next.nodes.get('n')?.bootId, 'boot')
  fleet.close()
})

test('a lease lasts as long as the node has granted, whatever the wall clock does', async () => {
  const { fleet, bench } = await withBench()
  answer = () => ({ lease: 'granted', ttlMs: 600_000 })
  const { lease, expiresAt } = await fleet.takeLease('n.b', 'ada', 3600)
  assert.is(Date.parse(expiresAt) - clock.now(), 600_000)
  clock.jump(24 * 3600_000)
  await clock.advance(590_000)
  assert.is(bench.lease?.lease, 'granted')
  assert.is((await fleet.bench('n.b', { personId: 'ada', seesPeople: false }))?.mine, true)
  assert.is((await fleet.bench('n.b', { personId: 'bo', seesPeople: false }))?.mine, undefined)
  assert.is((await fleet.bench('n.b'))?.mine, undefined)
  const renewed = await fleet.renewLease('n.b', lease, 3600, 'ada')
  assert.is(Date.parse(renewed.expiresAt) - clock.now(), 600_000)
  clock.jump(-24 * 3600_000)
  await clock.advance(590_000)
  assert.is(bench.lease?.lease, 'granted')
  await clock.advance(11_000)
  assert.is(bench.lease, undefined)
  fleet.close()
})

test('a lease that the node has ended can be given back; one that it does not answer for stays', async () => {
  const { fleet, bench } = await withBench()
  answer = () => ({ lease: 'granted', ttlMs: 600_000 })
  await fleet.takeLease('n.b', 'ada', 60)
  answer = () => {
    throw new LabError({ code: 'node-silent', kind: 'link', message: 'silent' })
  }
  assert.is(await refusal(fleet.releaseLease('n.b', 'granted', 'ada')), 'node-silent')
  assert.ok(bench.lease)
  answer = () => {
    throw new LabError({ code: 'lease-invalid', kind: 'caller', message: 'ended' })
  }
  assert.equal(await fleet.releaseLease('n.b', 'granted', 'ada'), { safe: true })
  assert.is(bench.lease, undefined)
  fleet.close()
})

const ada = { person: 'ada', way: 'api', address: '192.0.2.7' } as const
const directUses = () => store.db.selectFrom('direct_use').selectAll().orderBy('id').execute()
const exchanged = () => store.db.selectFrom('direct_command').selectAll().orderBy('id').execute()

test('what somebody holds is given back by whoever shuts them out, or runs out where the node is silent', async () => {
  const { fleet, bench } = await withBench()
  answer = () => ({ lease: 'granted', ttlMs: 60_000 })
  await fleet.takeLease('n.b', 'ada', 60)
  await fleet.releaseAllOf('bo', 'root')
  assert.is(bench.lease?.holder, 'ada', 'nobody else loses a bench')
  answer = () => {
    throw new LabError({ code: 'node-silent', kind: 'link', message: 'no answer' })
  }
  await fleet.releaseAllOf('ada', 'root')
  assert.is(bench.lease?.holder, 'ada', 'it is not known to be safe')
  answer = () => ({ safe: true })
  await fleet.releaseAllOf('ada', 'root')
  assert.is(bench.lease, undefined)
  await fleet.close()
})

test('driving a bench is a use from the lease to its end, with every exchange and what came of it', async () => {
  const { fleet } = await withBench()
  answer = () => ({ lease: 'granted', ttlMs: 600_000 })
  const { lease } = await fleet.takeLease('n.b', 'ada', 60, { address: '192.0.2.7' })
  const [begun] = await directUses()
  assert.equal(
    [begun?.person_id, begun?.bench, begun?.client_address, begun?.ended_at],
    ['ada', 'n.b', '192.0.2.7', null],
  )
  answer = () => ({ readings: { 'box.value': { value: 3, unit: '1', time: 1 } } })
  await clock.advance(500)
  await fleet.exchange('n.b', { lease, set: { 'box.value': 3 }, read: ['box.value'] }, ada)
  await fleet.exchange('n.b', { read: ['box.value'] }, ada)
  answer = () => {
    throw new LabError({ code: 'limit', kind: 'caller', message: 'too much' })
  }
  assert.is(await refusal(fleet.exchange('n.b', { lease, set: { 'box.value': 99 } }, ada)), 'limit')
  answer = () => ({ safe: true })
  await clock.advance(500)
  await fleet.releaseLease('n.b', lease, 'ada')
  const [use, ...more] = await directUses()
  assert.equal(more, [])
  assert.equal([use?.ended_why, (use?.ended_at ?? 0) - (use?.started_at ?? 0), use?.exchanges], ['released', 1000, 2])
  assert.equal(
    (await exchanged()).map(({ use_id, sets, reads, answer: came, error }) => [use_id, sets, reads, came, error]),
    [
      [
        use?.id,
        '{"box.value":3}',
        '["box.value"]',
        '{"box.value":{"value":3,"unit":"1","time":"1970-01-01T00:00:01.000Z"}}',
        null,
      ],
      [use?.id, '{"box.value":99}', '[]', null, 'too much'],
    ],
    'who looks without a lease uses nothing',
  )
  await fleet.close()
})

test('while others end a use its holder is told who and why, and has it again where that fails', async () => {
  const { fleet, bench } = await withBench()
  answer = () => ({ lease: 'granted', ttlMs: 600_000 })
  await fleet.takeLease('n.b', 'ada', 60)
  let fail: (() => void) | undefined
  answer = () =>
    new Promise((_, reject) => {
      fail = () => reject(new LabError({ code: 'node-silent', kind: 'link', message: 'silent' }))
    })
  const ending = refusal(fleet.endLease('n.b', 'it smells', 'bo'))
  await until(() => bench.lease?.takenBack !== undefined, 'the end being under way')
  for (const ask of [
    () => fleet.exchange('n.b', { lease: 'granted', read: ['box.value'] }, ada),
    () => fleet.renewLease('n.b', 'granted', 60, 'ada'),
  ]) {
    const { code, details } = await rejection(ask())
    assert.equal([code, details], ['lease-ended', { why: 'ended-by-other', reason: 'it smells' }])
  }
  await until(() => fail !== undefined, 'the node being asked')
  fail?.()
  assert.is(await ending, 'node-silent')
  answer = () => ({ ttlMs: 60_000 })
  assert.is((await fleet.renewLease('n.b', 'granted', 60, 'ada')).lease, 'granted')
  await fleet.close()
})

test('who has lost a bench is told who and why also while that is being written', async () => {
  const { fleet, book, bench } = await withBench()
  answer = () => ({ lease: 'granted', ttlMs: 600_000 })
  await fleet.takeLease('n.b', 'ada', 60)
  const holds = createHolds({
    book,
    sessions: { open: () => undefined, mustBeActive: () => assert.unreachable() as never },
    leaseEnds: createLeaseEnds(store),
  })
  const caller: Caller = { personId: 'ada', name: 'Ada', email: '', role: 'admin', scopes: 'all', via: 'session' }
  assert.is((await holds.own(caller, 'n', 'granted')).bench, 'n.b')
  answer = () => ({ safe: true })
  let written = () => {}
  writing = new Promise((resolve) => (written = resolve))
  const ending = fleet.endLease('n.b', 'it smells', 'bo')
  await until(() => bench.lease === undefined, 'the end being written')
  const why = { why: 'ended-by-other', reason: 'it smells' }
  for (const ask of [() => fleet.renewLease('n.b', 'granted', 60, 'ada'), () => holds.own(caller, 'n', 'granted')]) {
    const { code, details } = await rejection(ask())
    assert.equal([code, details], ['lease-ended', why])
  }
  written()
  await ending
  assert.equal((await rejection(holds.own(caller, 'n', 'granted'))).details, why)
  await fleet.close()
})

test('what a bench is held for is in the audit log each time that it changes', async () => {
  const { fleet } = await withBench()
  answer = () => ({ lease: 'granted', ttlMs: 600_000 })
  const before = (await store.db.selectFrom('audit').select('id').execute()).length
  await fleet.takeLease('n.b', 'ada', 60, { reason: 'a sweep' })
  for (const reason of [undefined, 'a sweep', 'a calibration', undefined, '', ''])
    await fleet.renewLease('n.b', 'granted', 60, 'ada', reason)
  const entries = await store.db.selectFrom('audit').select(['person_id', 'action', 'detail']).orderBy('id').execute()
  assert.equal(
    entries.slice(before).map((one) => [one.person_id, one.action, JSON.parse(one.detail)]),
    [
      ['ada', 'bench.lease', { reason: 'a sweep' }],
      ['ada', 'bench.lease', { reason: 'a calibration', renewed: true }],
      ['ada', 'bench.lease', { renewed: true }],
    ],
  )
  answer = () => ({ safe: true })
  await fleet.releaseLease('n.b', 'granted', 'ada')
  await fleet.close()
})

test('no other hold is ended than the one that was seen', async () => {
  const { fleet, bench } = await withBench()
  const take = (holder: string) => {
    answer = () => ({ lease: `of ${holder}`, ttlMs: 600_000 })
    return fleet.takeLease('n.b', holder, 60)
  }
  const since = async () => (await fleet.bench('n.b'))?.leasedSince
  await take('ada')
  const ofAda = await since()
  // How the bench stands changes meanwhile, and the hold is the same.
  await clock.advance(1000)
  fleet.inventory('n', inventory())
  assert.is(await since(), ofAda)
  answer = () => ({ safe: true })
  await fleet.releaseLease('n.b', 'of ada', 'ada')
  await clock.advance(1000)
  await take('bob')
  let told = 0
  answer = () => {
    told++
    return { safe: true }
  }
  const { code, details } = await rejection(fleet.endLease('n.b', 'it smells', 'cy', ofAda))
  assert.equal([code, details], ['hold-changed', { since: await since() }])
  assert.equal([bench.lease?.holder, bench.lease?.takenBack, told], ['bob', undefined, 0])
  // Also by a hub that has started again.
  const ofBob = await since()
  await fleet.close()
  const { fleet: next } = await startFleet()
  next.inventory('n', inventory())
  assert.is((await next.bench('n.b'))?.leasedSince, ofBob)
  assert.equal(await next.endLease('n.b', 'it smells', 'cy', ofBob), { safe: true })
  assert.is(await refusal(next.endLease('n.b', 'it smells', 'cy', ofBob)), 'not-found')
  await next.close()
})

test('a use that others end, that runs out or that ran out while the hub was down says so, with the right time', async () => {
  const { fleet } = await withBench()
  const take = () => {
    answer = () => ({ lease: 'granted', ttlMs: 60_000 })
    return fleet.takeLease('n.b', 'ada', 60)
  }
  await take()
  answer = () => ({ safe: true })
  await fleet.releaseLease('n.b', 'granted', 'bo')
  await take()
  await clock.advance(61_000)
  const ends = async () =>
    (await directUses()).map(({ ended_why, started_at, ended_at }) => [ended_why, (ended_at ?? 0) - started_at])
  await until(async () => (await ends()).every(([why]) => why !== null), 'the use running out')
  await take()
  await fleet.close()
  await clock.advance(3_600_000)
  const { fleet: next } = await startFleet()
  await clock.advance(1000)
  await until(async () => (await ends()).every(([why]) => why !== null), 'the use having run out')
  assert.equal(await ends(), [
    ['taken-back', 0],
    ['expired', 60_000],
    ['expired', 60_000],
  ])
  const entries = await store.db.selectFrom('audit').select(['person_id', 'action', 'detail']).orderBy('id').execute()
  assert.ok(
    entries.some((one) => one.person_id === 'bo' && one.detail === '{"holder":"ada","lease":"granted"}'),
    'who ended it',
  )
  await next.close()
})

test('a lease that outlives a restart of the hub is still the same use', async () => {
  const { fleet } = await withBench()
  answer = () => ({ lease: 'granted', ttlMs: 600_000 })
  await fleet.takeLease('n.b', 'ada', 60)
  await fleet.close()
  const { fleet: next } = await startFleet()
  next.inventory('n', inventory())
  answer = () => ({ readings: {} })
  await next.exchange('n.b', { lease: 'granted', set: { 'box.value': 1 } }, ada)
  answer = () => ({ safe: true })
  await next.releaseLease('n.b', 'granted', 'ada')
  assert.equal(
    (await directUses()).map(({ ended_why, exchanges }) => [ended_why, exchanges]),
    [['released', 1]],
  )
  await next.close()
})

/** A node that has heard it and whose answer is lost, as where the hub is killed. */
const silentNode = () => {
  throw new LabError({ code: 'node-silent', kind: 'link', message: 'no answer' })
}
const knowing = (_: string, { lease = '' }: { lease?: string }) => ({ lease, ttlMs: 600_000 })

test('who asks again by the same key has the same lease, also of a hub that was killed meanwhile; others do not', async () => {
  const { fleet, bench } = await withBench()
  const asked: (string | undefined)[] = []
  answer = (_, { lease }) => {
    asked.push(lease)
    return silentNode()
  }
  assert.is(await refusal(fleet.takeLease('n.b', 'ada', 60, { key: 'one' })), 'node-silent')
  assert.is(await refusal(fleet.takeLease('n.b', 'ada', 60, { key: 'two' })), 'bench-busy')
  assert.is(await refusal(fleet.takeLease('n.b', 'bo', 60, { key: 'one' })), 'bench-busy')
  answer = (method, params) => {
    asked.push(params.lease)
    return knowing(method, params)
  }
  const [first, second] = await Promise.all([
    fleet.takeLease('n.b', 'ada', 60, { key: 'one' }),
    fleet.takeLease('n.b', 'ada', 60, { key: 'one' }),
  ])
  assert.is(first.lease, second.lease)
  assert.equal(asked, [first.lease, first.lease], 'the node was asked for the same, once by both')
  assert.is((await directUses()).length, 1)
  await fleet.close()
  const { fleet: next, book } = await startFleet()
  next.inventory('n', inventory())
  assert.is((await next.takeLease('n.b', 'ada', 60, { key: 'one' })).lease, first.lease)
  assert.is((await directUses()).length, 1, 'it is one use')
  answer = () => ({ safe: true })
  await next.releaseLease('n.b', first.lease, 'ada')
  assert.is(book.benches.get('n.b')?.lease, undefined)
  assert.is(bench.lease?.lease, first.lease, 'of the hub that is no more')
  await next.close()
})

test('a bench of which nobody knows whether its node gave it is free once the node says so', async () => {
  const { fleet } = await withBench()
  answer = silentNode
  assert.is(await refusal(fleet.takeLease('n.b', 'ada', 600, { key: 'one' })), 'node-silent')
  await fleet.close()
  const { fleet: next, book } = await startFleet()
  const isHeld = () => book.benches.get('n.b')?.lease !== undefined
  next.inventory('n', inventory())
  await clock.advance(3000)
  assert.ok(isHeld(), 'its node does not answer')
  const released: unknown[] = []
  answer = (method, { lease }) => {
    released.push([method, typeof lease])
    return { safe: true }
  }
  await clock.advance(1000)
  await until(() => !isHeld(), 'the bench being free')
  assert.equal(released, [['lease.release', 'string']])
  answer = knowing
  assert.ok((await next.takeLease('n.b', 'bo', 60)).lease)
  await next.close()
})

test('a bench that is being taken is nobody else’s before its node has answered, however short it is to be held', async () => {
  const { fleet, bench } = await withBench()
  let grant: (() => void) | undefined
  answer = (method, params) => new Promise((resolve) => (grant = () => resolve(knowing(method, params))))
  const taking = fleet.takeLease('n.b', 'ada', 5)
  await until(() => grant !== undefined, 'the node being asked')
  await clock.advance(7000)
  assert.is(await refusal(fleet.takeLease('n.b', 'bo', 60)), 'bench-busy')
  grant?.()
  const { lease } = await taking
  assert.equal([bench.lease?.lease, bench.lease?.holder], [lease, 'ada'])
  await fleet.close()
})

test('a bench that was given back while it was being taken, and taken by another, stays the other’s', async () => {
  const { fleet, bench } = await withBench()
  let grant: (() => void) | undefined
  const released: (string | undefined)[] = []
  answer = (method, params) => {
    if (method === 'lease.take') return new Promise((resolve) => (grant = () => resolve(knowing(method, params))))
    released.push(params.lease)
    return { safe: true }
  }
  const taking = refusal(fleet.takeLease('n.b', 'ada', 60))
  await until(() => grant !== undefined, 'the node being asked')
  const { lease = '' } = bench.lease ?? {}
  await fleet.releaseLease('n.b', lease, 'ada')
  const late = grant
  const others = fleet.takeLease('n.b', 'bo', 60)
  await until(() => grant !== late, 'the other asking the node')
  late?.()
  assert.is(await taking, 'lease-ended')
  grant?.()
  await others
  assert.is(bench.lease?.holder, 'bo')
  assert.equal(released, [lease, lease], 'the node has it no more')
  await fleet.close()
})

test('what could not be written is refused with why, also where its node does not take it back', async () => {
  const { fleet, bench, log } = await withBench()
  answer = (method, params) => {
    if (method === 'lease.release') return silentNode()
    refuseWrites = true
    return knowing(method, params)
  }
  const taking = refusal(fleet.takeLease('n.b', 'ada', 60))
  assert.is(await taking, 'disk-full')
  refuseWrites = false
  assert.is(bench.lease, undefined)
  assert.is(log.lines.filter(({ message }) => /could not be given back to its node/.test(message)).length, 1)
  await fleet.close()
})

test('a bench of which nobody knows whether its node gave it stays held where the node fails to say so', async () => {
  const { fleet, bench } = await withBench()
  answer = silentNode
  assert.is(await refusal(fleet.takeLease('n.b', 'ada', 600, { key: 'one' })), 'node-silent')
  let asked = 0
  answer = () => {
    asked++
    throw new LabError({ code: 'internal-error', kind: 'bug', message: 'broken' })
  }
  await clock.advance(2000)
  await until(() => asked > 0, 'the node being asked')
  await clock.advance(1000)
  assert.is(bench.lease?.holder, 'ada')
  answer = () => {
    throw new LabError({ code: 'lease-invalid', kind: 'caller', message: 'there is none' })
  }
  await clock.advance(1000)
  await until(() => bench.lease === undefined, 'the bench being free')
  await fleet.close()
})

test('an exchange does not wait for its record, and one that can not be noted is answered', async () => {
  const { fleet, log } = await withBench()
  answer = () => ({ lease: 'granted', ttlMs: 600_000 })
  const { lease } = await fleet.takeLease('n.b', 'ada', 60)
  answer = () => ({ readings: {} })
  refuseWrites = true
  for (let i = 0; i < 3; i++) await fleet.exchange('n.b', { lease, set: { 'box.value': i } }, ada)
  await clock.advance(100)
  await until(() => log.lines.some(({ message }) => /could not be noted/.test(message)), 'the loss being said')
  refuseWrites = false
  await fleet.exchange('n.b', { lease, set: { 'box.value': 4 } }, ada)
  await clock.advance(100)
  await until(async () => (await exchanged()).some(({ sets }) => sets === '{"box.value":4}'), 'the record')
  assert.is(log.lines.filter(({ message }) => /could not be noted/.test(message)).length, 1)
  await fleet.close()
})

test('a use whose end can not be written is ended later, with all that was exchanged in it', async () => {
  const { fleet, bench, log } = await withBench()
  answer = () => ({ lease: 'granted', ttlMs: 60_000 })
  const { lease } = await fleet.takeLease('n.b', 'ada', 60)
  await clock.advance(59_990)
  answer = () => ({ readings: {} })
  await fleet.exchange('n.b', { lease, set: { 'box.value': 1 } }, ada)
  refuseWrites = true
  await clock.advance(30)
  const lost = () => log.lines.filter(({ message }) => /end of a lease could not be kept/.test(message)).length
  await until(() => lost() > 0, 'the end being lost')
  assert.is(bench.lease?.lease, lease)
  refuseWrites = false
  await clock.advance(1000)
  await until(async () => (await directUses()).every(({ ended_at }) => ended_at !== null), 'the end being written')
  assert.is(bench.lease, undefined)
  assert.equal(
    (await directUses()).map(({ ended_why, started_at, ended_at, exchanges }) => [
      ended_why,
      (ended_at ?? 0) - started_at,
      exchanges,
    ]),
    [['expired', 60_000, 1]],
  )
  assert.is((await exchanged()).length, 1)
  assert.is(lost(), 1)
  await fleet.close()
})

test('a bench has one open use, and a use that nobody holds ends when the hub starts', async () => {
  const open = { person_id: 'bo', client_address: null, country: null, ended_at: null, ended_why: null }
  const { fleet } = await withBench()
  const at = clock.now()
  await store.db
    .insertInto('direct_use')
    .values([{ ...open, id: '0', bench: 'n.b', started_at: at, unnamed_at: null }])
    .execute()
  answer = () => ({ lease: 'granted', ttlMs: 600_000 })
  await fleet.takeLease('n.b', 'ada', 60)
  const ends = async () => (await directUses()).map(({ id, ended_at }) => [id === '0' || id, ended_at])
  const [[, first] = [], [mine, lasts] = []] = await ends()
  assert.equal([first, lasts], [at, null])
  await store.db
    .insertInto('direct_use')
    .values([{ ...open, id: '1', bench: 'gone.b', started_at: at, unnamed_at: null }])
    .execute()
  await store.db
    .insertInto('direct_command')
    .values({ use_id: '1', at: at + 5000, sets: '{}', reads: '[]', answer: '{}', error: null, took_ms: 1 })
    .execute()
  await fleet.close()
  const { fleet: next } = await startFleet()
  assert.equal(await ends(), [
    [true, at],
    [mine, null],
    ['1', at + 5000],
  ])
  await next.close()
})

test('while the disk is nearly full no bench is taken, and exchanges are counted, not kept', async () => {
  const { fleet, log } = await withBench()
  answer = () => ({ lease: 'granted', ttlMs: 600_000 })
  const { lease } = await fleet.takeLease('n.b', 'ada', 60)
  answer = () => ({ readings: {} })
  hasSpace = false
  for (let i = 0; i < 3; i++) await fleet.exchange('n.b', { lease, set: { 'box.value': i } }, ada)
  hasSpace = true
  await fleet.exchange('n.b', { lease, set: { 'box.value': 4 } }, ada)
  answer = () => ({ safe: true })
  await fleet.releaseLease('n.b', lease, 'ada')
  assert.equal(
    [(await directUses()).map(({ exchanges }) => exchanges), (await exchanged()).map(({ sets }) => sets)],
    [[4], ['{"box.value":4}']],
  )
  assert.is(log.lines.filter(({ message }) => /counted, not kept/.test(message)).length, 1)
  hasSpace = false
  assert.is(await refusal(fleet.takeLease('n.b', 'ada', 60)), 'disk-full')
  await fleet.close()
})

test('a code ends after a quarter of an hour, and with any other credential of its node', async () => {
  const { fleet } = await startFleet()
  const late = await fleet.createEnrollment('n', 'ada')
  await clock.advance(15 * 60_000)
  assert.is(await refusal(fleet.enroll(late.code, 'n')), 'enrollment-refused')
  const [one, other] = [await fleet.createEnrollment('n', 'ada'), await fleet.createEnrollment('n', 'ada')]
  const theirs = await fleet.createEnrollment('m', 'ada')
  await clock.advance(15 * 60_000 - 1)
  await fleet.enroll(one.code, 'n')
  assert.is(await refusal(fleet.enroll(other.code, 'n')), 'enrollment-refused')
  const third = await fleet.createEnrollment('n', 'ada')
  await fleet.rotate('n', 'ada')
  assert.is(await refusal(fleet.enroll(third.code, 'n')), 'enrollment-refused')
  const fourth = await fleet.createEnrollment('n', 'ada')
  await fleet.revoke('n', 'ada')
  assert.is(await refusal(fleet.enroll(fourth.code, 'n')), 'enrollment-refused')
  await fleet.enroll(theirs.code, 'm')
  fleet.close()
})

test('what is done to a node or a bench is done with its entry in the audit log, or not at all', async () => {
  const { fleet, bench } = await withBench()
  answer = () => ({ lease: 'granted', ttlMs: 600_000 })
  const { code } = await fleet.createEnrollment('m', 'ada')
  const { password } = await fleet.enrollment.issue('n')
  const rows = async () => ({
    nodes: await store.db.selectFrom('node').select(['id', 'credential_hash', 'revoked_at']).orderBy('id').execute(),
    codes: await store.db.selectFrom('enrollment').selectAll().execute(),
    lease: (await store.db.selectFrom('bench').select('lease').executeTakeFirstOrThrow()).lease,
  })
  const before = await rows()
  await store.database.write([
    { sql: "CREATE TRIGGER no_entry BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'no room'); END" },
  ])
  for (const deed of [
    () => fleet.createEnrollment('o', 'ada'),
    () => fleet.enroll(code, 'm'),
    () => fleet.rotate('n', 'ada'),
    () => fleet.revoke('n', 'ada'),
    () => fleet.takeLease('n.b', 'ada', 60),
  ]) {
    assert.is.not(await refusal(deed()), 'none', String(deed))
    assert.equal(await rows(), before, String(deed))
  }
  assert.equal(await directUses(), [])
  assert.is(bench.lease, undefined)
  assert.ok(await fleet.enrollment.verify('n', password))
  await store.database.write([{ sql: 'DROP TRIGGER no_entry' }])
  await fleet.takeLease('n.b', 'ada', 60)
  await fleet.enroll(code, 'm')
  await fleet.rotate('n', 'bo')
  await fleet.revoke('n', 'bo')
  const entries = await store.db.selectFrom('audit').select(['person_id', 'action', 'subject']).orderBy('id').execute()
  assert.equal(
    entries.map(({ person_id, action, subject }) => [person_id, action, subject]),
    [
      ['ada', 'node.enrollment-code', 'm'],
      ['ada', 'bench.lease', 'n.b'],
      [null, 'node.enrolled', 'm'],
      ['bo', 'node.rotate', 'n'],
      ['bo', 'node.revoke', 'n'],
    ],
  )
  fleet.close()
})

test('no node is called as the user name of people’s tokens', async () => {
  const { fleet } = await startFleet()
  assert.is(await refusal(fleet.createEnrollment('token', 'ada')), 'name-invalid')
  fleet.close()
})

test('a bench shows the narrowest limits, its own among them', async () => {
  const { fleet } = await startFleet()
  await fleet.enrollment.issue('n')
  const voltage = {
    name: 'voltage',
    unit: 'V',
    dtype: 'number',
    shape: [],
    kind: 'configuration',
    access: 'read-set',
    limits: { low: 0, high: 30 },
  } as const
  const limits = { 'psu.voltage': { low: -5, high: 12 } }
  fleet.inventory('n', {
    ...inventory(),
    benches: [
      { name: 'b', parts: { psu: 'supply' }, state: 'free', limits },
      { name: 'other', parts: { psu: 'supply' }, state: 'free' },
    ],
    instruments: [{ name: 'supply', driver: 'd', signals: [voltage], actions: [] }],
  })
  const shown = async (id: string) => (await fleet.bench(id))?.parts.psu?.signals
  assert.equal(await shown('n.b'), [{ ...voltage, limits: { low: 0, high: 12 } }])
  assert.equal(await shown('n.other'), [voltage])
  fleet.close()
})

test.run()
