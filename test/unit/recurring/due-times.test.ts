import { dueTimes } from '@fernlab/hub/recurring/due-times'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { instantOf, localTime, weekdayOf } from '@fernlab/shared/primitives/zoned-time'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('when a cron expression is due')
const at = (text: string) => Date.parse(text)
const iso = (ms: number | undefined) => (ms === undefined ? undefined : new Date(ms).toISOString().slice(0, 16))
function times(expression: string, zone: string, from: string, count: number) {
  const due = dueTimes(expression, zone)
  const found: (string | undefined)[] = []
  for (let after: number | undefined = at(from); found.length < count && after !== undefined; ) {
    after = due.next(after)
    found.push(iso(after))
  }
  return found
}

test('the same time of day on every day, whatever the clocks do in between', () => {
  assert.equal(times('0 3 * * *', 'Europe/Madrid', '2026-10-23T12:00Z', 3), [
    '2026-10-24T01:00',
    '2026-10-25T02:00',
    '2026-10-26T02:00',
  ])
})

test('a time that the clocks skip is due once, as they skip it', () => {
  const skipped = ['2026-03-28T01:30', '2026-03-29T01:00', '2026-03-30T00:30']
  assert.equal(times('30 2 * * *', 'Europe/Madrid', '2026-03-28T00:30Z', 3), skipped)
  // Four quarters are skipped, and what is due at 3 o'clock is due then too: once.
  assert.equal(times('*/15 2-3 * * *', 'Europe/Madrid', '2026-03-29T00:59Z', 3), [
    '2026-03-29T01:00',
    '2026-03-29T01:15',
    '2026-03-29T01:30',
  ])
})

test('a time that the clocks show twice is due once, when they show it first', () => {
  assert.equal(times('30 2 * * *', 'Europe/Madrid', '2026-10-24T12:00Z', 2), ['2026-10-25T00:30', '2026-10-26T01:30'])
  const inSecondHour = at('2026-10-25T01:20Z')
  const due = dueTimes('*/30 * * * *', 'Europe/Madrid')
  assert.is(iso(due.next(inSecondHour)), '2026-10-25T02:00')
  assert.is(iso(due.last(inSecondHour)), '2026-10-25T00:30')
})

test('the time of the instant itself is the last, not the next', () => {
  const due = dueTimes('0 3 * * MON-FRI', 'UTC')
  assert.is(iso(due.next(at('2026-03-27T03:00Z'))), '2026-03-30T03:00')
  assert.is(iso(due.last(at('2026-03-27T03:00Z'))), '2026-03-27T03:00')
  assert.is(iso(due.next(at('2026-03-27T02:59:59.999Z'))), '2026-03-27T03:00')
})

for (const zone of [
  'Europe/Madrid',
  'America/St_Johns',
  'Australia/Lord_Howe',
  'America/Sao_Paulo',
  'Asia/Kathmandu',
]) {
  test(`every due time of a year is found once, forwards and backwards: ${zone}`, () => {
    const expression = '10,40 1-3 * * SUN,WED'
    const due = dueTimes(expression, zone)
    const from = at('2026-01-01T00:00Z')
    const until = at('2027-01-01T00:00Z')
    const expected = new Set<number>()
    for (let day = -1; day <= 366; day++) {
      const date = localTime(from + day * 86_400_000, 'UTC')
      if (![3, 7].includes(weekdayOf(date))) continue
      for (const hour of [1, 2, 3]) {
        for (const minute of [10, 40]) {
          const instant = instantOf({ ...date, minute: hour * 60 + minute }, zone, 'first')
          if (instant > from && instant <= until) expected.add(instant)
        }
      }
    }
    const forwards: number[] = []
    for (let next = due.next(from); next !== undefined && next <= until; next = due.next(next)) forwards.push(next)
    const backwards: number[] = []
    for (let last = due.last(until); last !== undefined && last > from; last = due.last(last - 1)) backwards.push(last)
    const sorted = [...expected].sort((a, b) => a - b)
    assert.equal(forwards, sorted)
    assert.equal(backwards.reverse(), sorted)
  })
}

test('what is no cron expression is refused with what is wrong', () => {
  const wrong = [
    '',
    'nightly',
    '60 * * * *',
    '0 0 31 2 *',
    '* * * * * *',
    '0 0 * * MOON',
    '0 24 * * *',
    '@reboot',
    'a'.repeat(90),
  ]
  for (const expression of wrong) {
    try {
      dueTimes(expression, 'UTC')
      assert.unreachable(expression)
    } catch (error) {
      assert.instance(error, LabError, String(error))
      assert.is((error as LabError).code, 'cron-invalid', expression)
      assert.is((error as LabError).issues?.[0]?.path, 'cron')
    }
  }
})

test.run()
