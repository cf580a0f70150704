/**
 * Whether every claim can have a bench of its own for its whole time, and which. Pure.
 *
 * Choosing benches for intervals of which each may use only some is NP-hard in general, so this is a search, and exact:
 * benches that serve the same claims are one group, of which only the number in use matters, and what finds no room goes
 * back to the last of those that are in its way, not through all that lies between. A lab's claims alone are one group,
 * decided in one pass. A search that comes to no end within its steps is answered as one that found nothing: never two
 * claims on one bench, rarely a refusal too many.
 */

/** Epoch ms, the end not included. */
export interface Span {
  readonly from: number
  readonly until: number
}

export interface Claim extends Span {
  readonly id: string
  /** Of which it needs any one. */
  readonly benches: readonly string[]
}

/** The bench of each claim, by the claim's id. */
export type Placement = ReadonlyMap<string, string>

const mostSteps = 20_000
/** From then on a state that failed is not tried twice; before, remembering it costs more than it saves. */
const stepsUnnoted = 2000

interface Group {
  readonly benches: string[]
  /** How many kinds of claims want it. */
  demand: number
}

export const overlap = (a: Span, b: Span): boolean => a.from < b.until && b.from < a.until

/** A bench for each claim; undefined when there is none, or none was found. */
export function place(claims: readonly Claim[]): Placement | undefined {
  const sorted = [...claims].sort((a, b) => a.from - b.from || b.until - a.until)
  const { groups, choices } = grouped(sorted)
  const chosen = chooseGroups(sorted, groups, choices)
  return chosen && benchesOf(sorted, groups, chosen)
}

/** Claims that can not all be served at one moment, whatever is done before and after: a quick and certain no. */
export function isCrowded(claims: readonly Claim[], window: Span): boolean {
  const touching = claims.filter((claim) => overlap(claim, window))
  const moments = new Set([window.from, ...touching.map(({ from }) => Math.max(from, window.from))])
  for (const at of moments) {
    if (!isMatched(touching.filter(({ from, until }) => from <= at && at < until))) return true
  }
  return false
}

/** Whether claims of one moment can have a bench each. */
export const isMatched = (claims: readonly Claim[]): boolean => new Matching().takeAll(claims)

/** How many of these benches claims of one moment can leave to others; 0 where they can not even have one each. */
export function mostLeft(claims: readonly Claim[], benches: readonly string[]): number {
  const matching = new Matching()
  return matching.takeAll(claims) ? matching.clear(benches) : 0
}

/** Benches for claims of one moment (Kuhn's augmenting paths). */
class Matching {
  readonly #holder = new Map<string, Claim>()

