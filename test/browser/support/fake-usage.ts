/** Usage of a course of three and of a site with two benches. */
import type { CourseUsage, Similar, SiteUsage, Timeline } from '@fernlab/shared/contracts/usage'

const people = ['Ana Ruiz', 'Bo Lindqvist', 'Chen Wei'].map((name, at) => ({ id: `p${at + 1}`, name }))
const [ana, bo, chen] = people as [(typeof people)[0], (typeof people)[0], (typeof people)[0]]

const hours = Array.from({ length: 7 }, (_, day) =>
  Array.from({ length: 24 }, (_, hour) => (day < 5 && hour > 8 && hour < 20 ? ((day * 7 + hour * 5) % 11) * 300 : 0)),
)

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
      benches: [
        { bench: 'demo.rc-1', uses: 30, seconds: 30_000, openS: 60_000, share: 0.5 },
        { bench: 'demo.iv-1', uses: 12, seconds: 6000, openS: 60_000, share: 0.1 },
        { bench: 'demo.old', uses: 0, seconds: 0, openS: 0, share: null },
      ],
      labs: [
        { lab: 'diode-iv', uses: 12, people: 6, seconds: 6000, openS: 60_000, share: 0.1, wait },
        { lab: 'rc-circuit', uses: 30, people: 14, seconds: 30_000, openS: 60_000, share: 0.5, wait },
      ],
      waits: Array.from({ length: 24 }, (_, hour) => ({ hour, uses: 2, medianS: hour * 4, p95S: hour * 30 })),
      countries: [
        { country: 'ES', uses: 30, people: 12 },
        { uses: 12, people: 5 },
      ],
      hours,
    }
    return site
  }
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
              { bench: 'demo.rc-1', uses: [bar('u1', ana, at(9), at(10, 30)), bar('u2', bo, at(11), at(11, 20))] },
              { bench: 'demo.rc-2', uses: [bar('u3', ana, at(15), at(17))] },
            ],
      more: false,
    }
    return timeline
  }
  if (view === '/similar') {
    const uses = [
      { id: 'u1', person: ana, at: at(9) },
      { id: 'u2', person: bo, at: at(9, 4) },
    ]
    const hint = { lab: 'rc-circuit', protocol: 'charge-curve', chosen: { voltage: 3.37, rate: 12 }, uses, apartS: 240 }
    const similar: Similar = { period, withinHours: 24, hints: [hint] }
    return similar
  }
  const lab = (name: string, uses: number, seconds: number) => ({
    ...{ lab: name, uses, seconds },
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
            ...{ person: ana, uses: 7, seconds: 12_600, lastAt: at(17) },
            labs: [lab('diode-iv', 2, 3600), lab('rc-circuit', 5, 9000)],
          },
          { person: bo, uses: 1, seconds: 1200, lastAt: at(11), labs: [lab('rc-circuit', 1, 1200)] },
          { person: chen, uses: 0, seconds: 0, labs: [] },
        ],
    hours,
  }
  return course
}
