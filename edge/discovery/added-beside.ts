/** Instruments that were added beside a node.yaml, as its node keeps them. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { AddedInstruments } from '@fernlab/shared/contracts/hardware-drafts'
import { readYaml } from '@fernlab/shared/contracts/yaml-file'
import { silentLog } from '@fernlab/shared/primitives/log'
import { openAddedFile } from './equipment.ts'

/**
 * Those of the node that the file names, below the folder of all data; none where nothing was added, or where only the
 * node's own account may read it. Rejects with `settings-invalid` for a file that holds something else.
 */
export async function addedBeside(nodeFile: string, dataFolder: string | undefined): Promise<AddedInstruments> {
  const folder = await nodeFolderOf(nodeFile, dataFolder)
  if (folder === undefined) return {}
  try {
    return (await openAddedFile(folder, silentLog)).data
  } catch (error) {
    if (isNotForUs(error)) return {}
    throw error
  }
}

/** Where the node that the file names keeps what it knows, below the folder of all data; undefined where it names none. */
export async function nodeFolderOf(nodeFile: string, dataFolder: string | undefined): Promise<string | undefined> {
  const node = nodeName(await textOf(nodeFile))
  return node === undefined || dataFolder === undefined ? undefined : join(dataFolder, 'nodes', node)
}

function nodeName(text: string): string | undefined {
  const data = readYaml(text).yaml?.data
  const name = typeof data === 'object' && data !== null && 'node' in data ? data.node : undefined
  return typeof name === 'string' && /^[a-z0-9][a-z0-9_-]*$/.test(name) ? name : undefined
}

const textOf = (file: string): Promise<string> =>
  readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || isNotForUs(error)) return ''
    throw error
  })

const isNotForUs = (error: unknown): boolean =>
  ['ENOTDIR', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? '')
