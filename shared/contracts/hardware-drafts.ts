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

export type DraftValues = Readonly<Record<string, string | number>>

const IDENTIFIER = /^[a-z][a-z0-9_]{0,39}$/

/** What is wrong with the values, by the name of their setting; nothing where they do. */
export function wrongValues({ settings }: HardwareDraft, values: DraftValues): Map<string, string> {
  const wrong = new Map<string, string>()
  for (const setting of settings) {
    const why = wrongValue(setting, Object.hasOwn(values, setting.name) ? values[setting.name] : undefined)
    if (why !== undefined) wrong.set(setting.name, why)
  }
  for (const name of Object.keys(values)) {
    if (!settings.some((setting) => setting.name === name)) wrong.set(name, 'is no setting of this find')
  }
  return wrong
}

function wrongValue(setting: DraftSetting, value: string | number | undefined): string | undefined {
  switch (setting.kind) {
    case 'choice':
      return setting.choices.some((each) => each === value) ? undefined : `must be ${setting.choices.join(' or ')}`
    case 'rate':
      return setting.choices.some((each) => each === value) ? undefined : `must be ${setting.choices.join(' or ')}`
    case 'number': {
      const { low, high } = setting
      const isGood = typeof value === 'number' && Number.isInteger(value) && value >= low && value <= high
      return isGood ? undefined : `must be a whole number from ${low} to ${high}`
    }
    case 'identifier':
      return typeof value === 'string' && IDENTIFIER.test(value)
        ? undefined
        : 'must be lower-case letters, digits and _, and begin with a letter'
  }
}

/** The config with the values at their places; only for values that do. */
export function filledConfig({ config, settings }: HardwareDraft, values: DraftValues): Record<string, unknown> {
  const filled = structuredClone(config)
  for (const { name, at } of settings) {
    const keys = at.map((key) => (key === '{signal}' ? String(values.signal ?? '') : key))
    const last = keys.pop()
    if (last === undefined) continue
    let inner = filled
    for (const key of keys) {
      const found = Object.hasOwn(inner, key) ? inner[key] : undefined
      const next = typeof found === 'object' && found !== null ? (found as Record<string, unknown>) : {}
      inner[key] = next
      inner = next
    }
    inner[last] = values[name]
  }
  return filled
}

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
