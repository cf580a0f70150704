/** What recurring runs are and may become: making, changing, pausing, and what came of their due times. */
import type {
  askTimesSchema,
  changeRecurringSchema,
  createRecurringSchema,
  NextTimes,
  Recurring,
} from '@fernlab/shared/contracts/recurring'
import type * as z from 'zod'
import type { Caller } from '../accounts/caller.ts'

export type NewRecurring = z.output<typeof createRecurringSchema>
export type RecurringChange = z.output<typeof changeRecurringSchema>

export interface ListRecurring {
  readonly person?: string
  readonly lab?: string
  readonly limit: number
  /** The id of the last one of the page before. */
  readonly cursor?: string
}

export interface RecurringRuns {
  /**
   * Makes one of the caller's. Throws `cron-invalid`, `recurring-invalid` (no due time is to come), `recurring-too-many`,
   * and what submitting the run now would throw, but for a quota that is used up or places that are taken.
   */
  create(caller: Caller, body: NewRecurring): Promise<Recurring>
  /** Throws what `create` does; its next due time is worked out anew. */
  change(caller: Caller, id: string, body: RecurringChange): Promise<Recurring>
  get(id: string): Promise<Recurring | undefined>
  /** The newest first. */
  list(query: ListRecurring): Promise<{ items: Recurring[]; cursor?: string }>
  /** Its due times pass without a run until it is resumed. */
  pause(caller: Caller, id: string): Promise<Recurring>
  /** Due times of the meantime stay without a run; throws `owner-left`. */
  resume(caller: Caller, id: string): Promise<Recurring>
  /** Makes a run now, as its owner; its due times stay. Throws what submitting throws. */
  runNow(caller: Caller, id: string): Promise<Recurring>
  /** Its runs stay. */
  remove(caller: Caller, id: string): Promise<void>
  /** The next five times of an expression; throws `cron-invalid`. */
  times(question: z.output<typeof askTimesSchema>): NextTimes
  /** Does what is due, now and from now on. */
  start(): void
  /** Does what is due. */
  tick(): Promise<void>
  /** Ends the ticker and what it has begun. */
  close(): Promise<void>
}
