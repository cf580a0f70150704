import { instantOf, isTimeZone, localTime, plusDays, weekdayOf } from '@fernlab/shared/primitives/zoned-time'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('calendar and clock of a time zone')
const madrid = 'Europe/Madrid'
const at = (iso: string) => Date.parse(iso)
const march = { year: 2026, month: 3, day: 29 }
const october = { year: 2026, month: 10, day: 25 }

test('a time that is shown once is that moment, first and last', () => {
  for (const which of ['first', 'last'] as const) {
    assert.is(instantOf({ ...march, minute: 60 }, madrid, which), at('2026-03-29T00:00:00Z'))
    assert.is(instantOf({ ...march, minute: 180 }, madrid, which), at('2026-03-29T01:00:00Z'))
    assert.is(instantOf({ ...march, minute: 1440 }, madrid, which), at('2026-03-29T22:00:00Z'))
  }
})

test('a time that the clocks skip is the moment at which they skip it', () => {
  for (const minute of [120, 150, 179]) {
    assert.is(instantOf({ ...march, minute }, madrid, 'first'), at('2026-03-29T01:00:00Z'))
    assert.is(instantOf({ ...march, minute }, madrid, 'last'), at('2026-03-29T01:00:00Z'))
  }
})

test('a time that the clocks show twice has a first and a last moment', () => {
  assert.is(instantOf({ ...october, minute: 150 }, madrid, 'first'), at('2026-10-25T00:30:00Z'))
  assert.is(instantOf({ ...october, minute: 150 }, madrid, 'last'), at('2026-10-25T01:30:00Z'))
})

test('every quarter of an hour of a year is shown as itself, also half an hour and 45 minutes off', () => {
  for (const zone of [madrid, 'Australia/Lord_Howe', 'Asia/Kathmandu', 'America/New_York', 'UTC']) {
    for (let ms = at('2026-01-01T00:00:00Z'); ms < at('2027-01-01T00:00:00Z'); ms += 7 * 900_000) {
      const local = localTime(ms, zone)
      const found = [instantOf(local, zone, 'first'), instantOf(local, zone, 'last')]
      assert.ok(found.includes(ms), `${zone} ${new Date(ms).toISOString()}`)
    }
  }
})

test('days follow each other over months and years, with their weekdays', () => {
  assert.equal(plusDays({ year: 2026, month: 12, day: 31, minute: 5 }, 1), { year: 2027, month: 1, day: 1, minute: 5 })
  assert.equal(plusDays({ year: 2028, month: 3, day: 1, minute: 0 }, -1), { year: 2028, month: 2, day: 29, minute: 0 })
  assert.is(weekdayOf({ ...march, minute: 0 }), 7)
  assert.is(weekdayOf({ year: 2026, month: 3, day: 30, minute: 0 }), 1)
})

test('a name is one of a time zone or not', () => {
  assert.equal(['Europe/Madrid', 'UTC', 'Europe/Nowhere', ''].map(isTimeZone), [true, true, false, false])
})

test.run()
