/**
 * Which bench each booking will have, as long as it has not begun. Pure.
 *
 * A booking is bound to a bench as late as when it begins: until then it moves to another one that can serve it where
 * that lets something else fit. Moves follow augmenting paths (Kuhn), which find a plan for all bookings wherever they
 * overlap in pairs; a plan that was found once is only left for one that keeps as many.
 */

export interface Booking {
  readonly id: string
  /** Those that can serve it. */
  readonly benches: ReadonlySet<string>
  readonly startMs: number
  readonly endMs: number
}

/** Booking → bench. */
export type BookingPlan = ReadonlyMap<string, string>

/** When a bench can take a booking; infinite where nobody knows. */
type FreeFrom = (bench: string) => number

/** Plans as many bookings as it can, those first that were planned before, each where it was if that is still possible. */
export function planBookings(
  bookings: readonly Booking[],
  freeFrom: FreeFrom,
  before: BookingPlan = new Map(),
): BookingPlan {
  const sorted = [...bookings].sort((a, b) => a.startMs - b.startMs || (a.id < b.id ? -1 : 1))
  const fits = (booking: Booking, bench: string) => booking.benches.has(bench) && freeFrom(bench) <= booking.startMs
  let plan = new Map<string, string>()
  const onBench = (bench: string) => sorted.filter(({ id }) => plan.get(id) === bench)
  const rest: Booking[] = []
  const keeps = new Map<string, Booking[]>()
  for (const booking of sorted) {
    const bench = before.get(booking.id)
    const others = (bench === undefined ? undefined : keeps.get(bench)) ?? []
    if (bench !== undefined && fits(booking, bench) && !others.some((other) => overlap(other, booking))) {
      plan.set(booking.id, bench)
      keeps.set(bench, [...others, booking])
    } else rest.push(booking)
  }
  const place = (booking: Booking, tried: Set<string>): boolean => {
    for (const bench of [...booking.benches].sort()) {
      if (tried.has(bench) || !fits(booking, bench)) continue
      tried.add(bench)
      const moved = onBench(bench).filter((other) => overlap(other, booking))
      const kept = new Map(plan)
      for (const { id } of moved) plan.delete(id)
      plan.set(booking.id, bench)
      if (moved.every((other) => place(other, tried))) return true
      plan = kept
    }
    return false
  }
  for (const booking of [...rest].sort((a, b) => Number(before.has(b.id)) - Number(before.has(a.id)))) {
    place(booking, new Set())
  }
  return plan
}

const overlap = (a: Booking, b: Booking): boolean => a.startMs < b.endMs && b.startMs < a.endMs

export interface BookingState {
  /** Those that have not begun. */
  readonly bookings: readonly Booking[]
  /** When a bench that is taken is expected back; infinite where nobody knows. Free benches are not asked about. */
  readonly backAtMs: FreeFrom
  /** As the decision before left it. */
  readonly plan?: BookingPlan
}

/** Slower than expected by a quarter and half a minute must not make a booking late. */
const withMargin = (lastsS: number): number => (lastsS * 1.25 + 30) * 1000

/** What one decision may give away without making a booking late. */
export class Reserved {
  readonly #bookings: readonly Booking[]
  readonly #nowMs: number
  readonly #freeFrom = new Map<string, number>()
  readonly #backAt: FreeFrom
  /** By bench: taken until then or later, a booking would be late. */
  readonly #tooLate = new Map<string, number>()
  #plan: BookingPlan

  constructor({ bookings, backAtMs, plan }: BookingState, freeBenches: readonly string[], nowMs: number) {
    this.#nowMs = nowMs
    // One that is due is wanted now.
    this.#bookings = bookings.map((booking) =>
      booking.startMs >= nowMs ? booking : { ...booking, startMs: nowMs, endMs: Math.max(booking.endMs, nowMs + 1) },
    )
    for (const bench of freeBenches) this.#freeFrom.set(bench, nowMs)
    // A bench that is overdue is not free yet.
    this.#backAt = (bench) => Math.max(backAtMs(bench), nowMs + 1)
    this.#plan = planBookings(this.#bookings, this.#free, plan)
  }

  get plan(): BookingPlan {
    return this.#plan
  }

  readonly #free: FreeFrom = (bench) => this.#freeFrom.get(bench) ?? this.#backAt(bench)

  /** Those that begin now, each with its bench. */
  due(): { readonly booking: string; readonly bench: string }[] {
    return this.#bookings
      .filter(({ startMs }) => startMs <= this.#nowMs)
      .flatMap(({ id }) => {
        const bench = this.#plan.get(id)
        return bench === undefined ? [] : [{ booking: id, bench }]
      })
  }

  /** Whether the free bench may be taken for so long. */
  allows(bench: string, lastsS: number): boolean {
    const untilMs = this.#nowMs + withMargin(lastsS)
    if (untilMs >= (this.#tooLate.get(bench) ?? Number.POSITIVE_INFINITY)) return false
    if (this.#without(bench, untilMs) !== undefined) return true
    this.#tooLate.set(bench, untilMs)
    return false
  }

  take(bench: string, lastsS: number): void {
    const untilMs = this.#nowMs + withMargin(lastsS)
    this.#plan = this.#without(bench, untilMs) ?? this.#plan
    this.#freeFrom.set(bench, untilMs)
  }

  /** A plan with as many bookings while the bench is taken until then. */
  #without(bench: string, untilMs: number): BookingPlan | undefined {
    const inTheWay = this.#bookings.some(({ id, startMs }) => startMs < untilMs && this.#plan.get(id) === bench)
    if (!inTheWay) return this.#plan
    const free: FreeFrom = (other) => (other === bench ? untilMs : this.#free(other))
    const plan = planBookings(this.#bookings, free, this.#plan)
    return plan.size >= this.#plan.size ? plan : undefined
  }
}
