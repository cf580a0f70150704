import { mostTimes, timesOf } from '@fernlab/hub/bookings/weekly'
import { localTime, plusDays, weekdayOf } from '@fernlab/shared/primitives/zoned-time'
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { cases } from '../../support/long.ts'
import { suite } from '../../support/suite.ts'

const test = suite('times of a booking that recurs')

const day = (text: string) => {
  const [year = 0, month = 0, date = 0] = text.split('-').map(Number)
  return { year, month, day: date, minute: 0 }
}
const iso = (ms: number) => new Date(ms).toISOString().slice(0, 16)
const each = (timeZone: string, clock: string, first: string, last: string, weekdays: number[], everyWeeks = 1) => {
  const minute = Number(clock.slice(0, 2)) * 60 + Number(clock.slice(3))
  return timesOf({ weekdays, minute, timeZone, first: day(first), last: day(last), everyWeeks }).map(iso)
}

test('14:00 stays 14:00 when the clocks change', () => {
  assert.equal(each('Europe/Madrid', '14:00', '2026-03-23', '2026-04-05', [1]), [
    '2026-03-23T13:00',
    '2026-03-30T12:00',
  ])
  assert.equal(each('America/New_York', '14:00', '2026-10-26', '2026-11-08', [1]), [
    '2026-10-26T18:00',
    '2026-11-02T19:00',
  ])
  assert.equal(each('Australia/Lord_Howe', '14:00', '2026-03-30', '2026-04-06', [1]), [
    '2026-03-30T03:00',
    '2026-04-06T03:30',
  ])
})

test('a time that the clocks skip is when they skip it, one that they show twice is the first', () => {
  assert.equal(each('Europe/Madrid', '02:30', '2026-03-28', '2026-03-30', [6, 7, 1]), [
    '2026-03-28T01:30',
    '2026-03-29T01:00',
    '2026-03-30T00:30',
  ])
  assert.equal(each('Europe/Madrid', '02:30', '2026-10-25', '2026-10-25', [7]), ['2026-10-25T00:30'])
  assert.equal(each('America/New_York', '02:30', '2026-03-08', '2026-03-08', [7]), ['2026-03-08T07:00'])
  assert.equal(each('America/New_York', '01:30', '2026-11-01', '2026-11-01', [7]), ['2026-11-01T05:30'])
  // Half an hour there.
  assert.equal(each('Australia/Lord_Howe', '02:15', '2026-10-04', '2026-10-04', [7]), ['2026-10-03T15:30'])
  assert.equal(each('Australia/Lord_Howe', '01:45', '2026-04-05', '2026-04-05', [7]), ['2026-04-04T14:45'])
})

test('every second week counts weeks from Monday', () => {
  assert.equal(each('UTC', '09:00', '2026-01-07', '2026-02-01', [1, 3, 7], 2), [
    '2026-01-07T09:00',
    '2026-01-11T09:00',
    '2026-01-19T09:00',
    '2026-01-21T09:00',
    '2026-01-25T09:00',
  ])
})

test('as many as there are days, each once and at the clock time that was wanted or where it is skipped', () => {
  const zones = ['Europe/Madrid', 'America/New_York', 'Australia/Lord_Howe']
  fc.assert(
    fc.property(
      fc.constantFrom(...zones),
      fc.integer({ min: 0, max: 1439 }),
      fc.integer({ min: 0, max: 700 }),
      fc.integer({ min: 0, max: 60 }),
      (timeZone, minute, after, days) => {
        const first = plusDays(day('2026-01-01'), after)
        const last = plusDays(first, days)
        const weekdays = [2, 4, 6, 7]
        const times = timesOf({ weekdays, minute, timeZone, first, last, everyWeeks: 1 })
        const wanted = Array.from({ length: days + 1 }, (_, at) => plusDays(first, at)).filter((each) =>
          weekdays.includes(weekdayOf(each)),
        )
        assert.is(times.length, wanted.length)
        for (const [at, ms] of times.entries()) {
          const shown = localTime(ms, timeZone)
          assert.equal({ ...shown, minute: 0 }, { ...wanted[at], minute: 0 })
          const late = shown.minute - minute
          assert.ok(late === 0 || (late > 0 && late <= 60), `${timeZone} ${new Date(ms).toISOString()}: ${late}`)
        }
      },
    ),
    { numRuns: cases(100) },
  )
})

test('too many are told from just enough', () => {
  const all = [1, 2, 3, 4, 5, 6, 7]
  assert.is(each('UTC', '09:00', '2026-01-01', '2030-01-01', all).length, mostTimes + 1)
})

test.run()
