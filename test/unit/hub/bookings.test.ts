import { Plan } from '@fernlab/hub/bookings/plan'
import { type DecisionWithBookings, decideWithBookings } from '@fernlab/hub/scheduling/decide'
import type { QueueEntry } from '@fernlab/hub/scheduling/order'
import { type BookedPlace, Reserved, withMargin } from '@fernlab/hub/scheduling/reserved'
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'
import { entry, queueOf, servedBy } from './waiting.ts'

const test = suite('bookings and the queue')
const minute = 60_000
const place = (
  id: string,
  benches: readonly string[],
  fromMin: number,
  toMin: number,
  more: Partial<BookedPlace> = {},
): BookedPlace => ({ id, benches, from: fromMin * minute, until: toMin * minute, opens: true, ...more })
const entries = (...minutes: number[]) =>
  minutes.map((min, at) => entry(`e${at}`, { createdAt: at, estimatedS: min * 60 }))
const never = () => Number.POSITIVE_INFINITY

interface More {
  readonly nowMs?: number
  readonly users?: readonly string[]
  readonly backAtMs?: (bench: string) => number
  readonly latestAtMs?: (bench: string) => number
  /** By place; null where the decision before is not known. */
  readonly had?: Readonly<Record<string, string>> | null
}

function decided(
  waiting: readonly QueueEntry[],
  freeBenches: readonly string[],
  places: readonly BookedPlace[],
  { nowMs = 0, users = [], backAtMs = never, latestAtMs = backAtMs, had = {} }: More = {},
) {
  const lines = [...queueOf(waiting).lines(nowMs)]
  const usersOf = () => lines.flatMap(({ places: all }) => all.filter(({ entry: one }) => users.includes(one.id)))
  const before = had === null ? {} : { standing: new Map(Object.entries(had)) }
  const state = { lines, freeBenches, serves: servedBy(), places, backAtMs, latestAtMs, usersOf, ...before }
  const { starts, decisions, late, standing } = decideWithBookings(state, nowMs)
  return {
    starts: starts.map(({ place: id, bench }) => [id, bench]),
    given: decisions.map(({ entry: one, bench }) => [one.id, bench]),
    late,
    standing: Object.fromEntries(standing),
  }
}

test('an entry takes a bench before a booking only if it ends in time', () => {
  const places = [place('b', ['x'], 20, 50)]
  assert.equal(decided(entries(30, 10), ['x'], places).given, [['e1', 'x']])
  assert.equal(decided(entries(19), ['x'], places).given, [], 'not even its margin may be late')
})

test('a booking moves to another bench where that lets an entry begin', () => {
  const { given, standing } = decided(entries(60), ['x', 'y'], [place('b', ['x', 'y'], 20, 50)])
  assert.equal([given, standing], [[['e0', 'x']], { b: 'y' }])
  const both = [place('b', ['x', 'y'], 20, 50), place('c', ['x'], 20, 50)]
  assert.equal(decided(entries(60), ['x', 'y'], both).given, [])
  assert.equal(decided(entries(60), ['x', 'y', 'z'], both).given, [['e0', 'z']])
})

test('a booking that is due begins before anybody who waits, also late', () => {
  const due = [place('b', ['x'], 0, 50)]
  const onTime = decided(entries(1), ['x', 'y'], due)
  assert.equal([onTime.starts, onTime.given, onTime.late], [[['b', 'x']], [['e0', 'y']], []])
  assert.equal(decided(entries(1), ['x'], due, { nowMs: 5 * minute }).starts, [['b', 'x']])
  const late = decided(entries(1), [], due, { nowMs: 5 * minute })
  assert.equal([late.starts, late.given, late.late], [[], [], ['b']])
})

test('one that is due waits for the first bench that comes back, and others are planned around it', () => {
  const places = [place('b', ['x', 'y'], 0, 50), place('c', ['y'], 20, 30)]
  const backAtMs = (bench: string) => (bench === 'x' ? 15 : 10) * minute
  const { late, standing } = decided([], [], places, { nowMs: minute, backAtMs })
  assert.equal([late, standing], [['b'], { b: 'x', c: 'y' }])
})

