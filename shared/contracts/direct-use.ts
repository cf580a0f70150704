/** Who of the staff drove which bench by hand, as the API shows it. One schema each. */
import * as z from 'zod'
import { exchangedSchema, exchangeSchema } from './api.ts'
import { useFilterSchema, useSchema } from './usage.ts'

/** `released`: its person gave the bench back; `expired`: nobody renewed the lease; `taken-back`: others of the staff ended it. */
export const directEndSchema = z.enum(['released', 'expired', 'taken-back'])
export type DirectEnd = z.infer<typeof directEndSchema>

/** `GET /api/v1/usage/direct`: from taking a bench to giving it back. */
export const directUseSchema = useSchema.pick({ id: true, person: true, address: true, country: true }).extend({
  bench: z.string(),
  startedAt: z.iso.datetime(),
  /** Without it, it lasts. */
  endedAt: z.iso.datetime().optional(),
  /** While it lasts, so far. */
  lastsS: z.number(),
  ended: directEndSchema.optional(),
  /** How often something was set or read in one call. */
  exchanges: z.number(),
})
export type DirectUse = z.infer<typeof directUseSchema>

/** `mqtt`: set by a message on `…/set`. */
export const exchangeWaySchema = z.enum(['api', 'mqtt'])
export type ExchangeWay = z.infer<typeof exchangeWaySchema>

export const directExchangeSchema = z.object({
  at: z.iso.datetime(),
  way: exchangeWaySchema,
  /** Where it came from; for admins, as long as it is kept. */
  address: z.string().optional(),
  set: exchangeSchema.shape.set.unwrap(),
  read: exchangeSchema.shape.read.unwrap(),
  /** What was read; without it, it failed. */
  answer: exchangedSchema.shape.readings.optional(),
  error: z.string().optional(),
  /** Until the node had answered. */
  tookMs: z.number(),
})
export type DirectExchange = z.infer<typeof directExchangeSchema>

/** `GET /api/v1/usage/direct/{id}`. */
export const directUseDetailSchema = directUseSchema.extend({
  /** The first 500; all are at `…/exchanges.csv`. */
  given: z.array(directExchangeSchema),
  moreGiven: z.boolean(),
})
export type DirectUseDetail = z.infer<typeof directUseDetailSchema>

/** Which direct uses; all that is given must fit. */
export const directFilterSchema = useFilterSchema
  .pick({ course: true, person: true, bench: true, country: true })
  .extend({
    from: useFilterSchema.shape.from.describe('Begun from this time on'),
    to: useFilterSchema.shape.to.describe('Begun before this time'),
  })
export type DirectFilter = z.infer<typeof directFilterSchema>
