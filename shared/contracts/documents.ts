/**
 * Run documents between node and hub: the Bluesky event model with samples as typed arrays. A document is keyed by
 * `(runId, attempt, seq)`; seq counts from 0 (the start document) without a gap to the stop document.
 */
import * as z from 'zod'
import { calibrationRecordSchema } from './calibrations.ts'
import { labErrorSchema, outputSchema, parametersSchema } from './common.ts'
import { IN_FILES, isJpeg, MOST_STILL_BYTES } from './pictures.ts'
import { finalStateSchema } from './run-state.ts'

/** A column of an event page: numbers as Float64Array, text and booleans as plain arrays. */
export const columnSchema = z.union([z.instanceof(Float64Array), z.array(z.union([z.string(), z.boolean(), z.null()]))])
export type Column = z.infer<typeof columnSchema>

export const dataKeySchema = z.object({
  /** JSON Schema type, as in the event model. */
  dtype: z.enum(['number', 'integer', 'boolean', 'string', 'array']),
  shape: z.array(z.number()),
  unit: z.string(),
  /** `instrument.signal`, or `variable`, `derived`. */
  source: z.string(),
  title: z.string().optional(),
  precision: z.number().optional(),
  limits: z.object({ low: z.number().optional(), high: z.number().optional() }).optional(),
  uncertainty: z.object({ absolute: z.number().optional(), relative: z.number().optional() }).optional(),
  /** The values are names of files, each a picture of `shape`: height, width, colours. */
  external: z.literal(IN_FILES).optional(),
})
export type DataKey = z.infer<typeof dataKeySchema>

export const startDocSchema = z.object({
  /** Epoch seconds, UTC, node's clock. */
  time: z.number(),
  node: z.string(),
  bench: z.string(),
  lab: z.string(),
  protocol: z.string(),
  protocolDigest: z.string(),
  parameters: parametersSchema,
  fence: z.number(),
  nodeVersion: z.string(),
  /** Node's clock minus hub's clock, when known. */
  clockOffsetMs: z.number().optional(),
  estimatedS: z.number().optional(),
})

export const descriptorDocSchema = z.object({
  time: z.number(),
  stream: z.string(),
  dataKeys: z.record(z.string(), dataKeySchema),
  /** Of each instrument at that moment: its configuration signals, and the calibrations by which its values came of raw ones. */
  configuration: z.record(
    z.string(),
    z.object({
      data: z.record(z.string(), z.union([z.number(), z.string(), z.boolean()])),
      units: z.record(z.string(), z.string()),
      time: z.number(),
      calibrations: z.record(z.string(), calibrationRecordSchema).optional(),
      /** Of the calibrated signals that have limits: what their raw values can be. */
      rawLimits: z.record(z.string(), z.object({ low: z.number().optional(), high: z.number().optional() })).optional(),
    }),
  ),
})

export const eventPageDocSchema = z.object({
  stream: z.string(),
  /** 0-based row number of the first row in its stream, and how many rows. */
  first: z.number(),
  count: z.number(),
  /** Epoch seconds of each row. */
  time: z.instanceof(Float64Array),
  /** Keys as in the descriptor: `part.signal` (event-model key `part_signal` at the API), variables, derived names. */
  columns: z.record(z.string(), columnSchema),
})

/** A picture, before the page that has its row. */
export const pictureDocSchema = z.object({
  stream: z.string(),
  /** 0-based row number in its stream. */
  number: z.int().nonnegative(),
  /** Epoch seconds when it was seen, node's clock. */
  time: z.number(),
  jpeg: z.custom<Uint8Array>(
    (jpeg) => jpeg instanceof Uint8Array && isJpeg(jpeg) && jpeg.byteLength <= MOST_STILL_BYTES,
    `must be a JPEG file of at most ${MOST_STILL_BYTES} bytes`,
  ),
})

export const stopDocSchema = z.object({
  time: z.number(),
  state: finalStateSchema,
  reason: z.string(),
  error: labErrorSchema.optional(),
  /** Where in the protocol it ended: `steps[3].sweep`. */
  at: z.string().optional(),
  outputs: z.record(z.string(), outputSchema),
  missingOutputs: z.record(z.string(), z.string()),
  /** Rows per stream and documents before this one: the hub can prove that nothing is missing. */
  rows: z.record(z.string(), z.number()),
  documents: z.number(),
  /** Whether the clean-up of a session was done, and how often it was tried; without, there was none to do. */
  cleanUp: z.object({ done: z.boolean(), tries: z.number(), error: labErrorSchema.optional() }).optional(),
  /** Whether the bench reached its safe state after the run. */
  safeState: z.object({ reached: z.boolean(), error: labErrorSchema.optional() }),
})

const key = { runId: z.string(), attempt: z.number(), seq: z.number() }

export const nodeDocumentSchema = z.discriminatedUnion('name', [
  z.object({ ...key, name: z.literal('start'), doc: startDocSchema }),
  z.object({ ...key, name: z.literal('descriptor'), doc: descriptorDocSchema }),
  z.object({ ...key, name: z.literal('event_page'), doc: eventPageDocSchema }),
  z.object({ ...key, name: z.literal('picture'), doc: pictureDocSchema }),
  z.object({ ...key, name: z.literal('stop'), doc: stopDocSchema }),
])

export type StartDoc = z.infer<typeof startDocSchema>
export type DescriptorDoc = z.infer<typeof descriptorDocSchema>
export type EventPageDoc = z.infer<typeof eventPageDocSchema>
export type PictureDoc = z.infer<typeof pictureDocSchema>
export type StopDoc = z.infer<typeof stopDocSchema>
export type NodeDocument = z.infer<typeof nodeDocumentSchema>
