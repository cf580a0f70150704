import { weekdays } from '@fernlab/shared/contracts/bench-care'
import fc from 'fast-check'
import { closedS } from 'fernlab/simulate/closing'
import { type LateState, lateBecause } from 'fernlab/simulate/late-because'
import type { Load } from 'fernlab/simulate/load'
import { fernlab, firstCome, type Policy } from 'fernlab/simulate/policies'
import { asTable } from 'fernlab/simulate/report'
import { simulate } from 'fernlab/simulate/simulate'
import { jain, within } from 'fernlab/simulate/tally'
import { generateLoad, type LoadShape, term } from 'fernlab/simulate/term-load'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('simulating the scheduler')
const few: LoadShape = {
  ...term,
  seed: 7,
  weeks: 1,
  benches: 6,
  labs: 3,
  people: 60,
  queued: 4,
  booked: 1,
  overruns: 0,
  bumpable: 0,
}
const minute = 60_000

test('plays a load the same each time, serves everybody, and begins no booking late', () => {
  const load = generateLoad(few)
  assert.equal(generateLoad(few), load)
  assert.is.not(JSON.stringify(generateLoad({ ...few, seed: 8 }).arrivals), JSON.stringify(load.arrivals))
  assert.ok(load.bookings.length > 20)
  for (const policy of [fernlab, firstCome]) {
    const outcome = simulate(load, policy(load))
    assert.equal(simulate(load, policy(load)), outcome)
    assert.equal([outcome.served, outcome.bookings, outcome.lateBookings], [240, load.bookings.length, 0])
    assert.ok(outcome.utilisation > 0 && outcome.utilisation < 1 && outcome.fairness > 0.3 && outcome.fairness <= 1)
  }
})

test('where runs overrun, those who may be bumped make room, and no booking is later than its grace period', () => {
  const shape = { ...few, overruns: 40 }
  const of = (bumpable: number) => {
    const load = generateLoad({ ...shape, bumpable })
    return simulate(load, fernlab(load))
  }
  const [nobody, everybody] = [of(0), of(100)]
  assert.is(nobody.bumped, 0)
  assert.ok(nobody.latestS > 600, String(nobody.latestS))
  assert.ok(everybody.bumped > 0 && everybody.latestS <= 600, JSON.stringify(everybody))
  assert.is(everybody.bookings, nobody.bookings)
})

test('no booking is later than its grace period where all can be bumped, or nobody overruns by more than that', () => {
  const crowded = { ...few, labs: 4, queued: 5, booked: 2.5 }
  const graceS = 600
  fc.assert(
    fc.property(fc.nat(1_000_000), fc.integer({ min: 10, max: 100 }), (seed, overruns) => {
      const load = generateLoad({ ...crowded, seed, overruns, bumpable: 100 })
      const shorter = load.arrivals.map((one) => ({
        ...one,
        mayBeBumped: false,
        lastsS: Math.min(one.lastsS, one.estimatedS + graceS),
      }))
      for (const played of [load, { ...load, arrivals: shorter }]) {
        const { latestS, bookings } = simulate(played, fernlab(played))
        assert.is(bookings, load.bookings.length)
        assert.ok(latestS <= graceS, `late by ${latestS} s`)
      }
    }),
    { numRuns: 8 },
  )
})

const arrival = (id: string, atMin: number, minutes: number, lab = 'l') => ({
  id,
  personId: id,
  lab,
  atMs: atMin * minute,
  estimatedS: minutes * 60,
  lastsS: minutes * 60,
})

test('a short run fills the gap before a booking, where strict first come keeps the bench free', () => {
  const load: Load = {
    benches: new Map([['x', ['l']]]),
    arrivals: [arrival('long', 0, 60), arrival('short', 1, 5)],
    bookings: [
      { id: 'b', lab: 'l', createdAt: 0, bench: 'x', startMs: 30 * minute, endMs: 60 * minute, leavesMs: 50 * minute },
    ],
    openS: 7200,
  }
  const ours = simulate(load, fernlab(load))
  const theirs = simulate(load, firstCome(load))
  assert.equal([ours.waitS.p50, ours.waitS.max], [3000, 3000])
  assert.equal([theirs.waitS.p50, theirs.waitS.max], [109 * 60, 109 * 60])
  assert.equal([ours.lateBookings, theirs.lateBookings], [0, 0])
  assert.is(ours.utilisation, (60 + 5 + 20) / 120)
  const table = asTable({ benches: 1 }, { fernlab: ours, other: theirs })
  assert.match(table, /^utilisation +70\.8 % +70\.8 %$/m)
})

