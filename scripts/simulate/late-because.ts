/** Why bookings are later than their grace, whatever the policy thought: asked of the benches, not of its decisions. */
import type { Claim } from '@fernlab/hub/bookings/placement'
import { Plan } from '@fernlab/hub/bookings/plan'
import type { LateBecause } from './tally.ts'

export interface LateState {
  /** By time: what has not begun, late or to come, as far ahead as decisions look. */
  readonly pending: readonly Claim[]
  /** Benches within bookings that have begun, and until when. */
  readonly held: ReadonlyMap<string, number>
  /** Benches of those who may not be bumped, and when they are expected back. */
  readonly taken: ReadonlyMap<string, number>
  readonly works: (bench: string) => boolean
}

/**
 * Why each of these is late at this moment. `held`: were the benches given back of those who may not be bumped, it had one,
 * and everybody else who has booked as well. `no cause`: so it is without that.
 */
export function lateBecause(late: ReadonlySet<string>, state: LateState, nowMs: number): Map<string, LateBecause> {
  const works = placed(late, state, nowMs, () => nowMs)
  // Nobody knows when a bench that is overdue comes back, but it is not now.
  const free = placed(late, state, nowMs, (bench) => {
    const backMs = state.taken.get(bench)
    return backMs === undefined ? nowMs : Math.max(backMs, nowMs + 1)
  })
  return new Map([...late].map((id) => [id, free.has(id) ? 'no cause' : works.has(id) ? 'held' : 'no bench']))
}

/** Those of the late that could have a bench beside all that are not. */
function placed(
  late: ReadonlySet<string>,
  { pending, held, works }: LateState,
  nowMs: number,
  thereFrom: (bench: string) => number,
): ReadonlySet<string> {
  const plan = new Plan()
  for (const [bench, untilMs] of held) plan.addOn(bench, { id: bench, from: nowMs, until: untilMs, benches: [bench] })
  const found = new Set<string>()
  const isLate = ({ id }: Claim) => late.has(id)
  for (const claim of [...pending.filter((one) => !isLate(one)), ...pending.filter(isLate)]) {
    const from = Math.max(claim.from, nowMs)
    const able = claim.benches.filter((bench) => works(bench) && thereFrom(bench) <= from)
    const change = plan.tryOut([{ ...claim, from, benches: able }])
    if (change === undefined) continue
    plan.apply(change)
    if (isLate(claim)) found.add(claim.id)
  }
  return found
}
