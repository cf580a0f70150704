/** When a bench is free for somebody who wants one for so long, and how many are at each moment. Pure. */
import { type Claim, mostLeft, overlap, type Span } from './placement.ts'
import type { Plan } from './plan.ts'

export interface Wanted {
  readonly lengthMs: number
  /** Benches at once. */
  readonly places: number
  /** Those that would do, open or not. */
  readonly benches: readonly string[]
  /** When the bench is closed within the span. */
  readonly closed: (bench: string, span: Span) => readonly Span[]
}

/** The claims of somebody who wants this from then on: on benches that are open all the time. */
export function claimsOf(id: string, { lengthMs, places, benches, closed }: Wanted, from: number): Claim[] {
  const span = { from, until: from + lengthMs }
  const open = benches.filter((bench) => closed(bench, span).length === 0)
  return claimIds({ id, places }).map((claim) => ({ id: claim, ...span, benches: open }))
}

/** Of something that needs so many benches at once. */
export const claimIds = ({ id, places }: { readonly id: string; readonly places: number }): string[] =>
  places === 1 ? [id] : Array.from({ length: places }, (_, at) => `${id}/${at + 1}`)

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
/** Nearer is nearer than this. */
const sightMs = 28 * 86_400_000

/**
 * The nearest free times around one that is not. What is in the way gets less only where a claim ends, or where the
 * wanted time's end comes before a claim's beginning: no other moments need to be tried.
 */
export function nearestFree({ plan, wanted, start, earliest, latest, leaving }: NearestOptions): Nearest {
  const { lengthMs, benches, closed } = wanted
  const fits = (from: number) => plan.tryOut(claimsOf('wanted', wanted, from), leaving) !== undefined
  const first = Math.max(earliest, start - sightMs)
  const last = Math.min(latest, start + sightMs)
  const sight = { from: first, until: last + lengthMs }
  const inTheWay: readonly Span[] = [
    ...[...plan.claims].filter(
      (claim) =>
        leaving?.has(claim.id) !== true &&
        overlap(claim, sight) &&
        claim.benches.some((bench) => benches.includes(bench)),
    ),
    ...benches.flatMap((bench) => closed(bench, sight)),
  ]
  const later = distinct([first, ...inTheWay.map(({ until }) => until)])
    .filter((at) => at > start && at >= first && at <= last)
    .sort((a, b) => a - b)
  const sooner = distinct([last, ...inTheWay.map(({ from }) => from - lengthMs)])
    .filter((at) => at < start && at >= first && at <= last)
    .sort((a, b) => b - a)
  const before = sooner.slice(0, mostTried).find(fits)
  const after = later.slice(0, mostTried).find(fits)
  return { ...(before === undefined ? {} : { before }), ...(after === undefined ? {} : { after }) }
}

const distinct = (times: readonly number[]): number[] => [...new Set(times)]

/** A stretch of time in which as many benches stay free. */
export interface Stretch extends Span {
  readonly free: number
}

/** How many more could begin at each moment, where others may move. */
export function freeBenches(
  plan: Plan,
  { benches, closed }: Pick<Wanted, 'benches' | 'closed'>,
  { from, until }: Span,
): Stretch[] {
  const claims = plan.within(from, until)
  const closings = benches.flatMap((bench) => closed(bench, { from, until }).map((span) => ({ ...span, bench })))
  const moments = distinct([from, ...[...claims, ...closings].flatMap((span) => [span.from, span.until])])
    .filter((at) => at >= from && at < until)
    .sort((a, b) => a - b)
  const stretches: Stretch[] = []
  for (const [index, at] of moments.entries()) {
    const isOn = (span: Span) => span.from <= at && at < span.until
    const shut = new Set(closings.filter(isOn).map(({ bench }) => bench))
    const open = benches.filter((bench) => !shut.has(bench))
    const free = mostLeft(claims.filter(isOn), open)
    const last = stretches.at(-1)
    const end = moments[index + 1] ?? until
    if (last?.free === free) stretches[stretches.length - 1] = { ...last, until: end }
    else stretches.push({ from: at, until: end, free })
  }
  return stretches
}