test('a bench that fails gives its run back to the head of the queue, and its booking another bench', () => {
  const failures = [{ bench: 'x', atMs: 65 * minute, backMs: 80 * minute }]
  const again = { ...arrival('again', 60, 10), kind: 'again' as const }
  const load: Load = {
    benches: new Map([['x', ['l']]]),
    arrivals: [again, arrival('next', 61, 10)],
    bookings: [],
    openS: 3600,
    failures,
  }
  for (const policy of [fernlab, firstCome]) {
    const outcome = simulate(load, policy(load))
    // It starts again as soon as the bench is back, what came after it ten minutes later.
    assert.equal([outcome.putBack, outcome.cutShort, outcome.served, outcome.waitS.max], [1, 0, 3, 29 * 60])
    const once = { ...load, arrivals: [{ ...again, kind: 'once' as const }, arrival('next', 61, 10)] }
    const other = simulate(once, policy(once))
    assert.equal([other.putBack, other.cutShort, other.served, other.waitS.max], [0, 1, 2, 19 * 60])
  }
  const benches = new Map(['x', 'y'].map((bench): [string, string[]] => [bench, ['l']]))
  const booked = {
    id: 'b',
    lab: 'l',
    createdAt: 0,
    bench: 'x',
    startMs: 70 * minute,
    endMs: 120 * minute,
    leavesMs: 110 * minute,
  }
  const elsewhere = { ...load, benches, arrivals: [], bookings: [booked] }
  for (const policy of [fernlab, firstCome]) {
    const { bookings, lateBookings, failures: count } = simulate(elsewhere, policy(elsewhere))
    assert.equal([bookings, lateBookings, count], [1, 0, 1])
  }
  const nowhere = { ...elsewhere, failures: [...failures, { bench: 'y', atMs: 0, backMs: Infinity }] }
  const outcome = simulate(nowhere, fernlab(nowhere))
  assert.equal([outcome.latestS, outcome.beyondGraceBecause['no bench']], [600, 0], 'x is there again when it is over')
  const longer = {
    ...nowhere,
    failures: [{ bench: 'x', atMs: 65 * minute, backMs: 150 * minute }, ...nowhere.failures.slice(1)],
  }
  assert.equal(simulate(longer, fernlab(longer)).neverBegan, 1)
})

test('where benches are too few, who booked first keeps one, as on the hub', () => {
  const later = {
    id: 'a',
    lab: 'l',
    createdAt: 2,
    bench: 'x',
    startMs: 60 * minute,
    endMs: 90 * minute,
    leavesMs: 90 * minute,
  }
  const sooner = { ...later, id: 'z', createdAt: 1, bench: 'y', startMs: 61 * minute }
  const load: Load = {
    ...{ benches: new Map(['x', 'y'].map((bench) => [bench, ['l']])), arrivals: [], openS: 7200 },
    bookings: [later, sooner],
    failures: [
      { bench: 'x', atMs: 10 * minute, backMs: 70 * minute },
      { bench: 'y', atMs: 10 * minute, backMs: 200 * minute },
    ],
  }
  const policy = fernlab(load)
  const begun: string[] = []
  const told: Policy = {
    ...{ add: policy.add, ended: policy.ended, waiting: 0 },
    decide: (moment) => {
      const given = policy.decide(moment)
      begun.push(...given.bookings.map(({ booking }) => booking.id))
      return given
    },
  }
  simulate(load, told)
  assert.equal(begun, ['z'], 'the other would have no time left')
})

test('nothing is given to a bench that would close before its end, in either night in which the clocks change', () => {
  const when = { days: [...weekdays], from: '01:30', until: '03:30', timeZone: 'Europe/Madrid' }
  const night = { plan: { id: 'n', reason: 'night', atOnce: false, when, createdBy: 's', createdAt: 0 } }
  const lasts = [
    ['2026-03-28T23:00Z', 1],
    ['2026-03-29T22:00Z', 2],
    ['2026-10-24T22:00Z', 3],
  ] as const
  for (const [midnight, hours] of lasts) {
    const from = Date.parse(midnight)
    const closed = new Map([['x', [night]]])
    assert.is(closedS(closed, [{ from, until: from + 12 * 60 * minute }]), hours * 3600)
    const load: Load = {
      benches: new Map([['x', ['l']]]),
      arrivals: [arrival('long', 60, 31), arrival('short', 61, 29)].map((one) => ({ ...one, atMs: from + one.atMs })),
      bookings: [],
      openS: 3600,
      closed,
    }
    for (const policy of [fernlab, firstCome]) {
      const { waitS, served } = simulate(load, policy(load))
      const opensMin = 90 + hours * 60
      assert.equal([served, waitS.max], [2, (opensMin + (policy === firstCome ? 31 - 61 : -60)) * 60])
    }
  }
})

