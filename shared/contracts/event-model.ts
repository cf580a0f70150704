/**
 * Run documents as the API gives them: the Bluesky event model (https://blueskyproject.io/event-model) with what a
 * Fernlab adds. Times are epoch seconds; one document a line of `GET /api/v1/runs/{id}/documents`.
 */
import * as z from 'zod'
import { labErrorSchema, outputSchema } from './common.ts'
import { finalStateSchema } from './run-state.ts'

const cell = z.union([z.number(), z.string(), z.boolean(), z.null(), z.array(z.unknown())])
const columns = z.record(z.string(), z.array(cell))

const startSchema = z.looseObject({
  uid: z.string(),
  time: z.number(),
  scan_id: z.number().optional(),
  plan_name: z.string().optional(),
  plan_args: z.record(z.string(), z.unknown()).optional(),
  lab: z.string(),
  protocol: z.string(),
  bench: z.string(),
  node: z.string(),
  site: z.string(),
  fernlab_run: z.string(),
  fernlab_attempt: z.number(),
  note: z.string().optional(),
})

const descriptorSchema = z.looseObject({
  uid: z.string(),
  run_start: z.string(),
  time: z.number(),
  /** Of the stream. */
  name: z.string(),
  data_keys: z.record(
    z.string(),
    z.looseObject({
      dtype: z.string(),
      shape: z.array(z.number().nullable()),
      source: z.string(),
      units: z.string().nullish(),
    }),
  ),
  configuration: z.record(z.string(), z.looseObject({ data: z.record(z.string(), z.unknown()) })).optional(),
})

const eventPageSchema = z.looseObject({
  descriptor: z.string(),
  seq_num: z.array(z.number()),
  uid: z.array(z.string()),
  time: z.array(z.number()),
  data: columns,
  timestamps: z.record(z.string(), z.array(z.number())),
})

const resourceSchema = z.looseObject({
  uid: z.string(),
  run_start: z.string().optional(),
  spec: z.string(),
  root: z.string(),
  resource_path: z.string(),
  resource_kwargs: z.record(z.string(), z.unknown()),
})

const datumSchema = z.looseObject({
  datum_id: z.string(),
  resource: z.string(),
  datum_kwargs: z.record(z.string(), z.unknown()),
})

const stopSchema = z.looseObject({
  uid: z.string(),
  run_start: z.string(),
  time: z.number(),
  exit_status: z.enum(['success', 'abort', 'fail']),
  reason: z.string().optional(),
  /** By stream. */
  num_events: z.record(z.string(), z.number()).optional(),
  fernlab_state: finalStateSchema,
  outputs: z.record(z.string(), outputSchema),
  missing_outputs: z.record(z.string(), z.string()),
  error: labErrorSchema.optional(),
})

/** One document, told apart by its name. */
export const runDocumentSchema = z.discriminatedUnion('name', [
  z.object({ name: z.literal('start'), doc: startSchema }),
  z.object({ name: z.literal('descriptor'), doc: descriptorSchema }),
  z.object({ name: z.literal('event_page'), doc: eventPageSchema }),
  z.object({ name: z.literal('resource'), doc: resourceSchema }),
  z.object({ name: z.literal('datum'), doc: datumSchema }),
  z.object({ name: z.literal('stop'), doc: stopSchema }),
])
export type RunDocument = z.infer<typeof runDocumentSchema>
