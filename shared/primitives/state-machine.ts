import { LabError } from './lab-error.ts'

/** A state machine as a table: for each state, the states that may follow. */
export type TransitionTable<State extends string> = Readonly<Record<State, readonly State[]>>

/** True when `to` may follow `from`. */
export function mayFollow<State extends string>(table: TransitionTable<State>, from: State, to: State): boolean {
  return table[from].includes(to)
}

/** Returns `to`; throws a bug-kind LabError when the table forbids it. */
export function transition<State extends string>(
  table: TransitionTable<State>,
  from: State,
  to: State,
  what: string,
): State {
  if (!mayFollow(table, from, to)) {
    throw new LabError({ code: 'illegal-transition', kind: 'bug', message: `${what} may not go from ${from} to ${to}` })
  }
  return to
}
