/** Why bookings are later than their grace, whatever the policy thought: asked of the benches, not of its decisions. */
import type { Claim } from '@fernlab/hub/bookings/placement'
import { Plan } from '@fernlab/hub/bookings/plan'
import type { LateBecause } from './tally.ts'

export interface LateState {
  /** By time: what has not begun, late or to come. */
  readonly pending: readonly Claim[]
  /** Benches within bookings that have begun, and until when. */
  readonly held: ReadonlyMap<string, number>
  /** Benches of those who may not be bumped. */
  readonly taken: ReadonlySet<string>
  readonly works: (bench: string) => boolean
}

/**
 * Why each of these is late at this moment. `no cause`: everybody else who has booked could keep a bench, and it had one
 * too that works and is free, or whose holder may be bumped.
 */
export function lateBecause(late: ReadonlySet<string>, state: LateState, nowMs: number): Map<string, LateBecause> {
  const works = placed(late, state, nowMs, () => true)
  const free = placed(late, state, nowMs, (bench) => !state.taken.has(bench))
  return new Map([...late].map((id) => [id, free.has(id) ? 'no cause' : works.has(id) ? 'held' : 'no bench']))
}

/** Those of the late that could have a bench beside all that are not. */
function placed(
  late: ReadonlySet<string>,
  { pending, held, works }: LateState,
  nowMs: number,
  mayHave: (bench: string) => boolean,
): ReadonlySet<string> {
  const plan = new Plan()
  for (const [bench, untilMs] of held) plan.addOn(bench, { id: bench, from: nowMs, until: untilMs, benches: [bench] })
  const untilMs = Math.max(...pending.filter(({ id }) => late.has(id)).map(({ until }) => until))
  const near = pending.filter(({ from }) => from < untilMs)
  const found = new Set<string>()
  const isLate = ({ id }: Claim) => late.has(id)
  for (const claim of [...near.filter((one) => !isLate(one)), ...near.filter(isLate)]) {
    const from = Math.max(claim.from, nowMs)
    const able = claim.benches.filter((bench) => works(bench) && (from > nowMs || mayHave(bench)))
    const change = plan.tryOut([{ ...claim, from, benches: able }])
    if (change === undefined) continue
    plan.apply(change)
    if (isLate(claim)) found.add(claim.id)
  }
  return found
}
