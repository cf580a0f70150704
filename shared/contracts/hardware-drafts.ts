/** How a find becomes an instrument: the entry of node.yaml as far as the find says it, and what a person says besides. */
import * as z from 'zod'
import { nameSchema } from './common.ts'

/** Drivers that finds are made instruments of; none of them runs a program that a config names. */
export const draftDrivers = ['board', 'camera', 'gpio', 'i2c', 'one-wire', 'scpi'] as const

/** A setting that is asked for; `at`: its place in the config, where `{signal}` stands for the setting of that name. */
const place = { name: z.string().max(40), at: z.array(z.string().max(64)).max(4).readonly() }
export const draftSettingSchema = z.discriminatedUnion('kind', [
  z.object({ ...place, kind: z.literal('choice'), choices: z.array(z.string().max(64)).max(64).readonly() }),
  z.object({ ...place, kind: z.literal('rate'), choices: z.array(z.number()).max(32).readonly(), usual: z.number() }),
  z.object({ ...place, kind: z.literal('number'), low: z.number(), high: z.number() }),
  z.object({ ...place, kind: z.literal('identifier') }),
])
export type DraftSetting = z.infer<typeof draftSettingSchema>

export const draftSchema = z.object({
  driver: z.enum(draftDrivers),
  config: z.record(z.string(), z.unknown()),
  settings: z.array(draftSettingSchema).max(8).readonly(),
})
export type HardwareDraft = z.infer<typeof draftSchema>

/** An instrument that was made of a find, as the node keeps it. */
export const addedInstrumentSchema = z.object({
  driver: z.enum(draftDrivers),
  config: z.record(z.string(), z.unknown()),
  /** The id of the find. */
  find: z.string(),
  by: z.string(),
  at: z.iso.datetime(),
})
export type AddedInstrument = z.infer<typeof addedInstrumentSchema>
export const addedInstrumentsSchema = z.record(nameSchema, addedInstrumentSchema)
export type AddedInstruments = z.infer<typeof addedInstrumentsSchema>

/** The same as the page shows it. */
export const shownInstrumentSchema = addedInstrumentSchema.extend({
  name: z.string(),
  /** Why it does not exist although it was added. */
  leftOut: z.string().optional(),
  /** The bench of node.yaml that has it, and keeps it from being removed. */
  bench: z.string().optional(),
})
export type ShownInstrument = z.infer<typeof shownInstrumentSchema>

/** `POST /api/v1/nodes/{node}/instruments`. */
export const addInstrumentSchema = z.strictObject({
  find: z.string().min(1).max(300),
  driver: z.enum(draftDrivers),
  name: nameSchema,
  settings: z.record(z.string().max(40), z.union([z.string().max(64), z.number()])).default({}),
})
export type AddInstrumentRequest = z.infer<typeof addInstrumentSchema>
