import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { builtInDrivers } from '@fernlab/edge/drivers/drivers'
import { labFileSchema, nodeFileSchema, protocolFileSchema } from '@fernlab/shared/contracts/json-schema'

/** Writes the JSON Schema of each file that a lab builder edits into `folder`: lab.json, node.json, protocol.json. */
export async function writeSchemas(folder: string): Promise<void> {
  const drivers = await Promise.all(
    builtInDrivers().map(async (driver) => ({ kind: driver.kind, config: await driver.editorSchema() })),
  )
  const schemas = { lab: labFileSchema(), node: nodeFileSchema(drivers), protocol: protocolFileSchema() }
  mkdirSync(folder, { recursive: true })
  for (const [name, schema] of Object.entries(schemas)) {
    writeFileSync(join(folder, `${name}.json`), `${JSON.stringify(schema, null, 2)}\n`)
  }
}
