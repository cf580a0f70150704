import * as z from 'zod'
import { labFileSchemaZod } from './lab-file.ts'
import { nodeFileSchemaZod } from './node-file.ts'
import { protocolFileSchemaZod } from './protocol-file.ts'

type JsonSchema = Record<string, unknown>

/** JSON Schema of lab.yaml, so that editors complete it. */
export const labFileSchema = (): JsonSchema => toSchema(labFileSchemaZod, 'lab.yaml')

/** JSON Schema of node.yaml. */
export const nodeFileSchema = (): JsonSchema => toSchema(nodeFileSchemaZod, 'node.yaml')

/** JSON Schema of a protocol file. */
export const protocolFileSchema = (): JsonSchema => toSchema(protocolFileSchemaZod(), 'protocol file')

function toSchema(schema: z.ZodType, title: string): JsonSchema {
  return { title, ...z.toJSONSchema(schema, { io: 'input' }) }
}
