import { CourseView } from '@fernlab/hub/usage/course-view'
import { WeekHours } from '@fernlab/hub/usage/hours'
import { openSeconds } from '@fernlab/hub/usage/open-time'
import { type ComparedUse, similarUses } from '@fernlab/hub/usage/similar'
import { SiteView } from '@fernlab/hub/usage/site-view'
import type { SlimUse } from '@fernlab/hub/usage/slim-use'
import { periodOf } from '@fernlab/shared/contracts/usage'
import { localTime, weekdayOf, zoneStretches } from '@fernlab/shared/primitives/zoned-time'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('views of usage')
const hour = 3_600_000
const day = 24 * hour
const at = (text: string) => Date.parse(text)
const period = (from: string, to: string, timeZone = 'UTC') => ({ from: at(from), to: at(to), timeZone })

const use = (more: Partial<SlimUse> = {}): SlimUse => ({
  id: 'u',
  personId: 'ana',
  lab: 'rc',
  labVersion: 1,
  protocol: 'charge',
  bench: 'n.b',
  country: null,
  state: 'succeeded',
  askedAt: at('2027-03-01T10:00Z'),
  startedAt: at('2027-03-01T10:01Z'),
  endedAt: at('2027-03-01T10:11Z'),
  ...more,
})

test('hours follow the clocks of the zone through both nights in which they change', () => {
  // Clocks skip from 2 to 3 on 28 March 2027 and show the hour from 2 to 3 twice on 31 October.
  const spring = new WeekHours(period('2027-03-27T00:00Z', '2027-03-30T00:00Z', 'Europe/Madrid'))
  spring.add(at('2027-03-28T00:30Z'), at('2027-03-28T02:30Z'))
  assert.equal(spring.seconds[6]?.slice(0, 6), [0, 1800, 0, 3600, 1800, 0])
  const autumn = new WeekHours(period('2027-10-30T00:00Z', '2027-11-02T00:00Z', 'Europe/Madrid'))
  autumn.add(at('2027-10-30T23:30Z'), at('2027-10-31T02:30Z'))
  assert.equal(autumn.seconds[6]?.slice(0, 5), [0, 1800, 7200, 1800, 0])
})

test('hours agree with the calendar everywhere, also in zones apart by half an hour', () => {
  for (const timeZone of ['Asia/Kolkata', 'Australia/Lord_Howe', 'America/St_Johns', 'UTC', 'Pacific/Apia']) {
    const [from, to] = [at('2026-10-01T00:00Z'), at('2027-05-01T00:00Z')]
    const hours = new WeekHours({ from, to, timeZone })
    for (let ms = from; ms < to; ms += 7 * hour + 60_000) {
      const local = localTime(ms, timeZone)
      assert.is(hours.hourAt(ms), Math.floor(local.minute / 60), `${timeZone} ${new Date(ms).toISOString()}`)
      const before = hours.seconds[weekdayOf(local) - 1]?.[Math.floor(local.minute / 60)] ?? 0
      hours.add(ms, ms + 1000)
      assert.is(hours.seconds[weekdayOf(local) - 1]?.[Math.floor(local.minute / 60)], before + 1)
    }
  }
  assert.is(zoneStretches(at('2027-01-01T00:00Z'), at('2028-01-01T00:00Z'), 'Europe/Madrid').length, 3)
})

test('of what lies at the edges of the period only what is within counts', () => {
  const hours = new WeekHours(period('2027-03-01T10:00Z', '2027-03-01T11:00Z'))
  hours.add(at('2027-03-01T09:00Z'), at('2027-03-01T10:10Z'))
  hours.add(at('2027-03-01T10:50Z'), at('2027-03-02T10:00Z'))
  assert.is(
    hours.seconds.flat().reduce((sum, seconds) => sum + seconds, 0),
    1200,
  )
})

test('a course lists everybody, also who did nothing, and nobody else', () => {
  const people = ['ana', 'bo'].map((id) => ({ id, name: id, email: `${id}@school.example` }))
  const now = at('2027-03-01T12:00Z')
  const view = new CourseView({ people, period: period('2027-03-01T00:00Z', '2027-03-02T00:00Z'), now })
  view.add(use())
  view.add(
    use({ askedAt: at('2027-03-01T11:00Z'), startedAt: at('2027-03-01T11:50Z'), endedAt: null, state: 'running' }),
  )
  view.add(use({ lab: 'iv', startedAt: null, endedAt: null, state: 'queued' }))
  view.add(use({ personId: 'stranger' }))
  const [ana, bo] = view.result().people
  assert.equal([ana?.uses, ana?.seconds, ana?.lastAt], [3, 1200, '2027-03-01T11:00:00.000Z'])
  assert.equal(
    ana?.labs.map(({ lab, uses, succeeded, seconds, lastState }) => [lab, uses, succeeded, seconds, lastState]),
    [
      ['iv', 1, 0, 0, 'queued'],
      ['rc', 2, 1, 1200, 'running'],
    ],
  )
  assert.equal([bo?.uses, bo?.lastAt, bo?.labs], [0, undefined, []])
})

const compared = (name: string, minute: number, chosen: ComparedUse['chosen'] = { voltage: 3.3 }): ComparedUse => ({
  id: `${name}${minute}`,
  person: { id: name, name },
  lab: 'rc',
  protocol: 'charge',
  at: at('2027-03-01T10:00Z') + minute * 60_000,
  chosen,
})

