/** Instruments that a node could not make as it last started, for `fernlab doctor`, which does not run their drivers. */
import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { asLabError } from '@fernlab/shared/primitives/lab-error'
import * as z from 'zod'
import { nodeFolderOf } from './added-beside.ts'
import type { Finding } from './find.ts'

const fileName = 'out-of-use.json'
const fileSchema = z.record(z.string(), z.string())

/** Writes them with the reasons into the node's data folder; none: there is no such file. */
export async function noteOutOfUse(dataFolder: string, outOfUse: ReadonlyMap<string, string>): Promise<void> {
  const file = join(dataFolder, fileName)
  if (outOfUse.size === 0) return await rm(file, { force: true })
  await writeFile(file, `${JSON.stringify(Object.fromEntries(outOfUse), undefined, 2)}\n`, { mode: 0o600 })
}

/** Those of the node that the file names, as it last started, by name; none where only the node's account may know. */
export async function outOfUseBeside(
  nodeFile: string,
  dataFolder: string | undefined,
): Promise<{ readonly outOfUse: ReadonlyMap<string, string>; readonly trouble?: string }> {
  const none = { outOfUse: new Map<string, string>() }
  const folder = await nodeFolderOf(nodeFile, dataFolder)
  if (folder === undefined) return none
  try {
    const said = fileSchema.parse(JSON.parse(await readFile(join(folder, fileName), 'utf8')))
    return { outOfUse: new Map(Object.entries(said)) }
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EACCES') return none
    return { ...none, trouble: `${join(folder, fileName)} can not be read: ${asLabError(thrown).message}` }
  }
}

/** As a person sees them. */
export const outOfUseFindings = (outOfUse: ReadonlyMap<string, string>): Finding[] =>
  [...outOfUse].map(([name, detail]) => ({ group: 'Node', what: `instrument ${name}`, verdict: 'broken', detail }))
