/**
 * Who used what: uses one by one, and the views of a course and of the site.
 *
 * INVARIANTS: nobody sees a use but an admin, whose it is, and who teaches them; addresses are seen by admins and by whose
 * they are; memory does not grow with the number of uses in a period.
 */
import type {
  CourseUsage,
  Period,
  Similar,
  SiteUsage,
  Timeline,
  Use,
  UseDetail,
  UseFilter,
} from '@fernlab/shared/contracts/usage'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { asLabError } from '@fernlab/shared/primitives/lab-error'
import type { Log } from '@fernlab/shared/primitives/log'
import type { Caller } from '../accounts/caller.ts'
import { type Catalogue, protocolIn } from '../catalogue/catalogue.ts'
import type { Groups } from '../groups/groups.ts'
import type { Store } from '../store/store.ts'
import { siteBenches } from './bench-time.ts'
import { CourseView } from './course-view.ts'
import { type ComparedUse, similarUses } from './similar.ts'
import { SiteView } from './site-view.ts'
import { timelineOf } from './timeline.ts'
import { createUses } from './uses.ts'

export interface Usage {
  /** Newest first: of one's own and of whom one teaches, for admins of all. Throws `group-unknown` for a foreign course. */
  list(
    caller: Caller,
    filter: UseFilter,
    page: { limit: number; before?: string | undefined },
  ): Promise<{ items: Use[]; more: boolean }>
  /** All of a list. */
  all(caller: Caller, filter: UseFilter): AsyncGenerator<Use>
  /** Undefined also for one that the caller may not see. */
  get(caller: Caller, id: string): Promise<UseDetail | undefined>
  /** These three throw `group-unknown` for a course that the caller does not teach. */
  course(caller: Caller, id: string, period: Period): Promise<CourseUsage>
  timeline(caller: Caller, id: string, period: Period): Promise<Timeline>
  similar(caller: Caller, id: string, period: Period, withinHours: number): Promise<Similar>
  site(period: Period): Promise<SiteUsage>
  /** Notes that somebody takes results as a file; what fails is in the log, and keeps nobody from their results. */
  took(runId: string, personId: string, what: string): Promise<void>
}

export interface CreateUsageOptions {
  readonly store: Store
  readonly groups: Pick<Groups, 'students' | 'get'>
  readonly catalogue: Pick<Catalogue, 'version'>
  /** Ids of the benches that there are. */
  readonly benches: () => readonly string[]
  /** Of those that serve the lab. */
  readonly benchesFor: (lab: string) => Iterable<string>
  readonly clock: Clock
  readonly log: Log
}

const AT_ONCE = 500
const hourMs = 3_600_000

