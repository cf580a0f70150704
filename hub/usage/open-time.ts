/** How long a bench was open, by what staff had planned for it then. Pure. */
import { type OutagePlan, outages } from '../bench-care/outages.ts'

/** A plan, and when somebody took it back. */
export interface PastPlan {
  readonly plan: OutagePlan
  readonly endedAt: number | null
}

/** The seconds from `from` to `to` in which no plan kept runs away. */
export function openSeconds(plans: readonly PastPlan[], from: number, to: number): number {
  if (to <= from) return 0
  const closed = plans
    .flatMap(({ plan, endedAt }) => {
      const last = Math.min(to, endedAt ?? to)
      return outages([plan], from, to).map((outage) => ({
        from: Math.max(from, outage.from, plan.createdAt),
        until: Math.min(last, outage.until),
      }))
    })
    .filter((stretch) => stretch.until > stretch.from)
    .sort((a, b) => a.from - b.from)
  let open = to - from
  let counted = from
  for (const stretch of closed) {
    const begin = Math.max(counted, stretch.from)
    if (stretch.until <= begin) continue
    open -= stretch.until - begin
    counted = stretch.until
  }
  return open / 1000
}
