/** What the scheduler keeps in the database: the site's rules, and what everybody has used lately. */
import { type SchedulingRules, schedulingRulesSchema } from '@fernlab/shared/contracts/api'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { firstIdAt } from '@fernlab/shared/primitives/ids'
import { sql } from 'kysely'
import { ofNoUse } from '../runs/attempt-use.ts'
import { createSettings } from '../store/settings.ts'
import type { Store } from '../store/store.ts'
import { defaultRules, type OrderRules } from './order.ts'
import { Usage } from './usage.ts'

export interface Scheduling {
  /** Read from the database: the rules, and the bench time that counts now. */
  load(): Promise<{ readonly rules: OrderRules; readonly used: Usage }>
  rules(): Promise<SchedulingRules>
  /** How long a booking waits for somebody to come, as it was loaded or changed last. */
  readonly graceMs: number
  /** The same of how long before its end a session is told that it is bumped. */
  readonly warningMs: number
  /** Resolves when the queue is ordered by them. */
  change(rules: SchedulingRules, by: string): Promise<void>
}

export interface CreateSchedulingOptions {
  readonly store: Store
  readonly clock: Clock
  /** Orders the queue anew. */
  readonly onChange: (rules: OrderRules, used: Usage) => void
}

const settingName = 'scheduling'
const minuteMs = 60_000
const hourMs = 3_600_000

const asRules = ({ stepMinutes, windowHours }: SchedulingRules): OrderRules => ({
  stepMs: stepMinutes * minuteMs,
  windowMs: windowHours * hourMs,
})

/** Scheduling over the settings and the attempts of the database. */
export function createScheduling({ store, clock, onChange }: CreateSchedulingOptions): Scheduling {
  const settings = createSettings(store, clock)
  const read = async (): Promise<SchedulingRules> => {
    const stored = await settings.read(settingName)
    if (stored !== undefined) return schedulingRulesSchema.parse(JSON.parse(stored))
    return schedulingRulesSchema.parse({
      stepMinutes: defaultRules.stepMs / minuteMs,
      windowHours: defaultRules.windowMs / hourMs,
    })
  }
  let graceMs = 0
  let warningMs = 0
  const load = async () => {
    const stored = await read()
    graceMs = stored.graceMinutes * minuteMs
    warningMs = stored.warningMinutes * minuteMs
    const rules = asRules(stored)
    return { rules, used: await loadUsage(store, rules.windowMs, clock.now()) }
  }
  return {
    load,
    rules: read,
    get graceMs() {
      return graceMs
    },
    get warningMs() {
      return warningMs
    },
    change: async (wanted, by) => {
      await store.write(settings.change(settingName, { from: await read(), to: wanted }, by))
      const { rules, used } = await load()
      onChange(rules, used)
    },
  }
}

/** Sums the bench time of attempts that ended within the window; a run that waited longer than that is not looked for. */
async function loadUsage(store: Store, windowMs: number, nowMs: number): Promise<Usage> {
  const used = new Usage(windowMs)
  const { slotMs } = used
  const slot = sql<number>`CAST(attempt.ended_at / ${slotMs} AS INTEGER)`
  const rows = await store.db
    .selectFrom('attempt')
    .innerJoin('run', 'run.id', 'attempt.run_id')
    .select(['run.person_id', slot.as('slot')])
    .select(sql<number>`SUM(attempt.ended_at - attempt.assigned_at)`.as('ms'))
    .where('attempt.run_id', '>=', firstIdAt(nowMs - 2 * windowMs))
    .where('attempt.ended_at', '>=', used.firstSlot(nowMs) * slotMs)
    .where('attempt.state', 'not in', ofNoUse)
    .groupBy(['run.person_id', 'slot'])
    .execute()
  for (const { person_id: personId, slot, ms } of rows) used.restore({ personId, slot, ms })
  return used
}