test('one whose bench is overdue takes another only where everybody else keeps one, and else waits for its own', () => {
  const overdue = { nowMs: minute, backAtMs: () => 0, had: { b: 'x', c: 'y' } }
  const due = [place('b', ['x', 'y'], 1, 50), place('c', ['y'], 1, 30)]
  const both = decided([], ['y'], due, overdue)
  assert.equal([both.starts, both.late, both.standing], [[['c', 'y']], ['b'], { b: 'x', c: 'y' }])
  const later = [place('b', ['x', 'y'], 1, 50), place('c', ['y'], 20, 30)]
  assert.equal(decided([], ['y'], later, overdue).late, ['b'], 'nor one that begins in its time')
  const after = [place('b', ['x', 'y'], 1, 50), place('c', ['x', 'y'], 20, 30)]
  assert.equal(decided([], ['y'], after, overdue).starts, [['b', 'y']], 'whose bench changes for it')
  const away = decided([], ['y'], due, { ...overdue, backAtMs: never })
  assert.equal([away.starts, away.late], [[['b', 'y']], ['c']], 'where nobody knows, in the order of booking')
})

test('a free bench is not given away for one whose user may be slower than expected', () => {
  const slow = { backAtMs: () => 18 * minute, latestAtMs: () => 23 * minute }
  const either = place('b', ['x', 'y'], 20, 50)
  for (const had of [{ b: 'y' }, { b: 'x' }, {}, null]) {
    const { given, standing } = decided(entries(30, 10), ['y'], [either], { ...slow, had })
    assert.equal([given, standing], [[['e1', 'y']], { b: 'y' }], `had ${JSON.stringify(had)}`)
  }
  const inTime = { ...slow, latestAtMs: () => 20 * minute }
  assert.equal(decided(entries(30), ['y'], [either], inTime).given, [['e0', 'y']])
  const alone = decided([], [], [either], { ...slow, backAtMs: (bench) => (bench === 'x' ? 18 : 30) * minute })
  assert.equal(alone.standing, { b: 'x' }, 'where there is no other, it is planned for it')
})

test('whoever counts on a user who is no slower than expected does so for one that would have no bench else', () => {
  const slow = { backAtMs: () => 18 * minute, latestAtMs: () => 23 * minute }
  const places = [place('b', ['x', 'y'], 20, 50), place('c', ['y'], 30, 40)]
  for (const had of [{ b: 'y' }, {}, null])
    assert.equal(
      decided([], ['y'], places, { ...slow, had }).standing,
      { b: 'x', c: 'y' },
      `had ${JSON.stringify(had)}`,
    )
})

test('a bench that a booking uses is there when that is over, as the calendar has it', () => {
  const places = [place('a', ['x'], 0, 20, { held: 'x' }), place('b', ['x', 'y'], 20, 50)]
  const back = { nowMs: minute, backAtMs: () => 20 * minute, latestAtMs: () => 21 * minute, had: { b: 'x' } }
  const { given, standing } = decided(entries(30), ['y'], places, back)
  assert.equal([given, standing], [[['e0', 'y']], { a: 'x', b: 'x' }])
})

test('a hub that starts again and does not know its decision before leaves each its bench', () => {
  const overdue = { nowMs: minute, backAtMs: () => 0, had: null }
  const places = [place('b', ['x', 'y'], 1, 50), place('c', ['y'], 20, 30)]
  const again = decided(entries(60), ['y'], places, overdue)
  assert.equal([again.starts, again.given, again.late], [[], [], ['b']], 'b would have begun on the bench of c')
  assert.equal(again.standing, { b: 'x', c: 'y' })
  const inUse = [place('a', ['x'], 0, 15, { held: 'x' }), place('b', ['x', 'y'], 1, 10), place('c', ['y'], 20, 30)]
  assert.equal(decided([], ['y'], inUse, { ...overdue, backAtMs: never }).starts, [['b', 'y']])
})

