/** Usage of a course of three and of a site with two benches. */
import type { DirectUse, DirectUseDetail } from '@fernlab/shared/contracts/direct-use'
import type {
  CourseUsage,
  Similar,
  SiteUsage,
  Timeline,
  UsagePreview,
  UsageRules,
  Use,
  UseDetail,
} from '@fernlab/shared/contracts/usage'

const people = ['Ana Ruiz', 'Bo Lindqvist', 'Chen Wei'].map((name, at) => ({ id: `p${at + 1}`, name }))
const [ana, bo, chen] = people as [(typeof people)[0], (typeof people)[0], (typeof people)[0]]

const hours = Array.from({ length: 7 }, (_, day) =>
  Array.from({ length: 24 }, (_, hour) => (day < 5 && hour > 8 && hour < 20 ? ((day * 7 + hour * 5) % 11) * 300 : 0)),
)

const useId = (number: number) => `01u${String(number).padStart(23, '0')}`

/** Answers what is asked for at `/api/v1/usage/…`; undefined for what there is not. */
export function fakeUsage(path: string, query: URLSearchParams, empty: boolean): object | undefined {
  const period = { from: query.get('from') ?? '', to: query.get('to') ?? '', timeZone: query.get('timeZone') ?? 'UTC' }
  const today = new Date()
  const at = (hour: number, minute = 0) =>
    new Date(today.getFullYear(), today.getMonth(), today.getDate() - 1, hour, minute).toISOString()
  if (path === '/site') {
    const wait = { uses: 12, medianS: 40, p95S: 420 }
    const site: SiteUsage = {
      period,
      uses: empty ? 0 : 42,
      people: 17,
      seconds: 36_000,
      directS: empty ? 0 : 3600,
      benches: [
        { bench: 'demo.rc-1', uses: 30, seconds: 30_000, directS: 0, openS: 60_000, share: 0.5 },
        { bench: 'demo.iv-1', uses: 12, seconds: 6000, directS: 3600, openS: 60_000, share: 0.16 },
        { bench: 'demo.old', uses: 0, seconds: 0, directS: 0, openS: 0, share: null },
      ],
      labs: [
        { lab: 'diode-iv', uses: 12, people: 6, seconds: 6000, openS: 60_000, share: 0.1, wait },
        { lab: 'rc-circuit', uses: 30, people: 14, seconds: 30_000, openS: 60_000, share: 0.5, wait },
      ],
      waits: Array.from({ length: 24 }, (_, hour) => ({ hour, uses: 2, medianS: hour * 4, p95S: hour * 30 })),
      countries: [
        { country: 'ES', uses: 30, people: 12 },
        { country: 'site', uses: 9, people: 4 },
        { uses: 3, people: 2 },
      ],
      countrySource: { database: 'DBIP-Country-Lite', builtAt: at(0) },
      hours,
    }
    return site
  }
  if (path === '/direct') return fakeDirectUses(query, at, empty)
  const driven = /^\/direct\/(\w+)$/.exec(path)?.[1]
  if (driven !== undefined) return fakeDirectUse(driven, at)
  if (path === '/uses') return fakeUses(query, at, empty)
  const one = /^\/uses\/(\w+)$/.exec(path)?.[1]
  if (one !== undefined) return fakeUse(one, at)
  const view = /^\/courses\/[^/]+(\/\w+)?$/.exec(path)?.[1]
  if (!path.startsWith('/courses/')) return undefined
  if (view === '/timeline') {
    const bar = (id: string, person: typeof ana, from: string, until: string) => ({
      ...{ id, person, from, until },
      lab: 'rc-circuit',
      state: 'succeeded' as const,
    })
    const timeline: Timeline = {
      period,
      benches:
        Date.parse(period.from) > Date.parse(at(12)) || Date.parse(period.to) < Date.parse(at(12))
          ? []
          : [
              {
                bench: 'demo.rc-1',
                uses: [bar(useId(2), ana, at(9), at(10, 30)), bar(useId(3), bo, at(11), at(11, 20))],
                direct: [{ id: useId(101), person: chen, from: at(13), until: at(14) }],
              },
              {
                bench: 'demo.rc-2',
                uses: [bar('u3', ana, at(15), at(17))],
                direct: [{ id: useId(103), from: at(18), until: at(19) }],
              },
            ],
      more: false,
    }
    return timeline
  }
  if (view === '/similar') {
    const uses = [
      { id: useId(2), person: ana, at: at(9) },
      { id: 'u2', person: bo, at: at(9, 4) },
    ]
    const hint = { lab: 'rc-circuit', protocol: 'charge-curve', chosen: { voltage: 3.37, rate: 12 }, uses, apartS: 240 }
    const similar: Similar = { period, withinHours: 24, hints: [hint] }
    return similar
  }
  const lab = (name: string, uses: number, seconds: number) => ({
    ...{ lab: name, uses, seconds, succeeded: Math.floor(uses / 2) },
    lastAt: at(17),
    lastState: 'succeeded' as const,
  })
  const course: CourseUsage = {
    course: { id: 'optics', name: 'Optics, spring' },
    period,
    people: empty
      ? []
      : [
          {
            ...{ person: ana, email: 'ana@school.example', uses: 7, seconds: 12_600, lastAt: at(17) },
            labs: [lab('diode-iv', 2, 3600), lab('rc-circuit', 5, 9000)],
          },
          {
            person: bo,
            email: 'bo@school.example',
            uses: 1,
            seconds: 1200,
            lastAt: at(11),
            labs: [lab('rc-circuit', 1, 1200)],
          },
          { person: chen, email: 'chen@school.example', uses: 0, seconds: 0, labs: [] },
        ],
    hours,
  }
  return course
}

