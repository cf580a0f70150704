import { typedDay } from '@fernlab/shared/primitives/typed-time'
import * as assert from 'uvu/assert'
import { wallInstant, wallText } from '../../../hub/web/src/bookings/booking-times.ts'
import {
  type Day,
  dayAt,
  daysFrom,
  heightAt,
  idAfter,
  inLanes,
  linesOf,
  mondayOf,
} from '../../../hub/web/src/bookings/calendar-days.ts'
import { suite } from '../../support/suite.ts'

const test = suite('days of the calendar')
const hourMs = 3_600_000
const zone = 'Europe/Madrid'

const week = (id: string, timeZone = zone) => {
  const day = typedDay(id)
  if (day === undefined) throw new Error(`${id} is no day`)
  return daysFrom(mondayOf(day), 7, timeZone)
}
const lengthH = ({ from, until }: Day) => (until - from) / hourMs
const labels = ({ hours }: Day) => hours.map(({ hour, again }) => `${hour}${again ? ' again' : ''}`)

test('a week begins on Monday, and its days follow each other without a gap', () => {
  const days = week('2026-11-26')
  assert.equal(
    days.map(({ id }) => id),
    ['23', '24', '25', '26', '27', '28', '29'].map((day) => `2026-11-${day}`),
  )
  for (const [index, day] of days.entries()) {
    assert.is(day.hours.length, 24)
    assert.is(day.from, days[index - 1]?.until ?? day.from)
  }
  assert.is(idAfter(dayAt(days[6]?.from ?? 0, zone), 1), '2026-11-30')
})

test('the night in which the clocks go back has 25 hours, one of them twice; the other days leave its line empty', () => {
  const days = week('2026-10-25')
  const sunday = days[6] as Day
  assert.is(lengthH(sunday), 25)
  assert.equal(labels(sunday).slice(1, 5), ['1', '2', '2 again', '3'])
  const lines = linesOf(days)
  assert.is(lines.length, 25)
  const noon = heightAt(days[0] as Day, lines, (days[0] as Day).from + 12 * hourMs)
  assert.is(noon, 13, 'noon is on one line on all days')
  assert.is(heightAt(sunday, lines, sunday.from + 13 * hourMs), 13)
  assert.is(heightAt(sunday, lines, sunday.from + 3.5 * hourMs), 3.5)
})

test('the night in which they go on has 23 hours and skips a line', () => {
  const days = week('2026-03-29')
  const sunday = days[6] as Day
  assert.is(lengthH(sunday), 23)
  assert.equal(labels(sunday).slice(0, 4), ['0', '1', '3', '4'])
  assert.is(heightAt(sunday, linesOf(days), sunday.from + 2 * hourMs), 3)
})

test('a zone whose clocks change by half an hour has a short hour', () => {
  const back = week('2026-04-05', 'Australia/Lord_Howe')[6] as Day
  assert.is(lengthH(back), 24.5)
  assert.ok(back.hours.some(({ again, from, until }) => again && until - from === hourMs / 2))
})

test('a day that is none is not taken', () => {
  for (const id of ['2026-02-30', '2026-13-01', '26-1-1', '', 'today']) assert.is(typedDay(id), undefined, id)
})

test('a time that the clocks skip is the moment at which they do; of one that they show twice, the first', () => {
  assert.is(wallText(wallInstant('2026-03-29T02:30', zone) ?? 0, zone), '2026-03-29T03:00')
  assert.is(wallInstant('2026-10-25T02:30', zone), Date.UTC(2026, 9, 25, 0, 30))
  assert.is(wallInstant('2026-10-25', zone), undefined)
})

test('bookings at the same time stand side by side, and as wide as they can elsewhere', () => {
  const span = (from: number, until: number) => ({ from, until })
  const lanes = inLanes([span(0, 2), span(1, 3), span(2, 4), span(4, 5)])
  assert.equal(
    lanes.map(({ lane, lanes: of }) => [lane, of]),
    [
      [0, 2],
      [1, 2],
      [0, 2],
      [0, 1],
    ],
  )
})

test.run()
