/** What the services of a daemon are made of: a lab builder's files, and folders that are shared. */
import { createHash } from 'node:crypto'
import { readFile, realpath, rename, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { type DaemonEntry, DEFAULT_QUOTA_MB, type OwnServiceEntry } from '@fernlab/shared/contracts/own-services'
import { asLabError, LabError } from '@fernlab/shared/primitives/lab-error'
import { requireTrusted } from '../../drivers/own/trusted.ts'
import type { ServiceToLoad } from './host-messages.ts'

export interface NodeFolders {
  /** That of node.yaml. */
  readonly configFolder: string
  readonly dataFolder: string
}

/** The folder that a service has of its own. */
export const serviceFolder = (dataFolder: string, service: string): string => join(dataFolder, 'services', service)

type OwnServices = readonly (readonly [string, OwnServiceEntry])[]

/** Services that have another name, and are else as before: the old name and the new. */
export function renamedIn(before: OwnServices, now: OwnServices): [from: string, to: string][] {
  const names = (entries: OwnServices) => new Set(entries.map(([name]) => name))
  const [old, fresh] = [names(before), names(now)]
  const gone = before.filter(([name]) => !fresh.has(name))
  return now.flatMap(([to, entry]): [string, string][] => {
    if (old.has(to)) return []
    const same = gone.filter(([, one]) => JSON.stringify(one) === JSON.stringify(entry))
    const [from] = same[0] ?? []
    return from === undefined || same.length > 1 ? [] : [[from, to]]
  })
}

/**
 * What is in the folders of renamed services goes by their new names too, unless something is there already. Where one
 * can not be moved, it rejects, and none is.
 */
export async function keepFolders(renamed: readonly (readonly [string, string])[], dataFolder: string): Promise<void> {
  const moved: [string, string][] = []
  for (const names of renamed) {
    const [from, to] = names.map((name) => serviceFolder(dataFolder, name)) as [string, string]
    try {
      await rename(from, to)
      moved.push([from, to])
    } catch (thrown) {
      if (['ENOENT', 'ENOTEMPTY', 'EEXIST'].includes((thrown as NodeJS.ErrnoException).code ?? '')) continue
      for (const [old, now] of moved) await rename(now, old)
      throw thrown
    }
  }
}

const BYTES_A_MB = 1_000_000

/** Throws why it can't be used, before anything of it runs. */
export async function requireSource(
  { file, folder, write, quotaMB = DEFAULT_QUOTA_MB }: OwnServiceEntry,
  folders: NodeFolders,
): Promise<Pick<ServiceToLoad, 'file' | 'shared'>> {
  if (folder !== undefined) {
    await requireSharable(folder, folders)
    return { file: folder, shared: write === true ? { quotaBytes: quotaMB * BYTES_A_MB } : {} }
  }
  const { configFolder } = folders
  const path = resolve(configFolder, file ?? '')
  const isFile = await stat(path).then(
    (found) => found.isFile(),
    () => false,
  )
  if (file === undefined || !isFile) throw unusable(`there is no file ${file} (looked for at ${path})`)
  await requireTrusted([path], { root: dirname(path), configFolder, code: 'own-service-writable' })
  return { file }
}

/** Also by links that lead there: what is in node.yaml and in the data is no client's. */
async function requireSharable(folder: string, { configFolder, dataFolder }: NodeFolders): Promise<void> {
  const path = resolve(configFolder, folder)
  const real = await realpath(path).catch((cause: unknown) => {
    throw unusable(`there is no folder ${folder}: make it (mkdir ${path}), then fernlab daemon reload`, cause)
  })
  if (!(await stat(real)).isDirectory()) throw unusable(`${folder} is no folder`)
  const [config, data] = await Promise.all([realpath(configFolder), realpath(dataFolder)])
  if (isIn(config, real)) throw unusable(`${folder} leads to the folder of node.yaml, which is nobody else's`)
  if (isIn(data, real) || isIn(real, data)) throw unusable(`${folder} leads to the node's data, which is nobody else's`)
}

const isIn = (path: string, folder: string): boolean =>
  path === folder || path.startsWith(folder === '/' ? '/' : `${folder}/`)

/**
 * What a daemon's process is made of, as one text: what its entry and those of its services give it, what their files hold,
 * and why one can't be used. What only people and directories read of them is no part of it.
 */
export async function printOf(entry: DaemonEntry, own: OwnServices, folders: NodeFolders): Promise<string> {
  const { autostart: _, ...given } = entry
  const made = own.map(([name, { file, folder, write, quotaMB, daemon, instances, parameters }]) => {
    return [name, { file, folder, write, quotaMB, daemon, instances, parameters }]
  })
  const hash = createHash('sha256').update(JSON.stringify([given, made]))
  const said = (thrown: unknown) => asLabError(thrown).message
  const { configFolder } = folders
  for (const [, one] of own) {
    const { file, folder } = one
    const why = await requireSource(one, folders).then(() => '', said)
    hash.update(why)
    if (file !== undefined) hash.update(await contentOf(resolve(configFolder, file)).catch(said))
    // One that was made since is there now.
    if (folder !== undefined) hash.update(await realpath(resolve(configFolder, folder)).catch(said))
  }
  return hash.digest('hex')
}

/** What is no file would be read for ever. */
async function contentOf(path: string): Promise<Buffer | string> {
  return (await stat(path)).isFile() ? await readFile(path) : 'no file'
}

const unusable = (message: string, cause?: unknown): LabError =>
  new LabError({
    code: 'own-service-wrong',
    kind: 'configuration',
    message,
    ...(cause === undefined ? {} : { cause }),
  })
