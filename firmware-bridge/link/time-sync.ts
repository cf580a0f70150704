/**
 * When it was on this host's steady clock as a microcontroller's counter stood at a value.
 *
 * The host asks for the counter and takes the middle of the exchange, as NTP does (RFC 5905, section 8); exchanges that
 * took long say little and weigh little. The rate comes from a straight line through them. What is told never jumps by
 * what was learnt: it is steered there, so that the samples of a stream stay evenly spaced.
 *
 * INVARIANTS: `hostMs` is continuous and rising in the counter, but while it is `FIRST` set, and where it was wrong by more
 * than `STEP_MS`.
 */

interface Exchange {
  readonly hostMs: number
  readonly counterUs: number
  readonly tookMs: number
}

const KEPT = 64
/** What is wrong is steered away within this time … */
const HORIZON_MS = 5000
/** … but at most so fast; a rate is believed that is known better than that. */
const MOST_SLEW = 500e-6
const STEP_MS = 50
/** Exchanges at once after connecting, before anything is told. */
const FIRST = 8

export class TimeSync {
  #exchanges: Exchange[] = []
  #lastUs: number | undefined
  /** What is told: `hostMs = anchorHostMs + (counterUs - anchorUs) / 1000 * slope`. */
  #anchorUs = 0
  #anchorHostMs = 0
  #slope = 1
  #rate = 1
  #bestMs = Number.POSITIVE_INFINITY

  /** False before the first exchange. */
  get isSet(): boolean {
    return this.#lastUs !== undefined
  }

  /** How much faster the counter runs than this host's clock, in parts per million. */
  get driftPpm(): number {
    return (1 / this.#rate - 1) * 1e6
  }

  /** Half of the quickest exchange: what `hostMs` may be wrong by. */
  get uncertaintyMs(): number {
    return this.#bestMs / 2
  }

  /** The counter stood at `counter` (modulo 2³²) between two moments of the host's clock. */
  add(sentMs: number, receivedMs: number, counter: number): void {
    const counterUs = this.#unwrap(counter)
    const isFirst = this.#lastUs === undefined
    this.#lastUs = counterUs
    const exchange = { hostMs: (sentMs + receivedMs) / 2, counterUs, tookMs: receivedMs - sentMs }
    this.#exchanges = [...this.#exchanges, exchange].slice(-KEPT)
    if (isFirst) {
      this.#anchorUs = counterUs
      this.#anchorHostMs = exchange.hostMs
    }
    this.#learn(counterUs)
  }

  /** Milliseconds of the host's steady clock as the counter stood at that value, within half an hour of the last exchange. */
  hostMs(counter: number): number {
    return this.#told(this.#unwrap(counter))
  }

  #told(counterUs: number): number {
    return this.#anchorHostMs + ((counterUs - this.#anchorUs) / 1000) * this.#slope
  }

  #learn(nowUs: number): void {
    const { meanUs, meanMs, spreadMs, slope } = this.#line()
    if (this.#bestMs / 2 < MOST_SLEW * spreadMs) this.#rate = slope
    const trueMs = meanMs + ((nowUs - meanUs) / 1000) * this.#rate
    const wrongMs = trueMs - this.#told(nowUs)
    const isNew = this.#exchanges.length <= FIRST
    const steered = isNew || Math.abs(wrongMs) > STEP_MS ? trueMs : this.#told(nowUs)
    this.#anchorHostMs = steered
    this.#anchorUs = nowUs
    const slew = Math.max(-MOST_SLEW, Math.min(MOST_SLEW, (trueMs - steered) / HORIZON_MS))
    this.#slope = this.#rate + slew
  }

  /** The straight line through the exchanges, in which one counts the less the longer it took. */
  #line() {
    const all = this.#exchanges
    this.#bestMs = Math.max(0.02, Math.min(...all.map((each) => each.tookMs)))
    const weights = all.map(({ tookMs }) => (this.#bestMs / Math.max(tookMs, this.#bestMs)) ** 3)
    const total = weights.reduce((sum, weight) => sum + weight, 0)
    const mean = (of: (exchange: Exchange) => number) =>
      all.reduce((sum, each, i) => sum + of(each) * (weights[i] ?? 0), 0) / total
    const meanUs = mean((each) => each.counterUs)
    const meanMs = mean((each) => each.hostMs)
    const squares = mean((each) => ((each.counterUs - meanUs) / 1000) ** 2)
    const products = mean((each) => ((each.counterUs - meanUs) / 1000) * (each.hostMs - meanMs))
    return { meanUs, meanMs, spreadMs: Math.sqrt(squares), slope: products / squares }
  }

  /** The counter without its wraps. */
  #unwrap(counter: number): number {
    if (this.#lastUs === undefined) return counter
    return this.#lastUs + ((counter - this.#lastUs) | 0)
  }
}
