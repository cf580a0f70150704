/** Recurring runs of the stand-in, from memory; what a cron expression means is asked of the hub's own code. */
import { dueTimes } from '@fernlab/hub/recurring/due-times'
import type { LabDetail } from '@fernlab/shared/contracts/api'
import type { ChangeRecurring, CreateRecurring, Recurring } from '@fernlab/shared/contracts/recurring'
import { LabError } from '@fernlab/shared/primitives/lab-error'

interface Answer {
  readonly status: number
  readonly body?: unknown
  readonly code?: string
  readonly hint?: string
}

const iso = (ms: number) => new Date(ms).toISOString()

function nextTimes(cron: string, timeZone: string, from = Date.now()): string[] {
  const due = dueTimes(cron, timeZone)
  const found: number[] = []
  for (let at = due.next(Math.max(Date.now(), from)); at !== undefined && found.length < 5; at = due.next(at))
    found.push(at)
  return found.map(iso)
}

/** The objects of `/api/v1/recurring`. */
export function fakeRecurring() {
  const nights = (number: number) => iso(Date.UTC(2026, 10, 25 - number, 1, 30))
  const error = {
    code: 'no-bench',
    kind: 'caller' as const,
    retry: 'later' as const,
    message: 'no bench serves the lab rc-circuit',
    studentMessage: 'No bench can run this lab at the moment. The staff can see what is missing.',
  }
  const calibration: Recurring = {
    id: 'calibration',
    name: 'Nightly calibration',
    state: 'active',
    lab: 'rc-circuit',
    labTitle: { en: 'RC circuit' },
    protocol: 'charge-curve',
    protocolTitle: { en: 'Charge curve' },
    parameters: { voltage: 5, duration: 5, rate: 10 },
    cron: '30 2 * * *',
    timeZone: 'Europe/Madrid',
    overlap: 'skip',
    missed: 'once',
    person: { id: 'p1', name: 'Ana Ruiz' },
    next: nextTimes('30 2 * * *', 'Europe/Madrid'),
    last: [
      { due: nights(0), outcome: 'run', run: { id: 'r0', state: 'running' } },
      { due: nights(1), outcome: 'run', run: { id: 'r1', state: 'succeeded' }, missedBefore: 2 },
      { due: nights(4), outcome: 'refused', error },
      { due: nights(5), outcome: 'skipped' },
      { due: nights(6), outcome: 'run', run: { id: 'r6', state: 'failed' } },
    ],
    createdAt: nights(9),
  }
  const monitoring: Recurring = {
    ...calibration,
    id: 'monitoring',
    name: 'A reading every six hours',
    state: 'paused',
    pausedFor: 'refusals',
    cron: '0 */6 * * *',
    person: { id: 'p2', name: 'Bo Lindqvist' },
    next: [],
    last: [{ due: nights(0), outcome: 'refused', error }],
  }
  const items = new Map([calibration, monitoring].map((item) => [item.id, item]))
  let made = 0

  const put = (item: Recurring, status = 200): Answer => {
    items.set(item.id, item)
    return { status, body: item }
  }
  const create = (
    body: CreateRecurring,
    { owner, lab }: { owner: Recurring['person']; lab: LabDetail | undefined },
  ) => {
    const { parameters = {}, cron, timeZone = 'Europe/Madrid', name, protocol } = body
    return put(
      {
        ...calibration,
        id: `made-${++made}`,
        name,
        protocol,
        parameters,
        cron,
        timeZone,
        ...(lab === undefined ? {} : { lab: lab.id, labTitle: lab.title }),
        overlap: body.overlap ?? 'skip',
        missed: body.missed ?? 'once',
        ...(body.bench === undefined ? {} : { bench: body.bench }),
        ...(body.priority === undefined ? {} : { priority: body.priority }),
        ...(body.from === undefined ? {} : { from: body.from }),
        person: owner,
        next: nextTimes(cron, timeZone, body.from === undefined ? undefined : Date.parse(body.from)),
        last: [],
      },
      201,
    )
  }
  const act = (item: Recurring, verb: string): Answer => {
    if (verb === 'pause') return put({ ...item, state: 'paused', pausedFor: 'asked', next: [] })
    const { pausedFor: _, ...rest } = item
    if (verb === 'resume') return put({ ...rest, state: 'active', next: nextTimes(item.cron, item.timeZone) })
    const run = { id: 'by-hand', state: 'queued' as const }
    return put({ ...item, last: [{ due: iso(Date.now()), outcome: 'run', run, byHand: true }, ...item.last] }, 201)
  }

  return {
    answer: (call: string, url: URL, body: unknown, by: Parameters<typeof create>[1]): Answer => {
      if (call === 'GET /api/v1/recurring') return { status: 200, body: { items: [...items.values()].reverse() } }
      try {
        if (call === 'GET /api/v1/recurring-times') {
          const timeZone = url.searchParams.get('timeZone') ?? 'UTC'
          const from = Date.parse(url.searchParams.get('from') ?? iso(Date.now()))
          return {
            status: 200,
            body: { timeZone, next: nextTimes(url.searchParams.get('cron') ?? '', timeZone, from) },
          }
        }
        if (call === 'POST /api/v1/recurring') return create(body as CreateRecurring, by)
      } catch (thrown) {
        if (!(thrown instanceof LabError)) throw thrown
        return { status: 422, code: thrown.code, hint: thrown.studentMessage }
      }
      const [, , , , id = '', verb] = url.pathname.split('/')
      const item = items.get(id)
      if (item === undefined) return { status: 404 }
      if (verb !== undefined) return act(item, verb)
      if (call.startsWith('DELETE')) {
        items.delete(id)
        return { status: 204 }
      }
      if (call.startsWith('GET')) return { status: 200, body: item }
      const { name = item.name, cron = item.cron } = body as ChangeRecurring
      return put({ ...item, name, cron, next: nextTimes(cron, item.timeZone) })
    },
  }
}
