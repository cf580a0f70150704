/** What is known of a run before it begins, and the memory of it. */
import type { InstrumentSpec } from '@fernlab/shared/capabilities/signals'
import type { Assignment } from '@fernlab/shared/contracts/sync'
import { encode } from '@fernlab/shared/links/codec'
import { asLabError } from '@fernlab/shared/primitives/lab-error'
import { estimate } from '@fernlab/shared/protocol/estimate'
import { compileExpression } from '@fernlab/shared/protocol/expression'
import { statisticNames } from '@fernlab/shared/protocol/expression-functions'
import type { Protocol, SignalKey } from '@fernlab/shared/protocol/protocol'
import { describePictureStreams, describeStreams, type StreamDescription } from '@fernlab/shared/protocol/streams'
import type { Bench } from '../benches/bench.ts'

export interface RunPlan {
  /** How long it will take. */
  readonly seconds: number
  readonly streams: Readonly<Record<string, StreamDescription>>
  /** Whether an expression may ask for a record's mean, amplitude and the like. */
  readonly statistics: boolean
  /** Signals of whose records an expression may ask the amplitude or phase of the strongest oscillation. */
  readonly oscillating: ReadonlySet<SignalKey>
}

/** The plan of a protocol on these instruments. */
export function planRun(
  protocol: Protocol,
  parameters: Assignment['parameters'],
  parts: Readonly<Record<string, InstrumentSpec>>,
): RunPlan {
  return {
    seconds: estimate(protocol, parameters, { parts }).seconds,
    streams: { ...describeStreams(protocol, parts), ...describePictureStreams(parts) },
    statistics: mentionsStatistics(protocol),
    oscillating: oscillatingIn(protocol),
  }
}

const statisticCall = new RegExp(`\\b(${statisticNames.join('|')})\\b`)

/** Looks at every text of the protocol: a title that says "mean" costs some time, a missed expression would cost the value. */
function mentionsStatistics(value: unknown): boolean {
  if (typeof value === 'string') return statisticCall.test(value)
  return typeof value === 'object' && value !== null && Object.values(value).some(mentionsStatistics)
}

/** Takes every text of the protocol for an expression: one that is none does not compile, or costs a search. */
function oscillatingIn(value: unknown, found = new Set<SignalKey>()): Set<SignalKey> {
  if (typeof value === 'object' && value !== null) for (const part of Object.values(value)) oscillatingIn(part, found)
  if (typeof value !== 'string' || !/\b(amplitude|phase)\b/.test(value)) return found
  try {
    for (const key of compileExpression(value).oscillating) found.add(key)
  } catch (error) {
    if (asLabError(error).code !== 'expression-invalid') throw error
  }
  return found
}

/**
 * Plans of assignments that have passed their check on a bench.
 *
 * INVARIANTS: a plan is found again only for the very same definition, parameters and limits, on the same bench with the
 * same instruments' specifications; memory is bounded. The key is what was checked, encoded as it came, and not the
 * hub's digest: two definitions under one digest must never pass for each other.
 */
export interface RunPlans {
  /** The plan of an equal assignment that was kept. */
  find(assignment: Assignment, bench: Bench): RunPlan | undefined
  /** Makes and keeps the plan of an assignment that has passed its check. */
  keep(assignment: Assignment, bench: Bench): void
}

interface Kept {
  readonly plan: RunPlan
  readonly specs: readonly InstrumentSpec[]
}

/** As latin-1 text: a plan and its key are a few times that. */
const MOST_KEY_BYTES = 1024 * 1024
const MOST_PLANS = 1000

export function createRunPlans(): RunPlans {
  /** The longest unused first. */
  const kept = new Map<string, Kept>()
  const keys = new WeakMap<Assignment, string>()
  let bytes = 0

  const keyOf = (assignment: Assignment): string => {
    const known = keys.get(assignment)
    if (known !== undefined) return known
    const { bench, definition, parameters, limits } = assignment
    const encoded = encode([bench, definition, parameters, limits])
    const key = Buffer.from(encoded.buffer, encoded.byteOffset, encoded.byteLength).toString('latin1')
    keys.set(assignment, key)
    return key
  }
  const drop = (key: string) => {
    if (kept.delete(key)) bytes -= key.length
  }
  return {
    find: (assignment, bench) => {
      const key = keyOf(assignment)
      const found = kept.get(key)
      if (found === undefined) return undefined
      let at = 0
      for (const handle of bench.parts.values()) if (handle.spec !== found.specs[at++]) return undefined
      kept.delete(key)
      kept.set(key, found)
      return found.plan
    },
    keep: (assignment, bench) => {
      const key = keyOf(assignment)
      const plan = planRun(assignment.definition as Protocol, assignment.parameters, bench.specs())
      drop(key)
      kept.set(key, { plan, specs: [...bench.parts.values()].map(({ spec }) => spec) })
      bytes += key.length
      for (const oldest of kept.keys()) {
        if (bytes <= MOST_KEY_BYTES && kept.size <= MOST_PLANS) break
        drop(oldest)
      }
    },
  }
}
