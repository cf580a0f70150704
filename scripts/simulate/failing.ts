/** When benches fail in a simulation: each by itself, as often and for as long as is usual for it. */

export interface Failure {
  readonly bench: string
  readonly atMs: number
  /** When it is of use again; infinite where that did not come. */
  readonly backMs: number
}

export interface FailureRate {
  /** From a repair to the next failure, on average. */
  readonly meanBetweenMs: number
  readonly meanRepairMs: number
}

/** By time; times between failures and of repairs are exponentially distributed. */
export function generateFailures(
  benches: Iterable<string>,
  { meanBetweenMs, meanRepairMs }: FailureRate,
  { fromMs, untilMs, random }: { readonly fromMs: number; readonly untilMs: number; readonly random: () => number },
): Failure[] {
  const draw = (meanMs: number) => Math.max(1, Math.round(-Math.log(1 - random()) * meanMs))
  const failures: Failure[] = []
  for (const bench of benches) {
    for (let atMs = fromMs + draw(meanBetweenMs); atMs < untilMs; ) {
      const backMs = atMs + draw(meanRepairMs)
      failures.push({ bench, atMs, backMs })
      atMs = backMs + draw(meanBetweenMs)
    }
  }
  return inOrder(failures)
}

export const inOrder = (failures: readonly Failure[]): Failure[] =>
  [...failures].sort((a, b) => a.atMs - b.atMs || (a.bench < b.bench ? -1 : 1))

/** Which benches have failed, at each moment of a simulation, which goes on by `advance`. */
export class Broken {
  readonly #failures: readonly Failure[]
  readonly #backMs = new Map<string, number>()
  #at = 0

  constructor(failures: readonly Failure[]) {
    this.#failures = failures
  }

  /** The benches that fail now. */
  advance(nowMs: number): string[] {
    for (const [bench, backMs] of this.#backMs) if (backMs <= nowMs) this.#backMs.delete(bench)
    const failing: string[] = []
    for (
      let next = this.#failures[this.#at];
      next !== undefined && next.atMs <= nowMs;
      next = this.#failures[this.#at]
    ) {
      this.#at++
      if (next.backMs <= nowMs) continue
      this.#backMs.set(next.bench, Math.max(next.backMs, this.#backMs.get(next.bench) ?? 0))
      failing.push(next.bench)
    }
    return failing
  }

  has(bench: string): boolean {
    return this.#backMs.has(bench)
  }

  /** The next failure or repair. */
  nextMs(): number {
    let nextMs = this.#failures[this.#at]?.atMs ?? Number.POSITIVE_INFINITY
    for (const backMs of this.#backMs.values()) if (backMs < nextMs) nextMs = backMs
    return nextMs
  }
}
