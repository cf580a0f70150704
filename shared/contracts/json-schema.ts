import * as z from 'zod'
import { labFileSchemaZod } from './lab-file.ts'
import { type KindSchema, nodeFileSchemaWith } from './node-file.ts'
import { protocolFileSchemaZod } from './protocol-file.ts'

type JsonSchema = Record<string, unknown>

/** JSON Schema of lab.yaml, so that editors complete it. */
export const labFileSchema = (): JsonSchema => toSchema('lab', 'lab.yaml', labFileSchemaZod())

/** JSON Schema of node.yaml, with what these drivers and kinds of checks want of `config`. */
export const nodeFileSchema = (drivers: readonly KindSchema[], checkKinds: readonly KindSchema[]): JsonSchema =>
  toSchema('node', 'node.yaml', nodeFileSchemaWith(drivers, checkKinds))

/** JSON Schema of a protocol file. */
export const protocolFileSchema = (): JsonSchema => toSchema('protocol', 'protocol file', protocolFileSchemaZod())

/** The `$id` names the schema for good, wherever its text is kept; nobody has `.example`, so nothing is fetched. */
function toSchema(name: string, title: string, schema: z.ZodType): JsonSchema {
  const { $schema, ...rest } = z.toJSONSchema(schema, { io: 'input' })
  return { $schema, $id: `https://fernlab.example/schemas/${name}.json`, title, ...rest }
}
