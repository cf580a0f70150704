/** Who counts in which groups, at hand for decisions. */
import type { Clock } from '@fernlab/shared/primitives/clock'
import { asLabError } from '@fernlab/shared/primitives/lab-error'
import type { Log } from '@fernlab/shared/primitives/log'
import type { Groups, Memberships } from '../groups/groups.ts'

export interface GroupPeople {
  /** Whether the person counts in the group now; false until it is known, which `onKnown` tells. */
  has(group: string, personId: string): boolean
}

export interface GroupPeopleOptions {
  readonly groups: Pick<Groups, 'of' | 'onChange'>
  readonly clock: Clock
  readonly log: Log
  readonly onKnown: () => void
}

/** Asks for each person once, and again after a change of groups. */
export function createGroupPeople({ groups, clock, log, onKnown }: GroupPeopleOptions): GroupPeople {
  const known = new Map<string, Memberships>()
  const asked = new Set<string>()
  let changes = 0
  groups.onChange((personId) => {
    changes++
    if (personId === undefined) known.clear()
    else known.delete(personId)
  })

  const ask = async (personId: string): Promise<void> => {
    const before = changes
    const memberships = await groups.of(personId)
    // What has changed meanwhile is asked again by whoever looks next.
    if (changes === before) known.set(personId, memberships)
  }

  return {
    has: (group, personId) => {
      const memberships = known.get(personId)
      if (memberships !== undefined) return memberships.at(clock.now()).has(group)
      if (asked.has(personId)) return false
      asked.add(personId)
      ask(personId)
        .catch((error: unknown) =>
          log.warn({ error: asLabError(error).message }, 'the groups of somebody are not known'),
        )
        .finally(() => {
          asked.delete(personId)
          onKnown()
        })
      return false
    },
  }
}
