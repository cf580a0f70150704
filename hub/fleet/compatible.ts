import { missingFrom } from '@fernlab/shared/capabilities/signals'
import type { Issue } from '@fernlab/shared/primitives/lab-error'
import type { CatalogueLab } from '../catalogue/catalogue.ts'
import type { QueueEntry } from '../scheduling/order.ts'
import type { BookedBench, FleetBook } from './fleet-book.ts'

/** What the bench lacks to serve the lab; empty when it serves. Paths are `parts.supply.signals.voltage`. */
export function whyNot(book: FleetBook, bench: BookedBench, lab: CatalogueLab): Issue[] {
  if (bench.labs !== undefined && !bench.labs.includes(lab.id)) {
    return [{ path: '', message: `${bench.id} is kept for ${bench.labs.join(', ') || 'no lab'}` }]
  }
  const parts = book.partsOf(bench)
  return Object.entries(lab.lab.parts).flatMap(([part, requirement]) => {
    const instrument = parts[part]
    if (instrument === undefined) return [{ path: `parts.${part}`, message: `${bench.id} has no part ${part}` }]
    return missingFrom(requirement, instrument).map(({ path, message }) => ({ path: `parts.${part}.${path}`, message }))
  })
}

/** Remembers which benches serve which lab version until the fleet's shape changes. */
export class CompatibilityCache {
  readonly #book: FleetBook
  #shape = -1
  #known = new Map<string, ReadonlySet<string>>()

  constructor(book: FleetBook) {
    this.#book = book
  }

  /** Whether the bench can do what waits for this lab, is the one that is wanted where one is, and has not failed it. */
  serves(
    { lab, wantedBench, unready }: Pick<QueueEntry, 'wantedBench' | 'unready'> & { readonly lab: CatalogueLab },
    bench: string,
  ): boolean {
    if (unready?.includes(bench) === true) return false
    return (wantedBench === null || wantedBench === bench) && this.benchesFor(lab).has(bench)
  }

  /** Ids of the benches that serve the lab, up or not. */
  benchesFor(lab: CatalogueLab): ReadonlySet<string> {
    if (this.#shape !== this.#book.shape) {
      this.#known = new Map()
      this.#shape = this.#book.shape
    }
    const key = `${lab.id}@${lab.version}`
    let known = this.#known.get(key)
    if (known === undefined) {
      const all = [...this.#book.benches.values()]
      known = new Set(all.filter((bench) => whyNot(this.#book, bench, lab).length === 0).map(({ id }) => id))
      this.#known.set(key, known)
    }
    return known
  }
}
