/** Who of a course did what in a period. Pure. */
import type { RunState } from '@fernlab/shared/contracts/run-state'
import type { CourseUsage, Period, UserOf } from '@fernlab/shared/contracts/usage'
import { WeekHours } from './hours.ts'
import { lastedS, type SlimUse } from './slim-use.ts'

interface InLab {
  uses: number
  succeeded: number
  seconds: number
  lastAt: number
  lastState: RunState
}

/** Whom a course is counted for. */
export interface CoursePerson extends UserOf {
  readonly email: string
}

/** Counts uses one by one, the earliest first. */
export class CourseView {
  readonly #people: ReadonlyMap<
    string,
    { readonly person: UserOf; readonly email: string; readonly labs: Map<string, InLab> }
  >
  readonly #hours: WeekHours
  readonly #now: number

  constructor({ people, period, now }: { people: readonly CoursePerson[]; period: Period; now: number }) {
    this.#people = new Map(people.map(({ email, ...person }) => [person.id, { person, email, labs: new Map() }]))
    this.#hours = new WeekHours(period)
    this.#now = now
  }

  add(use: SlimUse): void {
    const one = this.#people.get(use.personId)
    if (one === undefined) return
    const before = one.labs.get(use.lab)
    one.labs.set(use.lab, {
      uses: (before?.uses ?? 0) + 1,
      succeeded: (before?.succeeded ?? 0) + (use.state === 'succeeded' ? 1 : 0),
      seconds: (before?.seconds ?? 0) + lastedS(use, this.#now),
      lastAt: use.askedAt,
      lastState: use.state,
    })
    if (use.startedAt !== null) this.#hours.add(use.startedAt, use.endedAt ?? this.#now)
  }

  result(): Pick<CourseUsage, 'people' | 'hours'> {
    const people = [...this.#people.values()].map(({ person, email, labs }) => {
      const rows = [...labs].map(([lab, { lastAt, ...rest }]) => ({ lab, ...rest, lastAt: iso(lastAt) }))
      const last = rows
        .map(({ lastAt }) => lastAt)
        .sort()
        .at(-1)
      return {
        person,
        email,
        uses: rows.reduce((sum, { uses }) => sum + uses, 0),
        seconds: rows.reduce((sum, { seconds }) => sum + seconds, 0),
        ...(last === undefined ? {} : { lastAt: last }),
        labs: rows.sort((a, b) => (a.lab < b.lab ? -1 : 1)),
      }
    })
    return { people, hours: this.#hours.seconds }
  }
}

const iso = (ms: number) => new Date(ms).toISOString()
