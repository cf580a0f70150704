import type { SignalSpec, Uncertainty } from '@fernlab/shared/capabilities/signals'

/** A numeric reading. */
export function reading(name: string, unit: string, rest: Partial<SignalSpec> = {}): SignalSpec {
  return { name, unit, dtype: 'number', shape: [], kind: 'reading', access: 'read', ...rest }
}

/**
 * The standard uncertainty of a value whose error a datasheet bounds by ±`bound` and that comes in steps of `step`: both
 * as rectangular distributions (JCGM 100:2008, 4.3.7 and F.2.2.1).
 */
export function boundedBy(bound: number, step: number): Uncertainty {
  return { absolute: Math.sqrt(bound ** 2 / 3 + step ** 2 / 12) }
}
