import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { builtInCheckKinds } from '@fernlab/edge/checks/check-kinds'
import { builtInDrivers } from '@fernlab/edge/drivers/drivers'
import { labFileSchema, nodeFileSchema, protocolFileSchema } from '@fernlab/shared/contracts/json-schema'
import { apiDocuments } from './api-documents.ts'

/** Writes every generated file to its path below `folder`: shared/schemas for editors, docs for who programs against a hub. */
export async function writeGenerated(folder: string): Promise<void> {
  const drivers = await Promise.all(
    builtInDrivers().map(async (driver) => ({ kind: driver.kind, config: await driver.editorSchema() })),
  )
  const files: Record<string, unknown> = {
    'shared/schemas/lab.json': labFileSchema(),
    'shared/schemas/node.json': nodeFileSchema(drivers, builtInCheckKinds()),
    'shared/schemas/protocol.json': protocolFileSchema(),
  }
  for (const [name, document] of Object.entries(await apiDocuments())) files[`docs/${name}`] = document
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), `${JSON.stringify(content, null, 2)}\n`)
  }
}