test('a hint is the same choice of different people near in time, and no more', () => {
  const names = (uses: readonly ComparedUse[]) =>
    similarUses(uses, hour).map((hint) => [hint.apartS, ...hint.uses.map(({ id }) => id)])
  assert.equal(names([compared('ana', 0), compared('bo', 5), compared('bo', 7)]), [[300, 'ana0', 'bo5', 'bo7']])
  assert.equal(names([compared('ana', 0), compared('ana', 5)]), [], 'of one person')
  assert.equal(names([compared('ana', 0), compared('bo', 61)]), [], 'too far apart')
  assert.equal(names([compared('ana', 0, {}), compared('bo', 5, {})]), [], 'what the lab suggests')
  assert.equal(names([compared('ana', 0, { a: 1, b: 2 }), compared('bo', 5, { b: 2, a: 1 })]).length, 1)
  assert.equal(names([compared('ana', 0), compared('bo', 5, { voltage: 3.4 })]), [])
  assert.equal(
    names([compared('ana', 0), compared('bo', 30), compared('cy', 200), compared('di', 201)]),
    [],
    'what all of a course chose is their task',
  )
  assert.equal(names([compared('ana', 0), compared('bo', 30), compared('cy', 200)]), [[1800, 'ana0', 'bo30']])
})

test('closed hours are not open time; overlapping ones count once, before a plan was made none', () => {
  const plan = (when: object, createdAt = 0) => ({
    id: 'p',
    reason: 'closed',
    atOnce: false,
    createdBy: 'x',
    createdAt,
    when: when as never,
  })
  const [from, to] = [at('2027-03-01T00:00Z'), at('2027-03-08T00:00Z')]
  const nights = {
    days: ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'],
    from: '20:00',
    until: '08:00',
    timeZone: 'UTC',
  }
  assert.is(openSeconds([], from, to), (7 * day) / 1000)
  assert.is(openSeconds([{ plan: plan(nights), endedAt: null }], from, to), (7 * 12 * hour) / 1000)
  const twice = [plan(nights), plan({ from: at('2027-03-02T06:00Z'), until: at('2027-03-02T10:00Z') })]
  assert.is(
    openSeconds(
      twice.map((one) => ({ plan: one, endedAt: null })),
      from,
      to,
    ),
    ((7 * 12 - 2) * hour) / 1000,
  )
  const halfway = from + 3.5 * day
  assert.is(openSeconds([{ plan: plan(nights, halfway), endedAt: null }], from, to), ((84 + 44) * hour) / 1000)
  assert.is(openSeconds([{ plan: plan(nights), endedAt: halfway }], from, to), ((168 - 44) * hour) / 1000)
  assert.is(openSeconds([{ plan: plan({ from, until: null }), endedAt: null }], from, to), 0)
})

test('the site: shares of open time, waits by nearest rank and by hour, countries by use', () => {
  const view = new SiteView(period('2027-03-01T00:00Z', '2027-03-02T00:00Z', 'Europe/Madrid'), at('2027-03-02T00:00Z'))
  for (let n = 1; n <= 20; n++) {
    view.add(
      use({ personId: `p${n % 4}`, startedAt: at('2027-03-01T10:00Z') + n * 1000, country: n > 15 ? 'ES' : null }),
    )
  }
  view.add(use({ lab: 'iv', startedAt: null, endedAt: null, bench: null, state: 'queued' }))
  const held = [
    { bench: 'n.b', lab: 'rc', seconds: 1800 },
    { bench: 'n.c', lab: 'iv', seconds: 60 },
  ]
  const openS = new Map([
    ['n.a', 3600],
    ['n.b', 3600],
    ['n.c', 0],
  ])
  const directS = new Map([['n.a', 360]])
  const found = view.result({ held, directS, openS, serves: (lab) => (lab === 'rc' ? ['n.a'] : []) })
  assert.equal([found.uses, found.people, found.seconds, found.directS], [21, 5, 1860, 360])
  assert.equal(
    found.benches.map(({ bench, uses, directS: byHand, share }) => [bench, uses, byHand, share]),
    [
      ['n.a', 0, 360, 0.1],
      ['n.b', 20, 0, 0.5],
      ['n.c', 0, 0, null],
    ],
  )
  const rc = found.labs.find(({ lab }) => lab === 'rc')
  assert.equal([rc?.openS, rc?.share, rc?.wait], [7200, 0.25, { uses: 20, medianS: 10, p95S: 19 }])
  assert.is(found.labs.find(({ lab }) => lab === 'iv')?.wait, undefined)
  assert.equal(found.waits[11], { hour: 11, uses: 20, medianS: 10, p95S: 19 })
  assert.is(found.waits.length, 24)
  assert.equal(found.countries, [
    { uses: 16, people: 5 },
    { country: 'ES', uses: 5, people: 4 },
  ])
})

test('a period is 30 days to now, forwards, and not endless', () => {
  const now = at('2027-03-31T00:00Z')
  assert.equal(periodOf({ timeZone: 'UTC' }, now), { from: now - 30 * day, to: now, timeZone: 'UTC' })
  const wrong = (query: object, longest?: number) => periodOf({ timeZone: 'UTC', ...query }, now, longest)
  assert.match((wrong({ from: '2027-04-01T00:00:00Z' }) as { path: string }).path, 'query.to')
  assert.match((wrong({ from: '2020-01-01T00:00:00Z' }) as { message: string }).message, 'more than 800 days')
  assert.match((wrong({ from: '2027-02-01T00:00:00Z' }, 31) as { message: string }).message, 'more than 31 days')
  assert.is((wrong({}, 7) as { from: number }).from, now - 7 * day)
})

test.run()
