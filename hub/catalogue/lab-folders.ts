/** Lab folders on disk. */
import { type FSWatcher, watch } from 'node:fs'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { isName } from '@fernlab/shared/primitives/ids'
import { asLabError, LabError } from '@fernlab/shared/primitives/lab-error'
import type { Log } from '@fernlab/shared/primitives/log'
import type { LabFiles } from './catalogue.ts'

export const mostFiles = 200
export const mostBytes = 20_000_000
const textual = /\.(ya?ml|md|txt)$/i
const settleMs = 150

/** Each folder below `path` that holds a lab.yaml, with its files; hidden ones are left out. */
export async function readLabFolders(path: string): Promise<{ id: string; files: LabFiles }[]> {
  const entries = await readdir(path, { withFileTypes: true })
  const labs: { id: string; files: LabFiles }[] = []
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (!entry.isDirectory() || !isName(entry.name)) continue
    const files = await readLabFolder(join(path, entry.name))
    if (files['lab.yaml'] !== undefined) labs.push({ id: entry.name, files })
  }
  return labs
}

async function readLabFolder(folder: string): Promise<LabFiles> {
  const files: Record<string, string | Uint8Array> = {}
  let bytes = 0
  const entries = await readdir(folder, { withFileTypes: true, recursive: true })
  for (const entry of entries) {
    const full = join(entry.parentPath, entry.name)
    const name = relative(folder, full).split(sep).join('/')
    if (!entry.isFile() || /(^|\/)\./.test(name)) continue
    bytes += (await stat(full)).size
    if (bytes > mostBytes || Object.keys(files).length >= mostFiles) {
      throw new LabError({
        code: 'lab-too-large',
        kind: 'configuration',
        message: `${folder} holds more than ${mostFiles} files or ${mostBytes / 1e6} MB`,
      })
    }
    const body = await readFile(full)
    files[name] = textual.test(name) ? body.toString('utf8') : new Uint8Array(body)
  }
  return files
}

/** Calls back, one call at a time, soon after anything below the folder changes; the returned function stops, after a call that goes on. */
export function watchLabFolders(options: {
  path: string
  clock: Clock
  log: Log
  onChange: () => Promise<void>
}): () => Promise<void> {
  const { path, clock, log, onChange } = options
  let cancel: (() => void) | undefined
  let working: Promise<void> = Promise.resolve()
  let watcher: FSWatcher | undefined
  const soon = () => {
    cancel?.()
    cancel = clock.after(settleMs, () => {
      working = working.then(onChange).catch((error: unknown) => {
        log.error(
          { code: asLabError(error).code, path },
          `labs could not be loaded again: ${asLabError(error).message}`,
        )
      })
    })
  }
  try {
    watcher = watch(path, { recursive: true }, soon)
    watcher.on('error', (error) => log.warn({ path, error: String(error) }, 'the labs folder is no longer watched'))
    watcher.unref()
  } catch (error) {
    log.warn({ path, error: String(error) }, 'the labs folder is not watched; restart to load changes')
  }
  return async () => {
    watcher?.close()
    cancel?.()
    await working
  }
}
