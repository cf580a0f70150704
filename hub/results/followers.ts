/**
 * Those who follow runs, in answers that go on while the run does.
 *
 * INVARIANTS: one person has at most MOST_OF_A_PERSON open; of all that they look up, at most LOOKS_AT_ONCE are under way,
 * in the order in which they were asked for, so that a run that hundreds follow keeps others waiting for these few alone.
 */
import { LabError } from '@fernlab/shared/primitives/lab-error'

/** Looks something up when it is its turn. */
export type Look = <Result>(work: () => Promise<Result>) => Promise<Result>

export interface Followers {
  /** The answer of a person's, while they read it: throws `follows-too-many` before its first piece. */
  answer<Piece>(
    personId: string,
    make: () => Promise<AsyncGenerator<Piece, void, void>>,
  ): AsyncGenerator<Piece, void, void>
  /** Never within another: it would wait for itself. */
  readonly look: Look
}

export const MOST_OF_A_PERSON = 64
export const LOOKS_AT_ONCE = 8

/** Nobody follows anything yet. */
export function createFollowers(): Followers {
  const people = new Map<string, number>()
  const waiting: (() => void)[] = []
  let underWay = 0
  const enter = (personId: string) => {
    const open = people.get(personId) ?? 0
    if (open >= MOST_OF_A_PERSON) throw tooMany()
    people.set(personId, open + 1)
  }
  const leave = (personId: string) => {
    const left = (people.get(personId) ?? 1) - 1
    if (left === 0) people.delete(personId)
    else people.set(personId, left)
  }
  return {
    answer: async function* (personId, make) {
      enter(personId)
      try {
        yield* await make()
      } finally {
        leave(personId)
      }
    },
    look: async (work) => {
      // Whoever is done hands the place on: one who comes meanwhile does not take it.
      if (underWay < LOOKS_AT_ONCE) underWay += 1
      else await new Promise<void>((resolve) => waiting.push(resolve))
      try {
        return await work()
      } finally {
        const next = waiting.shift()
        if (next === undefined) underWay -= 1
        else next()
      }
    },
  }
}

/** For what is read once, by nobody who follows. */
export const lookAtOnce: Look = (work) => work()

function tooMany(): LabError {
  return new LabError({
    code: 'follows-too-many',
    kind: 'caller',
    retry: 'later',
    message: `one person follows at most ${MOST_OF_A_PERSON} events and documents of runs at a time; end some, or wait until runs are over`,
    studentMessage: 'Too many pages or programs of yours follow runs. Close some of them.',
  })
}
