/** Whom of a course the page shows, and in which order. Pure. */
import type { CourseUsage } from '@fernlab/shared/contracts/usage'

export type CoursePerson = CourseUsage['people'][number]

const sortKeys = ['name', 'uses', 'time', 'last'] as const
export type SortKey = (typeof sortKeys)[number]

export interface Choice {
  /** A part of the name or the mail address. */
  readonly who?: string
  readonly lab?: string
  /** `done` with the lab, `open`: not yet, `none`: without any use of it. */
  readonly standing?: string
  /** `name`, `uses`, `time` or `last`, with a minus before it for the other way round. */
  readonly sort?: string
}

/** The key and direction that a choice asks for; by name unless it names one. */
export function orderOf(sort: string | undefined): { readonly key: SortKey; readonly down: boolean } {
  const key = sortKeys.find((known) => known === sort?.replace(/^-/, '')) ?? 'name'
  return { key, down: sort === `-${key}` }
}

/** What a press on the head of a column asks for: the most first, then the least; names the other way. */
export function sortAfter(sort: string | undefined, key: SortKey): string {
  const { key: present, down } = orderOf(sort)
  if (key !== present) return key === 'name' ? key : `-${key}`
  return down ? key : `-${key}`
}

const within = (person: CoursePerson, lab: string | undefined): CoursePerson => {
  if (lab === undefined) return person
  const { lastAt: _, ...rest } = person
  const labs = person.labs.filter((one) => one.lab === lab)
  const [found] = labs
  return {
    ...rest,
    labs,
    uses: found?.uses ?? 0,
    seconds: found?.seconds ?? 0,
    ...(found === undefined ? {} : { lastAt: found.lastAt }),
  }
}

const stands = ({ uses, labs }: CoursePerson, standing: string | undefined): boolean => {
  const done = labs.some(({ succeeded }) => succeeded > 0)
  if (standing === 'done') return done
  if (standing === 'open') return !done
  return standing === 'none' ? uses === 0 : true
}

const compared: Readonly<Record<SortKey, (a: CoursePerson, b: CoursePerson) => number>> = {
  name: (a, b) => a.person.name.localeCompare(b.person.name),
  uses: (a, b) => a.uses - b.uses,
  time: (a, b) => a.seconds - b.seconds,
  last: (a, b) => (a.lastAt ?? '').localeCompare(b.lastAt ?? ''),
}

/** Those who fit, counted in the chosen lab alone if there is one. */
export function chosenPeople(people: readonly CoursePerson[], { who, lab, standing, sort }: Choice): CoursePerson[] {
  const part = (who ?? '').trim().toLowerCase()
  const { key, down } = orderOf(sort)
  const order = compared[key]
  return people
    .filter(({ person, email }) => person.name.toLowerCase().includes(part) || email.toLowerCase().includes(part))
    .map((person) => within(person, lab))
    .filter((person) => stands(person, standing))
    .sort((a, b) => (down ? order(b, a) : order(a, b)) || compared.name(a, b))
}