/** Sixty runs on two benches, and the session that is the newest. */
function usesOf(at: (hour: number, minute?: number) => string): Use[] {
  const common = { lab: 'rc-circuit', waitS: 95, state: 'succeeded' as const, downloads: 0 }
  const runs = Array.from({ length: 60 }, (_, n): Use => {
    const minute = 59 - n
    return {
      ...common,
      id: useId(n + 2),
      person: n % 2 === 0 ? ana : bo,
      protocol: 'charge-curve',
      session: false,
      bench: n % 3 === 0 ? 'demo.rc-1' : 'demo.rc-2',
      address: '192.0.2.7',
      country: n % 4 === 0 ? 'site' : 'ES',
      askedAt: at(8, minute),
      startedAt: at(9, minute),
      endedAt: at(10, minute),
      lastsS: 1230,
    }
  })
  const session: Use = {
    ...common,
    ...{
      id: useId(1),
      person: ana,
      lab: 'diode-iv',
      protocol: 'session',
      session: true,
      bench: 'demo.iv-1',
      country: 'SE',
    },
    ...{ askedAt: at(11), startedAt: at(11, 2), endedAt: at(11, 32), lastsS: 1800, commands: 2, downloads: 1 },
  }
  return [session, ...runs]
}

function fakeUses(query: URLSearchParams, at: Parameters<typeof usesOf>[0], empty: boolean) {
  const given = (name: string) => query.get(name)
  const fitting = usesOf(at).filter(
    ({ person, bench, country, lab }) =>
      (given('person') ?? person.id) === person.id &&
      (given('bench') ?? bench) === bench &&
      (given('country') ?? country) === country &&
      (given('lab') ?? lab) === lab,
  )
  const from = Number(given('cursor') ?? 0)
  const next = from + Number(given('limit') ?? 50)
  return {
    items: empty ? [] : fitting.slice(from, next),
    ...(next < fitting.length ? { cursor: String(next) } : {}),
  }
}

function fakeUse(id: string, at: Parameters<typeof usesOf>[0]): UseDetail | undefined {
  const use = usesOf(at).find((known) => known.id === id)
  if (use === undefined) return undefined
  return {
    ...use,
    parameters: use.session ? { seconds: 1800 } : { voltage: 3.37, rate: 12 },
    outputs: use.session ? {} : { tau: { value: 1.0023, unit: 's', uncertainty: 0.004 } },
    rows: use.session ? { commands: 4 } : { curve: 1200 },
    given: use.session
      ? [
          { at: at(11, 3), by: ana, what: 'set', target: 'supply.voltage', value: '5', outcome: 'done' },
          {
            at: at(11, 4),
            by: bo,
            what: 'set',
            target: 'supply.voltage',
            value: '50',
            outcome: '50 V is above the limit of 12 V',
          },
        ]
      : [],
    moreGiven: false,
    taken: use.session ? [{ at: at(12), by: ana, what: 'data.csv' }] : [],
    moreTaken: false,
  }
}

/** Of two of the staff, one of which is under way. */
function directOf(at: Parameters<typeof usesOf>[0]): DirectUse[] {
  return [
    {
      ...{ id: useId(102), person: bo, bench: 'demo.iv-1', address: '192.0.2.9', country: 'site' },
      ...{ startedAt: at(16), lastsS: 90, exchanges: 0 },
    },
    {
      ...{ id: useId(101), person: chen, bench: 'demo.rc-1', address: '192.0.2.7', country: 'ES' },
      ...{ startedAt: at(13), endedAt: at(14), lastsS: 3600, ended: 'expired', exchanges: 2 },
    },
  ]
}

function fakeDirectUses(query: URLSearchParams, at: Parameters<typeof usesOf>[0], empty: boolean) {
  const fits = ({ person, bench }: DirectUse) =>
    (query.get('person') ?? person.id) === person.id && (query.get('bench') ?? bench) === bench
  return { items: empty ? [] : directOf(at).filter(fits) }
}

function fakeDirectUse(id: string, at: Parameters<typeof usesOf>[0]): DirectUseDetail | undefined {
  const use = directOf(at).find((known) => known.id === id)
  if (use === undefined || use.exchanges === 0) return use === undefined ? use : { ...use, given: [], moreGiven: false }
  const voltage = { value: 4.998, unit: 'V', time: at(13, 1) }
  return {
    ...use,
    given: [
      {
        ...{ at: at(13, 1), set: { 'psu.voltage': 5, 'psu.output': 'on' }, read: ['dmm.voltage'], tookMs: 12.4 },
        ...{ answer: { 'dmm.voltage': voltage }, way: 'api', address: '192.0.2.7' },
      },
      {
        ...{ at: at(13, 2), set: { 'psu.voltage': 50 }, read: [], tookMs: 3.1 },
        ...{ error: '50 V is above the limit of 12 V', way: 'mqtt', address: '192.0.2.8' },
      },
    ],
    moreGiven: false,
  }
}

/** What rules would take away where one use is 400 days old and another ten. */
export function fakeUsagePreview({ addressDays, nameDays }: UsageRules): UsagePreview {
  const older = (days: number | null) => [400, 10].filter((age) => days !== null && age >= days).length
  return { addresses: older(addressDays), uses: older(nameDays) * 3, people: older(nameDays) }
}
