/** What is planned for benches as it holds at this moment, worked out once for as long as it stays the same. */
import type { Clock } from '@fernlab/shared/primitives/clock'
import { type OutagePlan, type Outlook, outlookAt } from './outages.ts'

type Plans = readonly OutagePlan[]

export class Outlooks {
  readonly #clock: Pick<Clock, 'now'>
  /** Plans are replaced as a whole when they change. */
  readonly #known = new WeakMap<Plans, Outlook>()

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock
  }

  /** The outage in force now, and the next. */
  of(plans: Plans): Outlook {
    const now = this.#clock.now()
    let outlook = this.#known.get(plans)
    // A clock that was set back is before what was worked out.
    if (outlook === undefined || now < outlook.since || now >= outlook.until) {
      outlook = outlookAt(plans, now)
      this.#known.set(plans, outlook)
    }
    return outlook
  }

  /** How long until the next outage; the run that begins now must have ended by then. */
  freeForS(plans: Plans): number {
    const { next } = this.of(plans)
    return next === undefined ? Number.POSITIVE_INFINITY : (next.from - this.#clock.now()) / 1000
  }
}
