import { longestOpening, type OutagePlan, outages, outlookAt, sightMs } from '@fernlab/hub/bench-care/outages'
import { firstFree } from '@fernlab/hub/runs/first-free'
import type { Weekly } from '@fernlab/shared/contracts/bench-care'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('when a bench is not for runs')
const hour = 3_600_000
const day = 24 * hour
const at = (iso: string) => Date.parse(iso)
const iso = (ms: number | undefined) => (ms === undefined ? undefined : new Date(ms).toISOString().slice(0, 16))

const plan = (id: string, when: OutagePlan['when']): OutagePlan => ({
  id,
  reason: id,
  atOnce: false,
  when,
  createdBy: 'p',
  createdAt: 0,
})
const once = (id: string, from: string, until: string | null) =>
  plan(id, { from: at(from), until: until === null ? null : at(until) })
const weekly = (id: string, when: Partial<Weekly>) =>
  plan(id, { days: ['mon'], from: '22:00', until: '07:00', timeZone: 'Europe/Madrid', ...when })
const every: Weekly['days'] = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun']

const firstGap = (plans: readonly OutagePlan[], from: number, lastsMs: number): number | null => {
  const found = firstFree({ plans, booked: [], from, until: from + sightMs }, lastsMs / 1000)
  return 'at' in found ? found.at : null
}

const spans = (plans: OutagePlan[], from: string, to: string) =>
  outages(plans, at(from), at(to)).map((outage) => `${iso(outage.from)} ${iso(outage.until)}`)

test('hours of every week are those of the time zone, in winter and in summer', () => {
  assert.equal(spans([weekly('w', { days: ['tue', 'sat'] })], '2026-01-05T00:00Z', '2026-01-12T00:00Z'), [
    '2026-01-06T21:00 2026-01-07T06:00',
    '2026-01-10T21:00 2026-01-11T06:00',
  ])
  assert.equal(spans([weekly('w', {})], '2026-07-06T00:00Z', '2026-07-13T00:00Z'), [
    '2026-07-06T20:00 2026-07-07T05:00',
  ])
})

test('an end at or before the beginning is on the next day, and 24:00 is the end of the day', () => {
  for (const until of ['00:00', '24:00']) {
    assert.equal(spans([weekly('w', { from: '00:00', until })], '2026-01-04T00:00Z', '2026-01-10T00:00Z'), [
      '2026-01-04T23:00 2026-01-05T23:00',
    ])
  }
})

test('in the night when the clocks go on, nothing is missed or doubled', () => {
  const night = weekly('night', { days: every, from: '02:30', until: '05:00' })
  assert.equal(spans([night], '2026-03-28T00:00Z', '2026-03-30T12:00Z'), [
    '2026-03-28T01:30 2026-03-28T04:00',
    '2026-03-29T01:00 2026-03-29T03:00',
    '2026-03-30T00:30 2026-03-30T03:00',
  ])
  const skipped = weekly('skipped', { days: every, from: '02:10', until: '02:50' })
  assert.equal(spans([skipped], '2026-03-28T12:00Z', '2026-03-30T12:00Z'), ['2026-03-30T00:10 2026-03-30T00:50'])
})

test('in the night when the clocks go back, the hour that comes twice belongs to it twice', () => {
  const night = weekly('night', { days: every, from: '01:00', until: '02:30' })
  assert.equal(spans([night], '2026-10-24T12:00Z', '2026-10-26T12:00Z'), [
    '2026-10-24T23:00 2026-10-25T01:30',
    '2026-10-26T00:00 2026-10-26T01:30',
  ])
  const late = weekly('late', { days: every, from: '02:30', until: '04:00' })
  assert.equal(spans([late], '2026-10-24T12:00Z', '2026-10-25T12:00Z'), ['2026-10-25T00:30 2026-10-25T03:00'])
})

test('every moment of a year is in as many nights as the calendar says', () => {
  const night = weekly('night', { days: every, from: '20:00', until: '06:00' })
  const all = outages([night], at('2026-01-01T12:00Z'), at('2026-12-31T12:00Z'))
  assert.is(all.length, 364)
  for (const [i, { from }] of all.entries()) assert.ok(i === 0 || from >= (all[i - 1]?.until ?? 0))
  assert.equal([...new Set(all.map(({ from, until }) => (until - from) / hour))].sort(), [10, 11, 9])
})

test('what holds follows from the moment alone: a clock that jumps two days there and back changes nothing', () => {
  const plans = [once('fuse', '2026-03-28T08:00Z', '2026-03-28T12:00Z'), weekly('night', { days: every })]
  for (const start of ['2026-03-27T00:00Z', '2026-10-24T00:00Z']) {
    for (let now = at(start); now < at(start) + 4 * day; now += hour / 2) {
      const seen = outlookAt(plans, now)
      const inForce = outages(plans, now - 2 * day, now + 2 * day).filter((o) => o.from <= now && o.until > now)
      assert.is(seen.current === undefined, inForce.length === 0, iso(now) ?? '')
      assert.ok(seen.until > now)
      assert.equal(outlookAt(plans, seen.until - 1).current?.plan.id, seen.current?.plan.id)
    }
  }
})

