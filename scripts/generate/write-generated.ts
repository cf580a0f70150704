import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { builtInCheckKinds } from '@fernlab/edge/checks/check-kinds'
import { builtInDrivers } from '@fernlab/edge/drivers/drivers'
import { labFileSchema, nodeFileSchema, protocolFileSchema } from '@fernlab/shared/contracts/json-schema'
import { commandsGuide } from 'fernlab/cli/commands-guide'
import { apiDocuments } from './api-documents.ts'
import { errorsGuide } from './errors-guide.ts'

/** Writes every generated file to its path below `folder`: shared/schemas for editors, docs for who programs against a hub or types commands. */
export async function writeGenerated(folder: string): Promise<void> {
  const drivers = await Promise.all(
    builtInDrivers().map(async (driver) => ({ kind: driver.kind, config: await driver.editorSchema() })),
  )
  const files: Record<string, unknown> = {
    'shared/schemas/lab.json': labFileSchema(),
    'shared/schemas/node.json': nodeFileSchema(drivers, builtInCheckKinds()),
    'shared/schemas/protocol.json': protocolFileSchema(),
    'docs/commands.md': commandsGuide(),
    'docs/errors.md': errorsGuide(),
  }
  for (const [name, document] of Object.entries(await apiDocuments())) files[`docs/${name}`] = document
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    const text = typeof content === 'string' ? content : `${JSON.stringify(content, null, 2)}\n`
    writeFileSync(join(folder, path), text)
  }
}