test('where benches fail and close, a booking is later than its grace for want of a bench that works, and for nothing else', () => {
  const shape = {
    ...few,
    labs: 4,
    queued: 5,
    booked: 2.5,
    bumpable: 100,
    timeZone: 'Europe/Madrid',
    begins: '2026-03-23',
  }
  let failures = 0
  for (const seed of [1, 2, 3, 4]) {
    const closed = seed % 2 === 0 ? 'nights' : 'never'
    const load = generateLoad({ ...shape, seed, closed, maintained: seed, overruns: 40, fails: seed * 10, repair: 90 })
    for (const policy of [fernlab, firstCome]) {
      const outcome = simulate(load, watched(policy(load)))
      assert.is(outcome.bookings + outcome.neverBegan, load.bookings.length)
      assert.is(outcome.unserved, 0)
      if (policy === firstCome) continue
      assert.equal([outcome.beyondGraceBecause.held, outcome.beyondGraceBecause['no cause']], [0, 0], `seed ${seed}`)
      failures += outcome.failures
    }
  }
  assert.ok(failures > 20, String(failures))
})

/** Holds what is given against what there is. */
function watched(policy: Policy): Policy {
  return {
    get waiting() {
      return policy.waiting
    },
    add: (arrival, first) => policy.add(arrival, first),
    ended: (arrival, usedMs, nowMs) => policy.ended(arrival, usedMs, nowMs),
    decide: (moment) => {
      const given = policy.decide(moment)
      const benches = [...given.arrivals, ...given.bookings].map(({ bench }) => bench)
      assert.is(new Set(benches).size, benches.length)
      for (const bench of benches) {
        assert.ok(moment.free.includes(bench) && moment.works(bench) && moment.closings.isOpen(bench))
      }
      for (const { arrival, bench } of given.arrivals) {
        assert.ok(arrival.estimatedS <= moment.closings.freeForS(bench))
      }
      for (const { booking, bench } of given.bookings) {
        assert.equal(moment.closings.closed(bench, { from: moment.nowMs, until: booking.endMs }), [])
      }
      return given
    },
  }
}

test('why a booking is late is told by everybody who has booked, and by when benches are expected back', () => {
  const claim = (id: string, benches: string[], from: number, until: number) => ({ id, benches, from, until })
  const late = claim('late', ['x', 'y'], -10, 50)
  const because = (soon: LateState['pending'], more: Partial<LateState> = {}) =>
    lateBecause(
      new Set(['late']),
      { pending: [late, ...soon], held: new Map(), taken: new Map(), works: () => true, ...more },
      0,
    ).get('late')
  assert.is(because([]), 'no cause')
  assert.is(because([], { works: () => false }), 'no bench')
  const both = new Map([
    ['x', 60],
    ['y', 60],
  ])
  assert.is(because([], { held: both }), 'no bench', 'both are booked')
  assert.is(because([], { taken: both }), 'held')
  const soon = [claim('soon', ['x', 'y'], 5, 20)]
  assert.is(because(soon, { taken: new Map([['y', 4]]) }), 'no cause', 'it has y')
  assert.is(because(soon, { taken: new Map([['y', 6]]) }), 'held', 'x is all that it can have in time')
  const after = [...soon, claim('after', ['y'], 19, 90), claim('last', ['x'], 50, 90)]
  assert.is(because(after), 'no bench', 'y is booked from before it ends')
})

test('what benches do at night and at the week’s end is not in their utilisation', () => {
  const { open = [], openS } = generateLoad({ ...few, timeZone: 'Europe/Madrid', begins: '2026-03-23', weeks: 2 })
  const hour = 60 * minute
  const day = 24 * hour
  const monday = Date.parse('2026-03-22T23:00Z')
  const of = (from: number, until: number) => within(open, monday + from, monday + until)
  assert.equal([of(7 * hour, 9 * hour), of(21 * hour, day + 9 * hour), of(5 * day, 7 * day)], [hour, 2 * hour, 0])
  assert.is(of(0, 14 * day), 10 * 14 * hour)
  assert.is(openS, 10 * 14 * 3600)
  assert.is(of(7 * day, 7 * day + 8 * hour), hour, 'its clocks were set forward on Sunday')
})

test('Jain’s index is 1 for equal shares, and a part of it where one has all', () => {
  assert.equal([jain([2, 2, 2]), jain([1, 0, 0, 0]), jain([])], [1, 0.25, 1])
})

test.run()
