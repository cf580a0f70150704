/** What a person says to a draft: whether it does, and the entry that it makes. Pure, and without schemas, for pages use it. */
import type { DraftSetting, HardwareDraft } from './hardware-drafts.ts'

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
