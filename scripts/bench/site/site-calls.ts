/** The calls that pages make most, timed one at a time and many at once. */
import { type HubClient, readMetric } from '../fernlab/hub-client.ts'
import { keepInFlight } from '../framework/load.ts'
import { quantile, spread } from '../framework/statistics.ts'
import { labName, ownCourse } from './fill-site.ts'

export interface Call {
  readonly name: string
  readonly title: string
  readonly who: 'admin' | 'student'
  readonly path: () => string
  /** At most, of the median, in ms. */
  readonly aimMs: number
}

const dayMs = 86_400_000
const iso = (ms: number) => new Date(ms).toISOString()
/** From midnight on, as the page asks. */
const week = () => {
  const from = Math.floor(Date.now() / dayMs) * dayMs
  return `from=${iso(from)}&to=${iso(from + 7 * dayMs)}`
}
const month = () => `from=${iso(Date.now() - 30 * dayMs)}&to=${iso(Date.now())}`
const lab = labName(7)

const call = (name: string, who: Call['who'], title: string, path: string | (() => string), aimMs = 30): Call => ({
  name: `${who}-${name}`,
  title: `${who}: ${title}`,
  who,
  path: typeof path === 'string' ? () => path : path,
  aimMs,
})

/** In the order in which they are measured. */
export const calls: readonly Call[] = [
  call('labs', 'admin', 'labs', '/api/v1/labs?limit=200', 20),
  call('labs', 'student', 'labs', '/api/v1/labs?limit=200', 20),
  call('permission', 'student', 'what one may in a lab', `/api/v1/labs/${lab}/permission`),
  call('groups', 'admin', 'groups', '/api/v1/groups?limit=50', 20),
  call('groups', 'student', 'groups', '/api/v1/groups?limit=50', 20),
  call('members', 'admin', 'people of a course', `/api/v1/groups/${ownCourse}/members?inner=true`),
  call('runs', 'admin', 'runs', '/api/v1/runs?limit=50', 20),
  call('runs', 'student', 'runs', '/api/v1/runs?limit=50', 20),
  call('course-runs', 'admin', 'runs of a course', `/api/v1/runs?limit=50&group=${ownCourse}`, 20),
  call('benches', 'admin', 'benches', '/api/v1/benches?limit=200'),
  call('nodes', 'admin', 'nodes', '/api/v1/nodes?limit=200'),
  call('bookings', 'student', 'bookings', '/api/v1/bookings'),
  call('calendar', 'student', 'calendar of a week', () => `/api/v1/labs/${lab}/calendar?${week()}`),
  call('calendar', 'admin', 'calendar of a week', () => `/api/v1/labs/${lab}/calendar?${week()}`),
  call('course-usage', 'admin', 'usage of a course, 30 days', () => `/api/v1/usage/courses/${ownCourse}?${month()}`),
  call('site-usage', 'admin', 'usage of the site, 30 days', () => `/api/v1/usage/site?${month()}`),
  call('audit', 'admin', 'audit log', '/api/v1/audit'),
  call('people', 'admin', 'people by a part of the name', '/api/v1/users?q=son%20777'),
]

const AT_A_TIME = 30
const AT_ONCE = 64
const IN_FLIGHT = 16

export interface Timed {
  readonly figures: Readonly<Record<string, number>>
  readonly raw: Readonly<Record<string, object>>
  /** The longest that the hub's event loop was held up, in ms. */
  readonly stallMs: number
}

/** Makes each call one at a time and then many at once; a call that is refused rejects. */
export async function timeCalls(clients: Readonly<Record<Call['who'], HubClient>>): Promise<Timed> {
  const figures: Record<string, number> = {}
  const raw: Record<string, object> = {}
  let worstMs = 0
  await stall(clients.admin)
  for (const { name, who, path } of calls) {
    const ask = () => clients[who].call('GET', path())
    await ask()
    const { timesMs } = await keepInFlight(ask, AT_A_TIME, 1)
    const many = await keepInFlight(ask, AT_ONCE, IN_FLIGHT)
    figures[name] = quantile(timesMs, 0.5)
    figures[`${name}-p99`] = quantile(timesMs, 0.99)
    figures[`${name}-many`] = quantile(many.timesMs, 0.5)
    const stallMs = await stall(clients.admin)
    worstMs = Math.max(worstMs, stallMs)
    raw[name] = { one: spread(timesMs), many: spread(many.timesMs), stallMs }
  }
  return { figures, raw, stallMs: worstMs }
}

/** Since it was asked last. */
const stall = async (client: HubClient) =>
  (await readMetric(client, 'fernlab_event_loop_delay_seconds{quantile="1"}')) * 1000
