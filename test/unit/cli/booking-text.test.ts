import { LabError } from '@fernlab/shared/primitives/lab-error'
import { allowanceLines, lengthText, quoted, secondsIn, timeText, withSuggestions } from 'fernlab/cli/booking-text'
import { dayIn, timeIn } from 'fernlab/cli/time-in'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('times of bookings on the command line')
const madrid = 'Europe/Madrid'

test('a time is read by the clocks of the zone, or with its offset', () => {
  const read = (text: string) => timeIn('START', text, madrid)
  assert.is(read('2027-02-01 08:00'), '2027-02-01T07:00:00.000Z')
  assert.is(read('2027-07-01T08:00'), '2027-07-01T06:00:00.000Z')
  assert.is(read('2027-02-01'), '2027-01-31T23:00:00.000Z')
  assert.is(read('2027-02-01T08:00Z'), '2027-02-01T08:00:00.000Z')
  assert.is(read('2027-02-01T08:00:30-05:00'), '2027-02-01T13:00:30.000Z')
  for (const wrong of [
    '',
    'soon',
    '08:00',
    '2027-02-30 08:00',
    '2027-13-01 08:00',
    '2027-02-01 24:30',
    '2027-02-01 8',
  ]) {
    assert.throws(() => read(wrong), /is not a time/, wrong)
  }
  assert.is(dayIn('--from', '2028-02-29'), '2028-02-29')
  assert.throws(() => dayIn('--from', '2027-02-29'), /--from "2027-02-29" is not a day/)
})

test('an hour that the clocks show twice is written so that it reads back as itself', () => {
  const [first, second] = ['2026-10-25T00:30:00.000Z', '2026-10-25T01:30:00.000Z']
  assert.is(timeText(first, madrid), '2026-10-25 02:30')
  assert.is(timeText(second, madrid), second)
  assert.is(timeText('2026-10-25T09:15:20.000Z', madrid), '2026-10-25 10:15:20')
  for (const time of [first, second, '2026-10-25T09:15:20.000Z']) {
    assert.is(timeIn('START', timeText(time, madrid), madrid), time)
  }
})

test('lengths are read and written', () => {
  assert.equal(
    ['60m', '1h30m', '90 min', '2h', '1d', '90s'].map((text) => secondsIn('--for', text)),
    [3600, 5400, 5400, 7200, 86_400, 90],
  )
  for (const wrong of ['', '60', 'm', '1h30', '-5m', '1.5h']) {
    assert.throws(() => secondsIn('--for', wrong), /is not a length/, wrong)
  }
  assert.equal([7200, 5400, 90].map(lengthText), ['2h', '90m', '90s'])
})

test('a taken time comes with commands for the free ones; other refusals stay as they are', () => {
  const taken = (details: Record<string, string>) =>
    new LabError({
      code: 'booking-conflict',
      kind: 'caller',
      message: 'no bench is free',
      issues: [{ path: 'start', message: 'no bench is free' }],
      details,
    })
  const found = withSuggestions(taken({ after: '2027-02-01T08:00:20.500Z' }), (at) => `book ${at}`) as LabError
  assert.is(found.message, 'no bench is free\n  book 2027-02-01T08:00:20.500Z')
  assert.equal(found.issues, [])
  for (const other of [taken({}), new Error('x')]) assert.is(withSuggestions(other, String), other)
  assert.equal(['demo.rc-1', 'a b', "Bo's"].map(quoted), ['demo.rc-1', "'a b'", "'Bo'\\''s'"])
})

test('what may be booked is said limit by limit', () => {
  const booking = {
    may: true,
    longestS: 1800,
    aheadS: 1_209_600,
    most: 3,
    left: 1,
    dayLeftS: 90,
    weekLeftS: 5400,
  }
  assert.equal(allowanceLines({ booking, ask: [] }), [
    'one booking: 30m at most',
    'ahead: 336h at most',
    'bookings left: 1 of 3',
    'bench time left today: 90s',
    'bench time left this week: 90m',
  ])
  assert.equal(allowanceLines({ booking: { ...booking, may: false }, ask: ['Bo'] }), [
    'You may not book this lab. Ask Bo.',
  ])
})

test.run()
