/** Instruments that were added beside a node.yaml, as its node keeps them. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type AddedInstruments, addedInstrumentsSchema } from '@fernlab/shared/contracts/hardware-drafts'
import { checkSchema, pathText, readYaml } from '@fernlab/shared/contracts/yaml-file'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { addedFileName } from './equipment.ts'

/**
 * Those of the node that the file names, below the folder of all data; none where nothing was added, or where only the
 * node's own account may read it. Rejects with `settings-invalid` for a file that holds something else.
 */
export async function addedBeside(nodeFile: string, dataFolder: string | undefined): Promise<AddedInstruments> {
  const node = nodeName(await textOf(nodeFile))
  if (node === undefined || dataFolder === undefined) return {}
  const file = join(dataFolder, 'nodes', node, addedFileName)
  const text = await textOf(file)
  if (text === '') return {}
  const { value, findings } = checkSchema(parsed(text), addedInstrumentsSchema)
  if (value !== undefined) return value
  const [wrong] = findings
  const message = `${file}: ${wrong === undefined ? 'is wrong' : `${pathText(wrong.path)}: ${wrong.message}`}`
  throw new LabError({ code: 'settings-invalid', kind: 'configuration', message })
}

function nodeName(text: string): string | undefined {
  const data = readYaml(text).yaml?.data
  const name = typeof data === 'object' && data !== null && 'node' in data ? data.node : undefined
  return typeof name === 'string' && /^[a-z0-9][a-z0-9_-]*$/.test(name) ? name : undefined
}

/** JSON, or what it is instead. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text // which is no mapping, and is told as such
  }
}

const textOf = (file: string): Promise<string> =>
  readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (['ENOENT', 'ENOTDIR', 'EACCES'].includes(error.code ?? '')) return ''
    throw error
  })
