import { bookSchema, bookSeriesSchema } from '@fernlab/shared/contracts/bookings'
import { typedDay, typedInstant } from '@fernlab/shared/primitives/typed-time'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('days and times as they are typed')
const madrid = 'Europe/Madrid'
const read = (text: string) => {
  const ms = typedInstant(text, madrid)
  return ms === undefined ? undefined : new Date(ms).toISOString()
}
const noDays = ['2027-02-30', '2027-02-29', '2027-13-01', '2027-00-10', '2027-04-31', '2027-01-00']

test('a time is read by its own offset, or by the clocks of the zone', () => {
  assert.is(read('2027-02-01 08:00'), '2027-02-01T07:00:00.000Z')
  assert.is(read('2027-07-01T08:00:30'), '2027-07-01T06:00:30.000Z')
  assert.is(read('2027-02-01'), '2027-01-31T23:00:00.000Z')
  assert.is(read('2028-02-29T08:00:00.25Z'), '2028-02-29T08:00:00.250Z')
  assert.is(read('2027-02-01T08:00-05:30'), '2027-02-01T13:30:00.000Z')
})

test('what no calendar and no clock shows is no time', () => {
  const clocks = ['24:00', '23:60', '08:00:60', '8:00', '08:00+24:00', '08:00+01:60']
  for (const text of ['', 'soon', '08:00', ...noDays, ...clocks.map((clock) => `2027-02-01T${clock}`)]) {
    assert.is(read(text), undefined, text)
    assert.is(read(`${text}T08:00Z`), undefined, text)
  }
  for (const text of noDays) assert.is(typedDay(text), undefined, text)
  assert.equal(typedDay('2028-02-29'), { year: 2028, month: 2, day: 29, minute: 0 })
})

test('the API refuses them, and says where they stand', () => {
  const paths = (found: { error?: { issues: { path: PropertyKey[] }[] } | undefined }) =>
    found.error?.issues.map(({ path }) => path.join('.'))
  const days = ['mon' as const]
  for (const day of noDays) {
    const start = `${day}T08:00:00Z`
    assert.equal(paths(bookSchema.safeParse({ lab: 'rc', start, seconds: 600 })), ['start'], day)
    const weekly = { days, at: '14:00', timeZone: madrid, from: '2026-12-01', until: day }
    assert.equal(paths(bookSeriesSchema.safeParse({ lab: 'rc', weekly, seconds: 600 })), ['weekly.until'], day)
  }
})

test.run()
