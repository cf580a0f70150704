/**
 * Sends what a control that is being moved asks for.
 *
 * INVARIANTS: one value is under way at a time; a next one goes out after its answer, `everyMs` after it at the earliest;
 * of those that came meanwhile only the last goes out, and the last always does; nothing goes out after drop(), and
 * nothing twice.
 */
export interface LatestSender<Value> {
  offer(value: Value): void
  /** Forgets what has not gone out. */
  drop(): void
}

interface Options<Value> {
  readonly everyMs: number
  readonly send: (value: Value) => Promise<void>
  /** A value was taken, or refused; `more` says whether another waits already. */
  readonly settled: (outcome: { value: Value; error?: unknown; more: boolean }) => void
  readonly after?: (ms: number, then: () => void) => void
}

/** A sender that keeps only the latest value back. */
export function createLatestSender<Value>(options: Options<Value>): LatestSender<Value> {
  const { everyMs, send, settled, after = (ms, then) => setTimeout(then, ms) } = options
  let waiting: { readonly value: Value } | undefined
  let isUnderWay = false
  let isTooSoon = false

  const next = () => {
    if (waiting === undefined || isUnderWay || isTooSoon) return
    const { value } = waiting
    waiting = undefined
    isUnderWay = true
    isTooSoon = true
    after(everyMs, () => {
      isTooSoon = false
      next()
    })
    const answered = (outcome: { error?: unknown }) => {
      isUnderWay = false
      settled({ value, ...outcome, more: waiting !== undefined })
      next()
    }
    send(value).then(
      () => answered({}),
      (error: unknown) => answered({ error }),
    )
  }

  return {
    offer: (value) => {
      waiting = { value }
      next()
    },
    drop: () => {
      waiting = undefined
    },
  }
}
