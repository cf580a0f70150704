/** Interlocks: as node.yaml has them, as a node tells of them, and as the API shows them. */
import * as z from 'zod'
import { signalKeySchema, unitSchema } from '../capabilities/signals.ts'
import { NAME_PATTERN } from '../primitives/ids.ts'

const amount = z.union([
  z.number(),
  z.strictObject({
    value: z.number().describe('The number.'),
    unit: unitSchema.describe('Its unit, in UCUM spelling.'),
  }),
])

/** One signal beyond a bound, or a switch in one position; the bounds in the signal's unit unless they name another. */
const boundSchema = z
  .strictObject({
    signal: signalKeySchema.describe('The signal, as part.signal.'),
    above: amount
      .describe("It trips above this: a number in the signal's unit, or {value, unit} in another.")
      .exactOptional(),
    below: amount
      .describe("It trips below this: a number in the signal's unit, or {value, unit} in another.")
      .exactOptional(),
    is: z.boolean().describe('It trips while the signal, of type boolean, is this.').exactOptional(),
  })
  .refine(
    ({ above, below, is }) => (is === undefined) === (above !== undefined || below !== undefined),
    'say either above or below or both, or is',
  )
export type InterlockBound = z.output<typeof boundSchema>

/** One interlock of a node in node.yaml. */
export const interlockEntrySchema = z.strictObject({
  bench: z
    .string()
    .regex(NAME_PATTERN, 'must be lower-case letters, digits, - and _')
    .describe('The bench that it keeps safe.'),
  when: z
    .union([z.string().min(1).max(1000), boundSchema])
    .describe(
      'When it trips: an expression over signals of the bench, each in its unit, such as oven.temperature > 90 || !box.closed; or a signal with above, below or is. What can not be computed trips it too.',
    ),
  title: z.string().min(1).max(100).describe('What people call it.').exactOptional(),
  everyMs: z
    .number()
    .min(10)
    .max(60_000)
    .default(100)
    .describe('How often its signals are read at least, in ms, whether or not the bench is in use. Default: 100.'),
  forMs: z
    .number()
    .min(0)
    .max(60_000)
    .default(0)
    .describe('How long the condition must hold without a break before it trips, in ms. Default: 0.'),
  unreadMs: z
    .number()
    .min(50)
    .max(600_000)
    .describe('A signal that was not read for so long trips it, in ms. Default: 20 times everyMs, at least 2000.')
    .exactOptional(),
  latch: z
    .boolean()
    .default(true)
    .describe(
      'Whether it stays tripped until a person resets it; else the bench is of use again when the condition is over. Default: true.',
    ),
  safeState: z
    .record(signalKeySchema, z.union([z.number(), z.boolean()]))
    .describe(
      "What is set while it is tripped, instead of the values of the bench's safe state, which must have the same signals: it takes them back.",
    )
    .exactOptional(),
})
export type InterlockEntry = z.output<typeof interlockEntrySchema>

/** How an interlock stands; `unread`: not since the node has started. */
export const interlockStateSchema = z.enum(['unread', 'clear', 'tripped'])

/** `POST /api/v1/benches/{bench}/reset-interlock`. */
export const resetInterlockSchema = z.strictObject({
  /** Unless given, all that are latched. */
  interlock: z.string().max(63).optional(),
})

/** An interlock as its node tells of it. */
export const interlockStatusSchema = z.object({
  name: z.string(),
  title: z.string().optional(),
  /** What it trips at, as people read it. */
  when: z.string(),
  state: interlockStateSchema,
  /** Of one that has tripped: why, when, whether that is so still, and whether a person has to reset it. */
  reason: z.string().optional(),
  since: z.string().optional(),
  holds: z.boolean().optional(),
  latched: z.boolean().optional(),
})
export type InterlockStatus = z.infer<typeof interlockStatusSchema>
