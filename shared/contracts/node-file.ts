import { z } from 'zod'
import { identifierSchema, limitsSchema } from '../capabilities/signals.ts'
import { NAME_PATTERN } from '../primitives/ids.ts'
import type { Issue } from '../primitives/lab-error.ts'
import { signalKeySchema } from './lab-file.ts'
import { readFileAs } from './yaml-file.ts'

const name = z.string().regex(NAME_PATTERN, 'must be lower-case letters, digits, - and _')

/** One instrument of a node: its driver and that driver's settings. */
export const instrumentEntrySchema = z.strictObject({
  driver: z.string().min(1).max(100),
  /** Checked by the driver's own schema. */
  config: z.record(z.string(), z.unknown()).default({}),
  title: z.string().exactOptional(),
  /** Benches may share it; only for instruments that have no state that one bench could spoil for the other. */
  shared: z.boolean().default(false),
})

/** One bench of a node. */
export const benchEntrySchema = z.strictObject({
  title: z.string().exactOptional(),
  parts: z.record(identifierSchema, name),
  labs: z.array(name).exactOptional(),
  safeState: z.record(signalKeySchema, z.union([z.number(), z.boolean()])).default({}),
  limits: z.record(signalKeySchema, limitsSchema).exactOptional(),
})

/** The schema of node.yaml. */
export const nodeFileSchemaZod = z.strictObject({
  site: name.exactOptional(),
  node: name,
  hub: z.strictObject({
    url: z.string().regex(/^(mqtts?|wss?):\/\/\S+$|^in-process$/, 'must begin with mqtt://, mqtts://, ws:// or wss://'),
  }),
  instruments: z.record(name, instrumentEntrySchema),
  benches: z.record(name, benchEntrySchema).default({}),
})

/** node.yaml as data, defaults filled in. */
export type NodeFile = z.infer<typeof nodeFileSchemaZod>
export type InstrumentEntry = z.infer<typeof instrumentEntrySchema>
export type BenchEntry = z.infer<typeof benchEntrySchema>

/** Reads node.yaml; with issues there is no node. */
export function parseNodeFile(text: string, options: { file?: string } = {}): { node?: NodeFile; issues: Issue[] } {
  const { value, issues } = readFileAs(text, nodeFileSchemaZod, options)
  return value === undefined ? { issues } : { node: value, issues }
}