test('whoever stands before a bench has it before a booking to come that has none, whichever was booked first', () => {
  const places = [place('later', ['x'], 60, 120), place('due', ['x'], 0, 90)]
  const now = { nowMs: minute }
  assert.equal(decided([], ['x'], places, now).starts, [['due', 'x']])
  const kept = decided([], ['x'], places, { ...now, had: { later: 'x' } })
  assert.equal([kept.starts, kept.late], [[], ['due']], 'one that has a bench keeps it')
  const both = [place('later', ['x', 'y'], 60, 120), place('due', ['x'], 0, 90)]
  const { starts, standing } = decided([], ['x', 'y'], both, now)
  assert.equal([starts, standing], [[['due', 'x']], { due: 'x', later: 'y' }])
})

test('a bench that is kept goes to those who may use it, and to nobody else', () => {
  const kept = [place('b', ['x'], 0, 50, { opens: false })]
  const now = { nowMs: 10 * minute }
  assert.equal(decided(entries(1, 2), ['x'], kept, now).given, [])
  assert.equal(decided(entries(1, 2), ['x'], kept, { ...now, users: ['e1'] }).given, [['e1', 'x']])
  assert.equal(decided(entries(60), ['x'], kept, { ...now, users: ['e0'] }).given, [], 'it ends after the booking')
  const notBegun = [place('b', ['x'], 20, 50, { opens: false })]
  assert.equal(decided(entries(1, 30), ['x'], notBegun, { ...now, users: ['e1'] }).given, [['e0', 'x']])
  const two = [place('b/1', ['x', 'y'], 0, 50, { opens: false }), place('b/2', ['x', 'y'], 0, 50, { opens: false })]
  const both = decided(entries(1, 2, 3), ['x', 'y'], two, { ...now, users: ['e1', 'e2'] }).given
  assert.equal(both, [
    ['e1', 'x'],
    ['e2', 'y'],
  ])
  const inUse = [place('b/1', ['x', 'y'], 0, 50, { opens: false, held: 'x' })]
  assert.equal(decided(entries(1), ['y'], inUse, now).given, [['e0', 'y']])
})

test('how long a bench may be taken is known', () => {
  const until = (places: readonly BookedPlace[]) =>
    new Reserved({ places, backAtMs: never }, ['x', 'y'], 0).freeUntil('x') / minute
  assert.is(until([]), Number.POSITIVE_INFINITY)
  assert.is(until([place('b', ['x', 'y'], 20, 50)]), Number.POSITIVE_INFINITY)
  assert.is(until([place('b', ['x', 'y'], 20, 50), place('c', ['x', 'y'], 30, 40)]), 30)
  assert.is(until([place('b', ['x'], 20, 50)]), 20)
})

test('places that can stay are not looked for again, however many there are', () => {
  const benches = Array.from({ length: 30 }, (_, at) => `bench-${at}`)
  const places = Array.from({ length: 300 }, (_, at) => {
    const first = 3 * (at % 10)
    const from = 10 + 60 * Math.floor(at / 30)
    return place(`b${at}`, benches.slice(first, first + 3), from, from + 50)
  })
  const [line] = [...queueOf(entries(5, 5, 5)).lines(0)]
  const state = { lines: [line as NonNullable<typeof line>], serves: servedBy(), places, backAtMs: () => 0 }
  const decide = (standing: DecisionWithBookings<QueueEntry>['standing']) =>
    decideWithBookings({ ...state, freeBenches: ['bench-3', 'bench-4', 'bench-9'], standing }, 0)
  const { tryOut } = Plan.prototype
  let tried = 0
  Plan.prototype.tryOut = function counted(this: Plan, ...given) {
    tried++
    return tryOut.apply(this, given)
  }
  try {
    const first = decide(new Map())
    assert.is(tried, places.length)
    const second = decide(first.standing)
    assert.is(tried, places.length, 'none was tried out again')
    assert.equal([first.standing.size, second], [places.length, first])
  } finally {
    Plan.prototype.tryOut = tryOut
  }
})

const names = ['x', 'y', 'z']
const anyPlaces = fc
  .array(
    fc.record({ from: fc.nat(120), lasts: fc.integer({ min: 1, max: 60 }), on: fc.subarray(names, { minLength: 1 }) }),
    { maxLength: 8 },
  )
  .map((all) => all.map(({ from, lasts, on }, at) => place(`b${at}`, on, from, from + lasts)))

