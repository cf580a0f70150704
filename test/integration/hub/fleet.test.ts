/** The fleet over a real database, with nodes and time that do as the test says. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CompatibilityCache } from '@fernlab/hub/fleet/compatible'
import { loadFleetBook } from '@fernlab/hub/fleet/fleet-book'
import { createFleet } from '@fernlab/hub/fleet/open-fleet'
import { openStore, type Store } from '@fernlab/hub/store/store'
import { type Inventory, SYNC_VERSION } from '@fernlab/shared/contracts/sync'
import { ManualClock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { recordingLog, silentLog } from '@fernlab/shared/primitives/log'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'
import { until } from './hub-with-node.ts'

const test = suite('the fleet')
let folder: string
let store: Store
let clock: ManualClock
let refuseWrites: boolean
/** What the node answers to a call. */
let answer: (method: string, params: { ttlMs?: number }) => object

test.before.each(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fernlab-fleet-'))
  store = await openStore({ url: `sqlite:${join(folder, 'hub.db')}`, log: silentLog })
  clock = new ManualClock()
  refuseWrites = false
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
    store: { ...store, write: async (queries) => (refuseWrites ? Promise.reject(full) : store.write(queries)) },
    calls: {
      call: async (_, method, params) => answer(method, params as never) as never,
      reply: () => {},
      close: () => {},
    },
    checks: { announced: () => {}, reported: () => {} },
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

test('a lease lasts as long as the node has granted, whatever the wall clock does', async () => {
  const { fleet, bench } = await withBench()
  answer = () => ({ lease: 'granted', ttlMs: 600_000 })
  const { lease, expiresAt } = await fleet.takeLease('n.b', 'ada', 3600)
  assert.is(Date.parse(expiresAt) - clock.now(), 600_000)
  clock.jump(24 * 3600_000)
  await clock.advance(590_000)
  assert.is(bench.lease?.lease, 'granted')
  assert.is((await fleet.bench('n.b', 'ada'))?.mine, true)
  assert.is((await fleet.bench('n.b', 'bo'))?.mine, undefined)
  assert.is((await fleet.bench('n.b'))?.mine, undefined)
  const renewed = await fleet.renewLease('n.b', lease, 3600)
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
  assert.is(await refusal(fleet.releaseLease('n.b', 'granted')), 'node-silent')
  assert.ok(bench.lease)
  answer = () => {
    throw new LabError({ code: 'lease-invalid', kind: 'caller', message: 'ended' })
  }
  assert.equal(await fleet.releaseLease('n.b', 'granted'), { safe: true })
  assert.is(bench.lease, undefined)
  fleet.close()
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
  await fleet.rotate('n')
  assert.is(await refusal(fleet.enroll(third.code, 'n')), 'enrollment-refused')
  const fourth = await fleet.createEnrollment('n', 'ada')
  await fleet.revoke('n')
  assert.is(await refusal(fleet.enroll(fourth.code, 'n')), 'enrollment-refused')
  await fleet.enroll(theirs.code, 'm')
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
