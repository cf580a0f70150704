import * as z from 'zod'
import { identifierSchema, limitsSchema, partRequirementSchema, textSchema } from '../capabilities/signals.ts'
import { NAME_PATTERN } from '../primitives/ids.ts'
import type { Issue } from '../primitives/lab-error.ts'
import { didYouMean } from '../primitives/nearest.ts'
import { type Finding, readFileAs, type YamlOptions } from './yaml-file.ts'

/** `part.signal`. */
export const signalKeySchema = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9_]{0,62}\.[A-Za-z][A-Za-z0-9_]{0,62}$/, 'must be part.signal')

/** The schema of lab.yaml. */
export const labFileSchemaZod = z.strictObject({
  id: z.string().regex(NAME_PATTERN, 'must be lower-case letters, digits, - and _').exactOptional(),
  title: textSchema,
  summary: textSchema,
  description: textSchema.exactOptional(),
  picture: z.string().max(200).exactOptional(),
  subject: textSchema.exactOptional(),
  level: textSchema.exactOptional(),
  parts: z.record(identifierSchema, partRequirementSchema),
  limits: z.record(signalKeySchema, limitsSchema).exactOptional(),
  panel: z.record(z.string(), z.unknown()).exactOptional(),
  access: z.strictObject({ public: z.boolean() }).exactOptional(),
})

/** lab.yaml as data. */
export type LabFile = z.infer<typeof labFileSchemaZod>

/**
 * Reads lab.yaml. There is a lab when the file has the form of one, so that what refers to it can be checked as well;
 * with issues it is not to be used.
 */
export function parseLabFile(text: string, options: YamlOptions = {}): { lab?: LabFile; issues: Issue[] } {
  const { value, yaml, issues } = readFileAs(text, labFileSchemaZod, options)
  if (value === undefined || yaml === undefined) return { issues }
  const findings = Object.entries(value.limits ?? {}).flatMap(([key, limits]): Finding[] => {
    const [part = '', name = ''] = key.split('.')
    const path = ['limits', key]
    const signals = Object.hasOwn(value.parts, part) ? value.parts[part]?.signals : undefined
    if (signals === undefined)
      return [{ path, message: `there is no part ${part}${didYouMean(part, Object.keys(value.parts))}` }]
    if (!Object.hasOwn(signals, name)) {
      return [{ path, message: `part ${part} has no signal ${name}${didYouMean(name, Object.keys(signals))}` }]
    }
    return limits.low === undefined && limits.high === undefined ? [{ path, message: 'needs low, high or both' }] : []
  })
  return { lab: value, issues: findings.map(yaml.place) }
}
