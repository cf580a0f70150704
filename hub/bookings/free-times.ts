/** When a bench is free for somebody who wants one for so long, and how many are at each moment. Pure. */
import { type Claim, isMatched } from './placement.ts'
import type { Plan } from './plan.ts'

export interface Wanted {
  readonly lengthMs: number
  /** Benches at once. */
  readonly places: number
  readonly benches: readonly string[]
}

/** The claims of somebody who wants this from then on. */
export function claimsOf(id: string, { lengthMs, places, benches }: Wanted, from: number): Claim[] {
  return Array.from({ length: places }, (_, at) => ({
    id: places === 1 ? id : `${id}/${at + 1}`,
    from,
    until: from + lengthMs,
    benches,
  }))
}

export interface Nearest {
  /** The last time before, and the first after, that is free; epoch ms. */
  readonly before?: number
  readonly after?: number
}

export interface NearestOptions {
  readonly plan: Plan
  readonly wanted: Wanted
  readonly start: number
  /** Nothing begins before the one and after the other. */
  readonly earliest: number
  readonly latest: number
  /** Claims that make room. */
  readonly leaving?: ReadonlySet<string>
}

const mostTried = 300

/**
 * The nearest free times around one that is not. What is in the way gets less only where a claim ends, or where the
 * wanted time's end comes before a claim's beginning: no other moments need to be tried.
 */
export function nearestFree({ plan, wanted, start, earliest, latest, leaving }: NearestOptions): Nearest {
  const fits = (from: number) => plan.tryOut(claimsOf('wanted', wanted, from), leaving) !== undefined
  const touching = [...plan.claims].filter(
    ({ id, benches }) => leaving?.has(id) !== true && benches.some((bench) => wanted.benches.includes(bench)),
  )
  const later = distinct(touching.map(({ until }) => until))
    .filter((at) => at > start && at >= earliest && at <= latest)
    .sort((a, b) => a - b)
  const sooner = distinct([latest, ...touching.map(({ from }) => from - wanted.lengthMs)])
    .filter((at) => at < start && at >= earliest && at <= latest)
    .sort((a, b) => b - a)
  const before = sooner.slice(0, mostTried).find(fits)
  const after = (start < earliest ? [earliest, ...later] : later).slice(0, mostTried).find(fits)
  return { ...(before === undefined ? {} : { before }), ...(after === undefined ? {} : { after }) }
}

const distinct = (times: readonly number[]): number[] => [...new Set(times)]

/** A stretch of time in which as many benches stay free. */
export interface Stretch {
  readonly from: number
  readonly until: number
  readonly free: number
}

/** How many more could begin at each moment, where others may move. */
export function freeBenches(plan: Plan, benches: readonly string[], from: number, until: number): Stretch[] {
  const claims = plan.within(from, until)
  const moments = distinct([from, ...claims.flatMap((claim) => [claim.from, claim.until])])
    .filter((at) => at >= from && at < until)
    .sort((a, b) => a - b)
  const stretches: Stretch[] = []
  for (const [index, at] of moments.entries()) {
    const end = moments[index + 1] ?? until
    const free = freeAt(
      claims.filter((claim) => claim.from <= at && at < claim.until),
      benches,
      at,
    )
    const last = stretches.at(-1)
    if (last?.free === free) stretches[stretches.length - 1] = { ...last, until: end }
    else stretches.push({ from: at, until: end, free })
  }
  return stretches
}

function freeAt(claims: readonly Claim[], benches: readonly string[], at: number): number {
  let free = 0
  const more: Claim[] = []
  while (free < benches.length) {
    more.push({ id: `more/${free}`, from: at, until: at + 1, benches })
    if (!isMatched([...claims, ...more])) break
    free++
  }
  return free
}
