import {
  bookableSpans,
  bookableStretches,
  isWithin,
  nextSameTime,
  spansBut,
} from '@fernlab/shared/contracts/bookable-times'
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { claimsOf, freeBenches } from '../../../hub/bookings/free-times.ts'
import { Plan } from '../../../hub/bookings/plan.ts'
import { firstFree } from '../../../hub/web/src/bookings/booking-times.ts'
import { suite } from '../../support/suite.ts'

const test = suite('times that can be booked')
const quarterMs = 900_000
const hourMs = 4 * quarterMs
const iso = (ms: number) => new Date(ms).toISOString()
const at = (quarters: number) => iso(quarters * quarterMs)
const inQuarters = (spans: readonly { from: number; until: number; benches: number }[]) =>
  spans.map(({ from, until, benches }) => [from / quarterMs, until / quarterMs, benches])
const calendar = {
  cleanUpS: 0,
  free: [
    { start: at(0), end: at(2), benches: 2 },
    { start: at(2), end: at(4), benches: 1 },
    { start: at(4), end: at(6), benches: 0 },
    { start: at(6), end: at(20), benches: 3 },
  ],
}

test('stretches join where enough benches stay free, and the first that is long enough is found', () => {
  const spans = bookableSpans(calendar)
  assert.equal(inQuarters(spans), [
    [0, 4, 1],
    [6, 20, 3],
  ])
  assert.is(bookableSpans(calendar, { places: 2 }).length, 2)
  assert.is(firstFree(spans, hourMs), 0)
  assert.is(firstFree(spans, 2 * hourMs), 6 * quarterMs)
  assert.is(firstFree(spans, 4 * hourMs), undefined)
  assert.ok(!isWithin(spans, 3 * quarterMs, 7 * quarterMs))
})

test('a booking that moves makes room where it is', () => {
  const moving = { start: at(4), end: at(6), places: 1 }
  assert.equal(inQuarters(bookableSpans(calendar, { moving })), [[0, 20, 1]])
})

test('a booking ends early enough for its clean-up before the bench is needed again', () => {
  const cleaned = { ...calendar, cleanUpS: 900 }
  assert.equal(inQuarters(bookableStretches(cleaned)), [
    [0, 1, 2],
    [1, 3, 1],
    [3, 6, 0],
    [6, 20, 3],
  ])
  // Its own clean-up is over with it when it goes.
  const moving = { start: at(3), end: at(5), places: 1 }
  assert.equal(inQuarters(bookableSpans(cleaned, { moving })), [[0, 20, 1]])
})

const slotMs = 300_000
const taking = fc.record({ from: fc.nat(90), slots: fc.integer({ min: 1, max: 8 }) })

test('what is offered is not refused, and what is not offered would be', () => {
  fc.assert(
    fc.property(
      fc.record({ benches: fc.integer({ min: 1, max: 3 }), cleanUp: fc.nat(2) }),
      fc.array(taking, { maxLength: 15 }),
      fc.array(taking, { minLength: 1, maxLength: 20 }),
      (lab, booked, asked) => {
        const [benches, cleanUpMs] = [['a', 'b', 'c'].slice(0, lab.benches), lab.cleanUp * slotMs]
        const closed = () => []
        const plan = new Plan()
        const planned = (id: string, { from, slots }: { from: number; slots: number }) =>
          plan.tryOut(claimsOf(id, { lengthMs: slots * slotMs + cleanUpMs, places: 1, benches, closed }, from * slotMs))
        for (const [index, one] of booked.entries()) {
          const change = planned(`b${index}`, one)
          if (change !== undefined) plan.apply(change)
        }
        const free = freeBenches(plan, { benches, closed }, { from: 0, until: 120 * slotMs }).map(
          ({ from, until, free: count }) => ({ start: iso(from), end: iso(until), benches: count }),
        )
        const spans = bookableSpans({ free, cleanUpS: cleanUpMs / 1000 })
        for (const one of asked) {
          const isOffered = isWithin(spans, one.from * slotMs, (one.from + one.slots) * slotMs)
          assert.is(isOffered, planned('wanted', one) !== undefined)
        }
      },
    ),
  )
})

test('what of the spans others leave', () => {
  const span = (from: number, until: number) => ({ from, until, benches: 1 })
  assert.equal(spansBut([span(0, 10), span(12, 20)], [span(2, 4), span(9, 13), span(19, 30)]), [
    span(0, 2),
    span(4, 9),
    span(13, 19),
  ])
})

test('the same time of day is the next day’s, or a later one’s that is free, also over the nights in which clocks change', () => {
  const timeZone = 'Europe/Madrid'
  const span = (from: number, until: number) => ({ from, until })
  const next = (startMs: number, nowMs: number, spans: readonly { from: number; until: number }[]) =>
    nextSameTime(spans, { startMs, nowMs, lengthMs: hourMs, timeZone })
  // 14:00 by the clock, the day before the clocks go on, and the day before they go back.
  for (const [before, after] of [
    [Date.UTC(2026, 2, 28, 13), Date.UTC(2026, 2, 29, 12)],
    [Date.UTC(2026, 9, 24, 12), Date.UTC(2026, 9, 25, 13)],
  ] as const) {
    const all = [span(before, before + 60 * hourMs)]
    assert.is(next(before, before + hourMs, all), after)
    assert.is(next(before, before - hourMs, all), before, 'later today')
    assert.is(
      next(before, before + hourMs, [span(before, after), span(after + 60_000, after + 60 * hourMs)]),
      after + 24 * hourMs,
    )
    assert.is(next(before, before + hourMs, [span(before, after)]), undefined)
  }
  assert.is(next(0, 0, []), undefined)
})

test.run()