/** Usage over the store. */
export function createUsage({ store, groups, catalogue, clock, log, ...site }: CreateUsageOptions): Usage {
  const { db } = store
  const uses = createUses({ store, now: clock.now })
  const asPerson = ({ personId, role }: Caller) => ({ id: personId, role })

  /** Whose uses the caller may see of those asked for; undefined: everybody's. */
  const peopleFor = async (caller: Caller, course: string | undefined): Promise<string[] | undefined> => {
    if (course !== undefined) return (await groups.students(asPerson(caller), course)).map(({ id }) => id)
    if (caller.role === 'admin') return undefined
    return [caller.personId, ...(await groups.students(asPerson(caller))).map(({ id }) => id)]
  }
  const seenBy =
    (caller: Caller) =>
    <Seen extends Use>(use: Seen): Seen => {
      if (caller.role === 'admin' || use.person.id === caller.personId) return use
      const { address: _, ...rest } = use
      return rest as Seen
    }
  const courseOf = async (caller: Caller, id: string) => {
    const students = await groups.students(asPerson(caller), id)
    return { people: students, ids: students.map((person) => person.id) }
  }

  return {
    list: async (caller, { course, ...filter }, page) => {
      const people = await peopleFor(caller, course)
      const { items, more } = await uses.page({ filter, people, ...page })
      return { items: items.map(seenBy(caller)), more }
    },
    all: async function* (caller, { course, ...filter }) {
      const people = await peopleFor(caller, course)
      let before: string | undefined
      let more = true
      while (more) {
        const found = await uses.page({ filter, people, limit: AT_ONCE, before })
        yield* found.items.map(seenBy(caller))
        before = found.items.at(-1)?.id
        more = found.more
      }
    },
    get: async (caller, id) => {
      const use = await uses.get(id)
      if (use === undefined) return undefined
      const people = await peopleFor(caller, undefined)
      return people === undefined || people.includes(use.person.id) ? seenBy(caller)(use) : undefined
    },
    course: async (caller, id, period) => {
      const { people, ids } = await courseOf(caller, id)
      const { name } = await groups.get(caller, id)
      const view = new CourseView({ people, period, now: clock.now() })
      for await (const use of uses.each({ ...period, people: ids })) view.add(use)
      return { course: { id, name }, period: shown(period), ...view.result() }
    },
    timeline: async (caller, id, period) => {
      const { people } = await courseOf(caller, id)
      return { period: shown(period), ...(await timelineOf({ db, people, period, now: clock.now() })) }
    },
    similar: async (caller, id, period, withinHours) => {
      const { people, ids } = await courseOf(caller, id)
      const byId = new Map(people.map((person) => [person.id, person]))
      const defaults = new Map<string, Readonly<Record<string, unknown>>>()
      const compared: ComparedUse[] = []
      let batch: Omit<ComparedUse, 'chosen'>[] = []
      const versions = new Map<string, number>()
      const compare = async () => {
        const parameters = await uses.parameters(batch.map((use) => use.id))
        for (const use of batch) {
          const version = versions.get(use.id) ?? 0
          const key = `${use.lab} ${version} ${use.protocol}`
          let suggested = defaults.get(key)
          if (suggested === undefined) {
            suggested = await suggestedOf(use.lab, version, use.protocol)
            defaults.set(key, suggested)
          }
          const all = JSON.parse(parameters.get(use.id) ?? '{}') as ComparedUse['chosen']
          const chosen = Object.fromEntries(Object.entries(all).filter(([name, value]) => suggested?.[name] !== value))
          compared.push({ ...use, chosen })
        }
        batch = []
        versions.clear()
      }
      for await (const { id: use, personId, lab, labVersion, protocol, askedAt } of uses.each({
        ...period,
        people: ids,
      })) {
        const person = byId.get(personId)
        if (person === undefined) continue
        versions.set(use, labVersion)
        batch.push({ id: use, person, lab, protocol, at: askedAt })
        if (batch.length >= AT_ONCE) await compare()
      }
      await compare()
      return { period: shown(period), withinHours, hints: similarUses(compared, withinHours * hourMs) }
    },
    site: async (period) => {
      const now = clock.now()
      const view = new SiteView(period, now)
      for await (const use of uses.each({ ...period, people: undefined })) view.add(use)
      const benches = await siteBenches({ db, benches: site.benches(), period, now })
      return { period: shown(period), ...view.result({ ...benches, serves: site.benchesFor }) }
    },
    took: async (runId, personId, what) => {
      const row = { run_id: runId, person_id: personId, at: clock.now(), what }
      try {
        await store.write([db.insertInto('run_download').values(row)])
      } catch (error) {
        const { code, message } = asLabError(error)
        log.error({ run: runId, code, error: message }, 'a download could not be noted')
      }
    },
  }

  async function suggestedOf(lab: string, version: number, protocol: string): Promise<Record<string, unknown>> {
    const known = await catalogue.version(lab, version)
    const definition = known === undefined ? undefined : protocolIn(known, protocol)?.definition
    return Object.fromEntries(
      Object.entries(definition?.parameters ?? {}).flatMap(([name, spec]) =>
        'default' in spec ? [[name, spec.default]] : [],
      ),
    )
  }
}

const shown = ({ from, to, timeZone }: Period) => ({
  from: new Date(from).toISOString(),
  to: new Date(to).toISOString(),
  timeZone,
})
