/** What the end of a run says of the check that it was for. Pure. */
import type { Expectation } from '@fernlab/shared/contracts/bench-checks'
import { convertTrimmed, formatQuantity } from '@fernlab/shared/primitives/units'
import { isBreakdown } from '../ingest/judge-stop.ts'
import type { Outcome } from '../runs/ledger.ts'

/** `none`: it says nothing of the bench, and the check is done again. */
export type CheckVerdict = { readonly kind: 'passed' | 'none' } | { readonly kind: 'failed'; readonly reason: string }

/** So many that what is just beyond a limit does not read as the limit. */
const DIGITS = 6

/** A run that succeeds passes where every output lies as expected. */
export function verdictOf(
  { state, reason, error, outputs = {}, missingOutputs = {} }: Outcome,
  expect: Readonly<Record<string, Expectation>>,
): CheckVerdict {
  // Who stopped it, and a node that went away, say nothing; an instrument that is lost takes its bench out by itself.
  if (state === 'cancelled' || state === 'interrupted' || isBreakdown(error?.code)) return { kind: 'none' }
  if (state !== 'succeeded') return { kind: 'failed', reason: error?.message ?? reason ?? `its run has ${state}` }
  const reasons = Object.entries(expect).flatMap(([name, { low, high, unit: wanted }]): string[] => {
    const output = Object.hasOwn(outputs, name) ? outputs[name] : undefined
    if (output === undefined) return [`${name} is missing: ${missingOutputs[name] ?? 'the run has none'}`]
    const unit = wanted ?? output.unit
    const value = convertTrimmed(output.value, output.unit, unit)
    const said = (amount: number) => formatQuantity(amount, unit, { precision: DIGITS })
    if (low !== undefined && !(value >= low)) return [`${name} is ${said(value)}, and ${said(low)} is the least`]
    if (high !== undefined && !(value <= high)) return [`${name} is ${said(value)}, and ${said(high)} is the most`]
    return []
  })
  return reasons.length === 0 ? { kind: 'passed' } : { kind: 'failed', reason: reasons.join('; ') }
}
