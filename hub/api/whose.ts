import type { Caller } from '../accounts/caller.ts'
import { can } from '../accounts/can.ts'
import type { Groups } from '../groups/groups.ts'

interface Wanted {
  readonly person?: string | undefined
  readonly group?: string | undefined
}

/** To whom a list of runs is narrowed. */
export interface Whose {
  readonly person?: string
  readonly people?: readonly string[]
}

/**
 * Whose runs the caller gets of those that were asked for: staff anybody's, instructors those of their groups' people,
 * others their own; undefined where that is nobody's. Throws `not-found` for a group that the caller may not look into.
 */
export async function whoseOf(
  { groups }: { readonly groups: Pick<Groups, 'peopleOf' | 'teaches'> },
  caller: Caller,
  { person, group }: Wanted,
  everybody = can(caller, 'runs.read-any'),
): Promise<Whose | undefined> {
  const people = group === undefined ? undefined : await groups.peopleOf(caller, group)
  const others = person !== undefined && person !== caller.personId
  const any = everybody || people !== undefined || (others && (await groups.teaches(caller.personId, person)))
  if (!any && others) return undefined
  const one = any ? person : caller.personId
  return { ...(one === undefined ? {} : { person: one }), ...(people === undefined ? {} : { people }) }
}
