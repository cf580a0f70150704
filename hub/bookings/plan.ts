/**
 * Every claim on a bench that is to come or under way, with a bench for each that may still change.
 *
 * INVARIANTS: no bench stands for two claims at once; a claim's bench is one of those that it can use; `tryOut` changes
 * nothing, and what it answers holds until the next `apply`.
 */
import { type Claim, isCrowded, overlap, type Placement, place } from './placement.ts'

/** What has to change so that claims come in. */
export interface PlanChange {
  readonly added: readonly Claim[]
  readonly leaving: ReadonlySet<string>
  /** The benches of the added claims and of those that move for them. */
  readonly placement: Placement
}

const nobody: ReadonlySet<string> = new Set()

export class Plan {
  readonly #claims = new Map<string, Claim>()
  readonly #placement = new Map<string, string>()
  readonly #byBench = new Map<string, Set<Claim>>()

  get claims(): Iterable<Claim> {
    return this.#claims.values()
  }

  claim(id: string): Claim | undefined {
    return this.#claims.get(id)
  }

  get size(): number {
    return this.#claims.size
  }

  /** The bench that stands for the claim now; it may be another until the claim begins. */
  benchOf(id: string): string | undefined {
    return this.#placement.get(id)
  }

  /** Those that stand on the bench. */
  standingOn(bench: string): Iterable<Claim> {
    return this.#byBench.get(bench) ?? []
  }

  /** Those that touch the time. */
  within(from: number, until: number): Claim[] {
    return [...this.#claims.values()].filter((claim) => overlap(claim, { from, until }))
  }

  /** How the claims can come in when the others leave; undefined when they can not. */
  tryOut(added: readonly Claim[], leaving: ReadonlySet<string> = nobody): PlanChange | undefined {
    const placement = this.#beside(added, leaving) ?? this.#rearranged(added, leaving)
    return placement && { added, leaving, placement }
  }

  /** Takes the claim in on this bench, without moving anybody; false when the bench is not free for all of its time. */
  addOn(bench: string, claim: Claim): boolean {
    if (!this.#isFree(bench, claim, nobody)) return false
    this.#claims.set(claim.id, claim)
    this.#stand(claim, bench)
    return true
  }

  apply({ added, leaving, placement }: PlanChange): void {
    for (const id of leaving) this.remove(id)
    for (const claim of added) this.#claims.set(claim.id, claim)
    const moving = [...placement].flatMap(([id, bench]) => {
      const claim = this.#claims.get(id)
      return claim === undefined ? [] : [{ claim, bench }]
    })
    for (const { claim } of moving) this.#lift(claim)
    for (const { claim, bench } of moving) this.#stand(claim, bench)
  }

  remove(id: string): void {
    const claim = this.#claims.get(id)
    if (claim === undefined) return
    this.#lift(claim)
    this.#claims.delete(id)
  }

  #stand(claim: Claim, bench: string): void {
    this.#placement.set(claim.id, bench)
    const known = this.#byBench.get(bench)
    if (known === undefined) this.#byBench.set(bench, new Set([claim]))
    else known.add(claim)
  }

  #lift(claim: Claim): void {
    this.#byBench.get(this.#placement.get(claim.id) ?? '')?.delete(claim)
    this.#placement.delete(claim.id)
  }

  /** Benches that are free for all of the time, without moving anybody. */
  #beside(added: readonly Claim[], leaving: ReadonlySet<string>): Placement | undefined {
    const placement = new Map<string, string>()
    for (const claim of added) {
      const fits = (id: string) =>
        !added.some((other) => placement.get(other.id) === id && overlap(other, claim)) &&
        this.#isFree(id, claim, leaving)
      // Nobody who comes in again moves without need.
      const before = this.#placement.get(claim.id)
      const stays = before !== undefined && claim.benches.includes(before) && fits(before)
      const bench = stays ? before : claim.benches.find(fits)
      if (bench === undefined) return undefined
      placement.set(claim.id, bench)
    }
    return placement
  }

  #isFree(bench: string, claim: Claim, leaving: ReadonlySet<string>): boolean {
    for (const other of this.#byBench.get(bench) ?? []) {
      if (overlap(other, claim) && !leaving.has(other.id)) return false
    }
    return true
  }

  #rearranged(added: readonly Claim[], leaving: ReadonlySet<string>): Placement | undefined {
    const staying = [...this.#claims.values()].filter(({ id }) => !leaving.has(id))
    const all = [...staying, ...added]
    if (added.some((claim) => isCrowded(all, claim))) return undefined
    return place(touchedBy(added, all))
  }
}

/** All claims that could have to move for the given ones: those linked to them by overlaps and by benches in common. */
function touchedBy(added: readonly Claim[], all: readonly Claim[]): Claim[] {
  const benches = new Set(added.flatMap((claim) => claim.benches))
  for (let known = 0; known < benches.size; ) {
    known = benches.size
    for (const claim of all) {
      if (claim.benches.some((bench) => benches.has(bench))) for (const bench of claim.benches) benches.add(bench)
    }
  }
  const linked = all
    .filter((claim) => claim.benches.some((bench) => benches.has(bench)))
    .sort((a, b) => a.from - b.from)
  const wanted = new Set(added)
  const touched: Claim[] = []
  let block: Claim[] = []
  let end = Number.NEGATIVE_INFINITY
  const close = () => {
    if (block.some((claim) => wanted.has(claim))) touched.push(...block)
    block = []
  }
  for (const claim of linked) {
    if (claim.from >= end) close()
    block.push(claim)
    end = Math.max(end, claim.until)
  }
  close()
  return touched
}
