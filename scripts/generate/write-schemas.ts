import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { labFileSchema, nodeFileSchema, protocolFileSchema } from '@fernlab/shared/contracts/json-schema'

const schemas = { lab: labFileSchema, node: nodeFileSchema, protocol: protocolFileSchema }

/** Writes the JSON Schema of each file that a lab builder edits into `folder`: lab.json, node.json, protocol.json. */
export function writeSchemas(folder: string): void {
  mkdirSync(folder, { recursive: true })
  for (const [name, schema] of Object.entries(schemas)) {
    writeFileSync(join(folder, `${name}.json`), `${JSON.stringify(schema(), null, 2)}\n`)
  }
}