/** All that a calendar takes, since it can keep each beside those before. */
function booked(wanted: readonly BookedPlace[]): BookedPlace[] {
  const plan = new Plan()
  return wanted.filter((one) => {
    const change = plan.tryOut([one])
    if (change !== undefined) plan.apply(change)
    return change !== undefined
  })
}

/** Whether every place can have a bench when this one is taken until then, by trying all ways. */
function canAll(places: readonly BookedPlace[], taken: string, untilMs: number): boolean {
  const on = new Map<string, BookedPlace[]>(names.map((name) => [name, []]))
  const search = (at: number): boolean => {
    const one = places[at]
    if (one === undefined) return true
    return one.benches.some((bench) => {
      const others = on.get(bench) ?? []
      if (bench === taken && one.from < untilMs) return false
      if (others.some((other) => other.from < one.until && one.from < other.until)) return false
      others.push(one)
      const found = search(at + 1)
      others.pop()
      return found
    })
  }
  return search(0)
}

test('a bench may be taken exactly when all that is booked can still be kept, as trying all ways shows', () => {
  fc.assert(
    fc.property(anyPlaces, fc.constantFrom(...names), fc.integer({ min: 1, max: 150 }), (wanted, bench, minutes) => {
      const places = booked(wanted.filter(({ from }) => from > 0))
      const reserved = new Reserved({ places, backAtMs: never }, names, 0)
      const lastsS = minutes * 60
      assert.is(reserved.allows(bench, lastsS), canAll(places, bench, withMargin(lastsS)))
    }),
    { numRuns: 300 },
  )
})

test('played minute by minute, no booking that was taken begins late or loses its bench, however slow others are within the margin, and no two hold one', () => {
  const anyEntries = fc.array(fc.tuple(fc.nat(100), fc.integer({ min: 1, max: 60 }), fc.constantFrom(0, 0.5, 1)), {
    maxLength: 20,
  })
  fc.assert(
    fc.property(anyPlaces, anyEntries, (wanted, coming) => {
      let places = booked(wanted)
      let waiting = coming.map(([at, min], n) => entry(`e${n}`, { createdAt: at * minute, estimatedS: min * 60 }))
      const slowness = new Map(coming.map(([, , slow], n) => [`e${n}`, slow]))
      let standing: DecisionWithBookings<QueueEntry>['standing'] = new Map()
      const busyUntil = new Map<string, number>()
      const expected = new Map<string, { readonly back: number; readonly latest: number }>()
      for (let nowMs = 0; nowMs <= 600 * minute; nowMs += minute) {
        for (const [bench, until] of busyUntil) if (until <= nowMs) busyUntil.delete(bench)
        const free = names.filter((bench) => !busyUntil.has(bench))
        const here = waiting.filter(({ createdAt }) => createdAt <= nowMs)
        const lines = queueOf(here).lines(nowMs)
        const backAtMs = (bench: string) => expected.get(bench)?.back ?? 0
        const latestAtMs = (bench: string) => expected.get(bench)?.latest ?? 0
        const state = { lines, freeBenches: free, serves: servedBy(), places, backAtMs, latestAtMs, standing }
        const result = decideWithBookings(state, nowMs)
        standing = result.standing
        assert.equal(result.late, [])
        for (const { place: id, bench } of result.starts) {
          const started = places.find((one) => one.id === id) as BookedPlace
          assert.is(started.from, nowMs, 'on time')
          assert.ok(free.includes(bench) && started.benches.includes(bench) && !busyUntil.has(bench))
          busyUntil.set(bench, started.until)
          expected.set(bench, { back: started.until, latest: started.until })
          places = places.filter((one) => one !== started)
        }
        for (const { entry: one, bench } of result.decisions) {
          assert.ok(free.includes(bench) && !busyUntil.has(bench))
          const lastsS = one.estimatedS ?? 0
          const back = nowMs + lastsS * 1000
          const latest = nowMs + withMargin(lastsS)
          expected.set(bench, { back, latest })
          busyUntil.set(bench, back + (latest - back) * (slowness.get(one.id) ?? 0))
          waiting = waiting.filter((other) => other !== one)
        }
      }
      assert.equal([places, waiting], [[], []], 'all had their turn')
    }),
    { numRuns: 60 },
  )
})

test.run()
