/**
 * Who used what: uses one by one, and the views of a course and of the site.
 *
 * INVARIANTS: nobody sees a use but an admin, whose it is, and who teaches them; addresses are seen by admins and by whose
 * they are; memory does not grow with the number of uses in a period.
 */
import type { DirectExchange, DirectFilter, DirectUse, DirectUseDetail } from '@fernlab/shared/contracts/direct-use'
import type {
  CountrySource,
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
import { createDirectUses } from './direct-uses.ts'
import { type ComparedUse, similarUses } from './similar.ts'
import { SiteView } from './site-view.ts'
import { timelineOf } from './timeline.ts'
import type { GivenCommand, TakenFile } from './use-record.ts'
import { createUses, type UsePage } from './uses.ts'

/** Of one's own and of whom one teaches, for admins of all. Throws `group-unknown` for a foreign course. */
export interface Listed<Filter, Item> {
  /** Newest first. */
  list(
    caller: Caller,
    filter: Filter,
    page: { limit: number; before?: string | undefined },
  ): Promise<{ items: Item[]; more: boolean }>
  /** All of a list. */
  all(caller: Caller, filter: Filter): AsyncGenerator<Item>
}

export interface Usage extends Listed<UseFilter, Use> {
  /** Undefined also for one that the caller may not see. */
  get(caller: Caller, id: string): Promise<UseDetail | undefined>
  /** All that was commanded in a use, and who took its results; undefined for one that the caller may not see. */
  record(
    caller: Caller,
    id: string,
  ): Promise<{ commands(): AsyncGenerator<GivenCommand>; files(): AsyncGenerator<TakenFile> } | undefined>
  /** Direct uses of benches by staff, seen by the same people as uses; the newest first. */
  readonly direct: Listed<DirectFilter, DirectUse> & {
    /** Undefined also for one that the caller may not see. */
    get(caller: Caller, id: string): Promise<DirectUseDetail | undefined>
    exchanges(caller: Caller, id: string): Promise<AsyncGenerator<DirectExchange> | undefined>
  }
  /** These three throw `group-unknown` for a course that the caller does not teach. */
  course(caller: Caller, id: string, period: Period): Promise<CourseUsage>
  timeline(caller: Caller, id: string, period: Period): Promise<Timeline>
  similar(caller: Caller, id: string, period: Period, withinHours: number): Promise<Similar>
  site(period: Period): Promise<SiteUsage>
  /** Notes that somebody takes results as a file; what fails is in the log, and keeps nobody from their results. */
  took(runId: string, personId: string, what: string, isOneOfMany?: boolean): Promise<void>
}

export interface CreateUsageOptions {
  readonly store: Store
  readonly groups: Pick<Groups, 'students' | 'get'>
  readonly catalogue: Pick<Catalogue, 'version'>
  readonly countrySource: () => CountrySource
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
  const directUses = createDirectUses({ store, now: clock.now })
  const asPerson = ({ personId, role }: Caller) => ({ id: personId, role })

  /** Whose uses the caller may see of those asked for; undefined: everybody's. */
  const peopleFor = async (caller: Caller, course: string | undefined): Promise<string[] | undefined> => {
    if (course !== undefined) return (await groups.students(asPerson(caller), course)).map(({ id }) => id)
    if (caller.role === 'admin') return undefined
    return [caller.personId, ...(await groups.students(asPerson(caller))).map(({ id }) => id)]
  }
  /** Without the address where it is neither the caller's own nor for an admin. */
  const without = <Seen extends Pick<Use, 'address'>>(caller: Caller, person: string, seen: Seen): Seen => {
    if (caller.role === 'admin' || person === caller.personId) return seen
    const { address: _, ...rest } = seen
    return rest as Seen
  }
  const seenBy =
    (caller: Caller) =>
    <Seen extends Pick<Use, 'person' | 'address'>>(use: Seen): Seen =>
      without(caller, use.person.id, use)
  /** With the person's id for their mail address. */
  const byId = async <Filter extends Pick<UseFilter, 'person'>>(filter: Filter): Promise<Filter> => {
    if (filter.person?.includes('@') !== true) return filter
    const email = filter.person.toLowerCase()
    const found = await db.selectFrom('user').select('id').where('email', '=', email).executeTakeFirst()
    return found === undefined ? filter : { ...filter, person: found.id }
  }
  /** What there is a page of, as the caller may see it. */
  const listed = <
    Filter extends Pick<UseFilter, 'course' | 'person'>,
    Item extends Pick<Use, 'id' | 'person' | 'address'>,
  >(
    pageOf: UsePage<Filter, Item>,
  ): Listed<Filter, Item> => {
    const asked = async (caller: Caller, { course, ...given }: Filter) => {
      const people = await peopleFor(caller, course)
      return { people, filter: await byId(given) }
    }
    return {
      list: async (caller, filter, page) => {
        const { items, more } = await pageOf({ ...(await asked(caller, filter)), ...page })
        return { items: items.map(seenBy(caller)), more }
      },
      all: async function* (caller, filter) {
        const which = await asked(caller, filter)
        let before: string | undefined
        let more = true
        while (more) {
          const found = await pageOf({ ...which, limit: AT_ONCE, before })
          yield* found.items.map(seenBy(caller))
          before = found.items.at(-1)?.id
          more = found.more
        }
      },
    }
  }
  const maySee = async (caller: Caller, id: string, personOf = uses.personOf): Promise<boolean> => {
    const person = await personOf(id)
    if (person === undefined) return false
    const people = await peopleFor(caller, undefined)
    return people === undefined || people.includes(person)
  }
  const courseOf = async (caller: Caller, id: string) => {
    const students = await groups.students(asPerson(caller), id)
    // Their mail addresses are for the list of the course alone.
    const users = students.map(({ email: _, ...user }) => user)
    return { people: students, users, ids: students.map((person) => person.id) }
  }

  return {
    ...listed(uses.page),
    get: async (caller, id) => {
      if (!(await maySee(caller, id))) return undefined
      const use = await uses.get(id)
      return use === undefined ? undefined : seenBy(caller)(use)
    },
    record: async (caller, id) =>
      (await maySee(caller, id))
        ? { commands: () => uses.record.commands(id), files: () => uses.record.files(id) }
        : undefined,
    direct: {
      ...listed(directUses.page),
      get: async (caller, id) => {
        if (!(await maySee(caller, id, directUses.personOf))) return undefined
        const use = await directUses.get(id)
        if (use === undefined) return undefined
        const { person } = use
        return { ...seenBy(caller)(use), given: use.given.map((given) => without(caller, person.id, given)) }
      },
      exchanges: async (caller, id) => {
        const person = await directUses.personOf(id)
        if (person === undefined || !(await maySee(caller, id, async () => person))) return undefined
        return mapped(directUses.exchanges(id), (given) => without(caller, person, given))
      },
    },
    course: async (caller, id, period) => {
      const { people, ids } = await courseOf(caller, id)
      const { name } = await groups.get(caller, id)
      const view = new CourseView({ people, period, now: clock.now() })
      for await (const some of uses.some({ ...period, people: ids })) for (const use of some) view.add(use)
      return { course: { id, name }, period: shown(period), ...view.result() }
    },
    timeline: async (caller, id, period) => {
      const { users: people } = await courseOf(caller, id)
      const mayName = (personId: string) =>
        caller.role === 'admin' || personId === caller.personId || people.some((person) => person.id === personId)
      return { period: shown(period), ...(await timelineOf({ db, people, mayName, period, now: clock.now() })) }
    },
    similar: async (caller, id, period, withinHours) => {
      const { users, ids } = await courseOf(caller, id)
      const byId = new Map(users.map((person) => [person.id, person]))
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
      for await (const some of uses.some({ ...period, people: ids })) {
        for (const { id: use, personId, lab, labVersion, protocol, askedAt } of some) {
          const person = byId.get(personId)
          if (person === undefined) continue
          versions.set(use, labVersion)
          batch.push({ id: use, person, lab, protocol, at: askedAt })
          if (batch.length >= AT_ONCE) await compare()
        }
      }
      await compare()
      return { period: shown(period), withinHours, hints: similarUses(compared, withinHours * hourMs) }
    },
    site: async (period) => {
      const now = clock.now()
      const view = new SiteView(period, now)
      for await (const some of uses.some({ ...period, people: undefined })) for (const use of some) view.add(use)
      const benches = await siteBenches({ db, benches: site.benches(), period, now })
      const counted = view.result({ ...benches, serves: site.benchesFor })
      return { period: shown(period), ...counted, countrySource: site.countrySource() }
    },
    took: async (runId, personId, what, isOneOfMany = false) => {
      const row = { run_id: runId, person_id: personId, at: clock.now(), what }
      try {
        if (isOneOfMany && (await tookBefore(row))) return
        await store.write([db.insertInto('run_download').values(row)])
      } catch (error) {
        const { code, message } = asLabError(error)
        log.error({ run: runId, code, error: message }, 'a download could not be noted')
      }
    },
  }

  /** Whether the person took something of that kind of the run within the hour before. */
  async function tookBefore(row: { run_id: string; person_id: string; at: number; what: string }): Promise<boolean> {
    const before = await db
      .selectFrom('run_download')
      .select('id')
      .where('run_id', '=', row.run_id)
      .where('at', '>', row.at - hourMs)
      .where('person_id', '=', row.person_id)
      .where('what', '=', row.what)
      .limit(1)
      .executeTakeFirst()
    return before !== undefined
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

async function* mapped<T>(all: AsyncIterable<T>, by: (one: T) => T): AsyncGenerator<T, void> {
  for await (const one of all) yield by(one)
}
