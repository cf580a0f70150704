/** What a node finds on its own machine, as it tells its hub. */
import * as z from 'zod'
import { draftSchema, shownInstrumentSchema } from './hardware-drafts.ts'

/** `off`: not there or not switched on, and nothing needs it. */
export const hardwareVerdictSchema = z.enum(['ok', 'off', 'look', 'broken'])
export type HardwareVerdict = z.infer<typeof hardwareVerdictSchema>

/** Hardware that an instrument can be made of. */
export const hardwareFindSchema = z.object({
  /** As in `fernlab node add-instrument`: `serial:usb-Arduino_Uno-if00`. */
  id: z.string(),
  kind: z.string(),
  title: z.string(),
  /** What a config should name it by. */
  path: z.string(),
  /** Instruments of the node that have it. */
  instruments: z.array(z.string()).readonly(),
  /** The board that its USB numbers leave no doubt of. */
  board: z.string().optional(),
  /** Chips that its address can be. */
  chips: z.array(z.string()).readonly().optional(),
  /** What it can become, the likeliest first, while it is free and the node may use it. */
  drafts: z.array(draftSchema).readonly().optional(),
})

export type HardwareFind = z.infer<typeof hardwareFindSchema>

export const hardwareFindingSchema = z.object({
  /** The heading that it stands below: `Serial ports`. */
  group: z.string(),
  what: z.string(),
  verdict: hardwareVerdictSchema,
  detail: z.string(),
  /** The detail in its parts, each a sentence or a value by itself, and what is amiss: for who says it in another language. */
  facts: z.array(z.string()).readonly().optional(),
  trouble: z.string().optional(),
  /** Lines to type on the node, or to put into the file that the detail names. */
  lines: z.array(z.string()).readonly().optional(),
  find: hardwareFindSchema.optional(),
})
export type HardwareFinding = z.infer<typeof hardwareFindingSchema>

/** The most findings of one answer; a Pi with everything plugged in has some 40. */
export const MOST_FINDINGS = 500

export const nodeHardwareSchema = z.object({
  /** When the node looked, by its clock. */
  lookedAt: z.iso.datetime(),
  /** Whether its I2C buses were asked who is there; a finding says of each that was left alone why. */
  scanned: z.boolean(),
  /** In the order in which they are read; those of a group stand together. */
  findings: z.array(hardwareFindingSchema).max(MOST_FINDINGS).readonly(),
  /** Instruments that were made of finds, beside those of node.yaml. */
  added: z.array(shownInstrumentSchema).readonly(),
})
export type NodeHardware = z.infer<typeof nodeHardwareSchema>
