/** Why a run waits and about how long, in words for the person who waits. Pure. */
import type { WaitingRun } from './decide.ts'

/** A bench as waiting sees it. */
export interface WaitingBench {
  readonly id: string
  /** When it can take a run: 0 now, null when nobody knows (offline, faulty, maintained). */
  readonly freeInS: number | null
  /** Why it can't take one now. */
  readonly reason?: string
}

export interface Wait {
  /** 1 is next among those that wait for the same benches. */
  readonly position: number
  readonly reason: string
  /** Seconds; null when no bench is up. */
  readonly inS: number | null
}

/** What a run without an estimate is taken to last. */
const guessS = 60

/** The wait of a run, given all that stand before it in the queue and the benches that serve it. */
export function explain<Run extends WaitingRun>(
  run: Run,
  before: readonly Run[],
  benches: readonly WaitingBench[],
  serves: (other: Run, bench: string) => boolean,
): Wait {
  const mine = benches.filter(({ id }) => run.wantedBench === null || run.wantedBench === id)
  const rivals = before.filter((other) =>
    mine.some(({ id }) => (other.wantedBench === null || other.wantedBench === id) && serves(other, id)),
  )
  const position = rivals.length + 1
  const up = mine.flatMap(({ freeInS }) => (freeInS === null ? [] : [freeInS]))
  if (up.length === 0) {
    const why = mine.find(({ reason }) => reason !== undefined)?.reason
    const reason =
      mine.length === 0 ? 'no bench serves this lab' : `no bench is up${why === undefined ? '' : `: ${why}`}`
    return { position, reason, inS: null }
  }
  // Each rival takes the bench that is free first.
  const freeAt = [...up]
  for (const rival of rivals) {
    const first = freeAt.indexOf(Math.min(...freeAt))
    freeAt[first] = (freeAt[first] ?? 0) + (rival.estimatedS ?? guessS)
  }
  const inS = Math.min(...freeAt)
  const words = inWords(rivals.length, inS, mine)
  // All that could take it say why they don't.
  const refusal = mine.every(({ reason }) => reason !== undefined) ? mine[0]?.reason : undefined
  return { position, reason: refusal === undefined ? words : `${words} (${refusal})`, inS }
}

function inWords(rivals: number, inS: number, benches: readonly WaitingBench[]): string {
  const ahead = rivals === 0 ? 'you are next' : rivals === 1 ? 'one run before you' : `${rivals} runs before you`
  if (inS <= 0) return ahead
  const busy = benches.length === 1 ? 'the bench is in use' : 'every bench is in use'
  return `${rivals === 0 ? `${busy}, ${ahead}` : ahead}, about ${duration(inS)}`
}

function duration(seconds: number): string {
  if (seconds < 90) return `${Math.max(1, Math.round(seconds))} s`
  return `${Math.round(seconds / 60)} min`
}
