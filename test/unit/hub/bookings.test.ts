import { type Booking, planBookings } from '@fernlab/hub/scheduling/bookings'
import { decideWithBookings } from '@fernlab/hub/scheduling/decide'
import type { QueueEntry } from '@fernlab/hub/scheduling/order'
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'
import { entry, queueOf, servedBy } from './waiting.ts'

const test = suite('bookings and the queue')
const minute = 60_000
const booking = (id: string, benches: readonly string[], fromMin: number, toMin: number): Booking => ({
  id,
  benches: new Set(benches),
  startMs: fromMin * minute,
  endMs: toMin * minute,
})
const entries = (...minutes: number[]) =>
  minutes.map((min, at) => entry(`e${at}`, { createdAt: at, estimatedS: min * 60 }))
const never = () => Number.POSITIVE_INFINITY

function decided(
  waiting: readonly QueueEntry[],
  freeBenches: readonly string[],
  bookings: readonly Booking[],
  nowMs = 0,
) {
  const { starts, decisions, plan } = decideWithBookings(
    { lines: queueOf(waiting).lines(nowMs), freeBenches, serves: servedBy(), bookings, backAtMs: never },
    nowMs,
  )
  return {
    starts: starts.map(({ booking, bench }) => [booking, bench]),
    given: decisions.map(({ entry, bench }) => [entry.id, bench]),
    plan: Object.fromEntries(plan),
  }
}

test('an entry takes a bench before a booking only if it ends in time', () => {
  const bookings = [booking('b', ['x'], 20, 50)]
  assert.equal(decided(entries(30, 10), ['x'], bookings).given, [['e1', 'x']])
  assert.equal(decided(entries(19), ['x'], bookings).given, [], 'not even its margin may be late')
})

test('a booking moves to another bench where that lets an entry begin', () => {
  const { given, plan } = decided(entries(60), ['x', 'y'], [booking('b', ['x', 'y'], 20, 50)])
  assert.equal([given, plan], [[['e0', 'x']], { b: 'y' }])
  const both = [booking('b', ['x', 'y'], 20, 50), booking('c', ['x'], 20, 50)]
  assert.equal(decided(entries(60), ['x', 'y'], both).given, [])
  assert.equal(decided(entries(60), ['x', 'y', 'z'], both).given, [['e0', 'z']])
})

test('a booking that is due begins before anybody who waits, also late', () => {
  const due = [booking('b', ['x'], 0, 50)]
  assert.equal(decided(entries(1), ['x', 'y'], due), { starts: [['b', 'x']], given: [['e0', 'y']], plan: { b: 'x' } })
  assert.equal(decided(entries(1), ['x'], due, 5 * minute).starts, [['b', 'x']])
  assert.equal(decided(entries(1), [], due, 5 * minute), { starts: [], given: [], plan: {} })
})

test('a plan is left only for one with as many bookings', () => {
  const kept = planBookings([booking('b', ['x', 'y'], 0, 9)], () => 0, new Map([['b', 'y']]))
  assert.equal([...kept], [['b', 'y']])
  const moved = planBookings(
    [booking('b', ['x', 'y'], 0, 9), booking('c', ['y'], 5, 9), booking('d', ['y', 'z'], 0, 5)],
    () => 0,
    new Map([['b', 'y']]),
  )
  assert.equal(Object.fromEntries(moved), { b: 'x', c: 'y', d: 'y' })
})

const names = ['x', 'y', 'z']
const anyBookings = fc
  .array(
    fc.record({ from: fc.nat(120), lasts: fc.integer({ min: 1, max: 60 }), on: fc.subarray(names, { minLength: 1 }) }),
    {
      maxLength: 8,
    },
  )
  .map((all) => all.map(({ from, lasts, on }, at) => booking(`b${at}`, on, from, from + lasts)))

test('no plan puts two on a bench at once or one on a bench that can’t serve it, and where all overlap none is left out for want of moving', () => {
  fc.assert(
    fc.property(anyBookings, (bookings) => {
      const plan = planBookings(bookings, () => 0)
      for (const one of bookings) {
        const bench = plan.get(one.id)
        if (bench === undefined) continue
        assert.ok(one.benches.has(bench))
        for (const other of bookings) {
          const together = other !== one && plan.get(other.id) === bench
          assert.not.ok(together && one.startMs < other.endMs && other.startMs < one.endMs)
        }
      }
      const atOnce = bookings.map((one) => ({ ...one, startMs: 0, endMs: 1 }))
      const most = (left: readonly Booking[], free: readonly string[]): number => {
        const [first, ...rest] = left
        if (first === undefined) return 0
        const with_ = free
          .filter((bench) => first.benches.has(bench))
          .map(
            (bench) =>
              1 +
              most(
                rest,
                free.filter((b) => b !== bench),
              ),
          )
        return Math.max(most(rest, free), ...with_)
      }
      assert.is(planBookings(atOnce, () => 0).size, most(atOnce, names))
    }),
  )
})

test('played minute by minute, no booking that was planned begins late or loses its bench, and no two hold one', () => {
  const anyEntries = fc.array(fc.tuple(fc.nat(100), fc.integer({ min: 1, max: 60 })), { maxLength: 20 })
  fc.assert(
    fc.property(anyBookings, anyEntries, (wanted, coming) => {
      // A calendar takes a booking only where all can be planned.
      let bookings: Booking[] = []
      let plan = planBookings([], () => 0)
      for (const one of wanted) {
        const next = planBookings([...bookings, one], () => 0, plan)
        if (next.size > bookings.length) {
          bookings = [...bookings, one]
          plan = next
        }
      }
      let waiting = coming.map(([at, min], n) => entry(`e${n}`, { createdAt: at * minute, estimatedS: min * 60 }))
      const busyUntil = new Map<string, number>()
      for (let nowMs = 0; nowMs <= 400 * minute; nowMs += minute) {
        for (const [bench, until] of busyUntil) if (until <= nowMs) busyUntil.delete(bench)
        const free = names.filter((bench) => !busyUntil.has(bench))
        const here = waiting.filter(({ createdAt }) => createdAt <= nowMs)
        const state = { lines: queueOf(here).lines(nowMs), freeBenches: free, serves: servedBy(), bookings, plan }
        const result = decideWithBookings({ ...state, backAtMs: (bench) => busyUntil.get(bench) ?? 0 }, nowMs)
        plan = result.plan
        for (const { booking: id, bench } of result.starts) {
          const started = bookings.find((one) => one.id === id) as Booking
          assert.is(started.startMs, nowMs, 'on time')
          assert.ok(free.includes(bench) && started.benches.has(bench) && !busyUntil.has(bench))
          busyUntil.set(bench, started.endMs)
          bookings = bookings.filter((one) => one !== started)
        }
        for (const { entry: one, bench } of result.decisions) {
          assert.ok(free.includes(bench) && !busyUntil.has(bench))
          busyUntil.set(bench, nowMs + (one.estimatedS ?? 0) * 1000)
          waiting = waiting.filter((other) => other !== one)
        }
      }
      assert.equal([bookings, waiting], [[], []], 'all had their turn')
    }),
    { numRuns: 60 },
  )
})

test.run()