test('outages that follow each other without a gap end with the last', () => {
  const weekend = weekly('weekend', { days: ['sat', 'sun'], from: '00:00', until: '24:00' })
  const fuse = once('fuse', '2026-01-09T20:00Z', '2026-01-10T10:00Z')
  const seen = outlookAt([weekend, fuse], at('2026-01-09T21:00Z'))
  assert.is(seen.current?.plan.id, 'fuse')
  assert.is(iso(seen.current?.until), '2026-01-11T23:00')
  assert.is(iso(seen.next?.from), '2026-01-16T23:00')
  assert.is(outlookAt([once('open', '2026-01-01T00:00Z', null)], at('2026-02-01T00:00Z')).current?.until, Infinity)
})

test('a run fits where it ends before the next outage, to the millisecond', () => {
  const now = at('2026-01-09T07:00Z')
  const fuse = once('fuse', '2026-01-09T08:00Z', '2026-01-09T09:00Z')
  const again = once('again', '2026-01-09T09:30Z', '2026-01-09T10:00Z')
  assert.is(firstGap([fuse], now, hour), now)
  assert.is(iso(firstGap([fuse], now, hour + 1) ?? 0), '2026-01-09T09:00')
  assert.is(iso(firstGap([fuse, again], now, hour + 1) ?? 0), '2026-01-09T10:00')
  assert.is(firstGap([once('open', '2026-01-09T08:00Z', null)], now, hour + 1), null)
  assert.is(firstGap([weekly('always', { days: every, from: '00:00', until: '24:00' })], now, 1), null)
})

test('a start is found exactly where one is: against every quarter of an hour of two weeks', () => {
  const now = at('2026-03-23T00:00Z')
  const quarter = hour / 4
  let state = 7
  const pick = (most: number) => {
    state = (state * 48_271) % 2_147_483_647
    return state % most
  }
  const clockAt = (quarters: number) =>
    `${String(Math.floor(quarters / 4)).padStart(2, '0')}:${String((quarters % 4) * 15).padStart(2, '0')}`
  let [found, missing] = [0, 0]
  for (let round = 0; round < 120; round++) {
    const plans = Array.from({ length: 1 + pick(3) }, (_, i) =>
      pick(4) === 0
        ? plan(`o${i}`, { from: now + pick(300) * quarter, until: now + (300 + pick(300)) * quarter })
        : weekly(`w${i}`, {
            days: every.filter(() => pick(4) > 0),
            from: clockAt(pick(96)),
            until: clockAt(pick(96)),
          }),
    )
    const lastsMs = (1 + pick(80)) * quarter
    const taken = outages(plans, now, now + 40 * day)
    const fits = (from: number) => taken.every((outage) => outage.until <= from || outage.from >= from + lastsMs)
    let first: number | null = null
    for (let from = now; first === null && from < now + 15 * day; from += quarter) if (fits(from)) first = from
    assert.is(firstGap(plans, now, lastsMs), first, JSON.stringify({ plans, lastsMs }))
    if (first === null) missing++
    else found++
    // What fits into no week never comes up.
    if (lastsMs > longestOpening(plans, now)) assert.is(first, null)
  }
  assert.ok(found > 20 && missing > 5, `${found} found, ${missing} not`)
})

test('the longest opening is that of the week, whatever is planned once', () => {
  const night = weekly('night', { days: every, from: '20:00', until: '08:00' })
  const now = at('2026-01-07T12:00Z')
  assert.is(longestOpening([], now), Infinity)
  assert.is(longestOpening([once('fuse', '2026-01-09T08:00Z', null)], now), Infinity)
  assert.is(longestOpening([night], now), 12 * hour)
  assert.is(longestOpening([night, weekly('noon', { days: ['wed'], from: '12:00', until: '13:00' })], now), 12 * hour)
  assert.is(longestOpening([night, weekly('noon', { days: every, from: '12:00', until: '13:00' })], now), 7 * hour)
  assert.is(longestOpening([weekly('always', { days: every, from: '00:00', until: '24:00' })], now), 0)
})

test('the longest opening is that of these weeks, also where the clocks change', () => {
  const noon = [weekly('noon', { days: every, from: '12:00', until: '13:00' })]
  assert.is(longestOpening(noon, at('2026-10-01T12:00Z')), 23 * hour)
  assert.is(longestOpening(noon, at('2026-10-20T12:00Z')), 24 * hour)
  assert.is(longestOpening(noon, at('2026-11-20T12:00Z')), 23 * hour)
})

test.run()
