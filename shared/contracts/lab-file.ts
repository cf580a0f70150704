import { z } from 'zod'
import { identifierSchema, limitsSchema, partRequirementSchema, textSchema } from '../capabilities/signals.ts'
import { NAME_PATTERN } from '../primitives/ids.ts'
import type { Issue } from '../primitives/lab-error.ts'
import { readFileAs } from './yaml-file.ts'

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

/** Reads lab.yaml; with issues there is no lab. */
export function parseLabFile(text: string, options: { file?: string } = {}): { lab?: LabFile; issues: Issue[] } {
  const { value, issues } = readFileAs(text, labFileSchemaZod, options)
  return value === undefined ? { issues } : { lab: value, issues }
}
