/** Which benches the page shows. Pure. */
import type { Bench } from '@fernlab/shared/contracts/api'

export interface BenchChoice {
  /** A part of the title, the id or the reason. */
  readonly q?: string
  readonly state?: string
  readonly lab?: string
}

/** Those in trouble first, then those that are at work. */
export const stateOrder: readonly Bench['state'][] = ['fault', 'offline', 'maintenance', 'busy', 'free']

/** The benches that fit, those in trouble first, then by name. */
export function chosenBenches(benches: readonly Bench[], { q, state, lab }: BenchChoice): Bench[] {
  const part = (q ?? '').trim().toLowerCase()
  return benches
    .filter(({ title, id, reason }) => [title, id, reason].some((text) => text?.toLowerCase().includes(part)))
    .filter((bench) => (state ?? bench.state) === bench.state)
    .filter(({ labs }) => lab === undefined || labs.includes(lab))
    .sort(
      (a, b) =>
        stateOrder.indexOf(a.state) - stateOrder.indexOf(b.state) ||
        (a.title ?? a.name).localeCompare(b.title ?? b.name, undefined, { numeric: true }) ||
        a.id.localeCompare(b.id),
    )
}