  takeAll(claims: readonly Claim[]): boolean {
    return claims.every((claim) => this.#give(claim, new Set()))
  }

  /** Moves as many as can be away from these benches; how many of them nobody has then. */
  clear(benches: readonly string[]): number {
    let held = benches.filter((bench) => this.#holder.has(bench))
    let left = benches.length - held.length
    for (;;) {
      // Whoever moves on to one of these clears none.
      const seen = new Set(benches)
      const cleared = held.find((bench) => {
        const claim = this.#holder.get(bench)
        return claim !== undefined && this.#give(claim, seen)
      })
      if (cleared === undefined) return left
      this.#holder.delete(cleared)
      held = held.filter((bench) => bench !== cleared)
      left++
    }
  }

  #give(claim: Claim, seen: Set<string>): boolean {
    for (const bench of claim.benches) {
      if (seen.has(bench)) continue
      seen.add(bench)
      const other = this.#holder.get(bench)
      if (other !== undefined && !this.#give(other, seen)) continue
      this.#holder.set(bench, claim)
      return true
    }
    return false
  }
}

/** Benches by the kinds of claims that want them, and for each claim the groups that it may use, the least wanted first. */
function grouped(claims: readonly Claim[]): { groups: Group[]; choices: number[][] } {
  const kinds = new Map<string, readonly string[]>()
  const kindOf = claims.map(({ benches }) => {
    const kind = [...benches].sort().join(' ')
    kinds.set(kind, benches)
    return kind
  })
  const wantedBy = new Map<string, string[]>()
  for (const [kind, benches] of kinds) {
    for (const bench of benches) wantedBy.set(bench, [...(wantedBy.get(bench) ?? []), kind])
  }
  const bySignature = new Map<string, number>()
  const groups: Group[] = []
  const choicesOf = new Map<string, number[]>([...kinds.keys()].map((kind) => [kind, []]))
  for (const bench of [...wantedBy.keys()].sort()) {
    const wanting = wantedBy.get(bench) ?? []
    const signature = wanting.join('|')
    const known = bySignature.get(signature)
    if (known !== undefined) {
      groups[known]?.benches.push(bench)
      continue
    }
    bySignature.set(signature, groups.length)
    for (const kind of wanting) choicesOf.get(kind)?.push(groups.length)
    groups.push({ benches: [bench], demand: wanting.length })
  }
  for (const choices of choicesOf.values()) {
    choices.sort((a, b) => (groups[a]?.demand ?? 0) - (groups[b]?.demand ?? 0) || a - b)
  }
  return { groups, choices: kindOf.map((kind) => choicesOf.get(kind) ?? []) }
}

/** The group of each claim, in the order of their beginnings, so that no group has more at once than it has benches. */
function chooseGroups(
  claims: readonly Claim[],
  groups: readonly Group[],
  choices: readonly (readonly number[])[],
): number[] | undefined {
  const underWay = underWayAt(claims)
  const chosen: number[] = new Array(claims.length).fill(-1)
  const tried: number[] = new Array(claims.length).fill(0)
  /** For each claim those before it because of which the options that it has tried can not be. */
  const inTheWay = claims.map(() => new Set<number>())
  const failed = new Set<string>()
  let at = 0
  for (let steps = 0; at < claims.length; steps++) {
    if (steps >= mostSteps) return undefined
    const before = underWay[at] ?? []
    const blockers = inTheWay[at] ?? new Set()
    const isNoted = steps >= stepsUnnoted
    const found = isNoted && hasFailed(before, blockers) ? -1 : nextWithRoom(before, blockers)
    if (found >= 0) {
      chosen[at] = choices[at]?.[found] as number
      tried[at] = found + 1
      at++
      continue
    }
    // Where nothing is in the way, no choice before could help.
    if (blockers.size === 0) return undefined
    if (isNoted) failed.add(stateAt(at, before, claims, chosen))
    goBack(blockers)
  }
  return chosen

  function hasFailed(before: readonly number[], blockers: Set<number>): boolean {
    if (tried[at] !== 0 || !failed.has(stateAt(at, before, claims, chosen))) return false
    for (const other of before) blockers.add(other)
    return true
  }

  function nextWithRoom(before: readonly number[], blockers: Set<number>): number {
    const options = choices[at] ?? []
    for (let option = tried[at] ?? 0; option < options.length; option++) {
      const group = options[option] as number
      const inUse = before.filter((other) => chosen[other] === group)
      if (inUse.length < (groups[group]?.benches.length ?? 0)) return option
      for (const other of inUse) blockers.add(other)
    }
    return -1
  }

  /** To the last that is in the way, for which the others then are. */
  function goBack(blockers: ReadonlySet<number>): void {
    const last = Math.max(...blockers)
    for (const other of blockers) if (other !== last) inTheWay[last]?.add(other)
    for (let later = last + 1; later <= at; later++) {
      tried[later] = 0
      inTheWay[later] = new Set()
    }
    at = last
  }
}

/** For each claim those before it that are not over when it begins. */
function underWayAt(claims: readonly Claim[]): number[][] {
  let active: number[] = []
  return claims.map(({ from }, at) => {
    active = active.filter((other) => (claims[other]?.until ?? 0) > from)
    const before = active
    active = [...active, at]
    return before
  })
}

/** What the rest depends on: until when how many benches of each group are in use. */
function stateAt(at: number, before: readonly number[], claims: readonly Claim[], chosen: readonly number[]): string {
  const uses = before.map((other) => `${chosen[other]}:${claims[other]?.until}`)
  return `${at} ${uses.sort().join(' ')}`
}

/** Within a group any bench that is free will do: intervals need no more benches than there are at once. */
function benchesOf(claims: readonly Claim[], groups: readonly Group[], chosen: readonly number[]): Placement {
  const freeFrom = groups.map(({ benches }) => new Map(benches.map((bench) => [bench, Number.NEGATIVE_INFINITY])))
  const placement = new Map<string, string>()
  for (const [at, { id, from, until }] of claims.entries()) {
    const benches = freeFrom[chosen[at] ?? -1] ?? new Map<string, number>()
    for (const [bench, free] of benches) {
      if (free > from) continue
      benches.set(bench, until)
      placement.set(id, bench)
      break
    }
  }
  return placement
}
