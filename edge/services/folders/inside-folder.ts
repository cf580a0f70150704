/**
 * Reaches what is in a folder, and nothing else.
 *
 * INVARIANTS: a path is walked name by name from a descriptor of the folder, and no link is followed on that walk; links are
 * resolved before it, and must lead to what is inside. Whoever puts a link in the place of a folder meanwhile gets an error.
 * Only files and folders are opened: opening a device or a pipe may have an effect by itself.
 */
import { constants } from 'node:fs'
import { type FileHandle, lstat, open, readlink, realpath } from 'node:fs/promises'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { folderError, systemError } from './folder-errors.ts'

const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK } = constants
const OPEN_FOLDER = O_RDONLY | O_DIRECTORY | O_NOFOLLOW
/** It must not wait for the other end, should a pipe have come to that name. */
const OPEN_FILE = O_RDONLY | O_NOFOLLOW | O_NONBLOCK

/** A name in a folder that is open, as the system takes it: what is done with it can't lead elsewhere. */
export const nameIn = (folder: FileHandle, name: string): string => `/proc/self/fd/${folder.fd}/${name}`

export interface InsideFolder {
  /** The names of what a path leads to when the links on its way are followed; the last name may be of nothing yet. */
  resolve(path: string, names: readonly string[]): Promise<string[]>
  /** The same, but a link at the end is itself meant. */
  resolveParent(path: string, names: readonly string[]): Promise<string[]>
  /** Does the work with the folder that the last of these names is in; errors of the system become typed ones. */
  within<T>(path: string, names: readonly string[], work: (folder: FileHandle, name: string) => Promise<T>): Promise<T>
  /** The folder of these names, which the caller closes. */
  openFolder(path: string, names: readonly string[]): Promise<FileHandle>
  /** The file of these names, which the caller closes; throws `not-a-file` for all else. */
  openFile(path: string, names: readonly string[]): Promise<FileHandle>
  close(): Promise<void>
}

/** Rejects with `own-service-wrong` where there is no such folder, or no Linux. */
export async function openInside(place: string): Promise<InsideFolder> {
  const root = await open(place, O_RDONLY | O_DIRECTORY).catch((cause: unknown) => {
    throw unusable(`there is no folder ${place}: make it, or name another`, cause)
  })
  const rootPath = await readlink(`/proc/self/fd/${root.fd}`).catch(async (cause: unknown) => {
    await root.close()
    throw unusable('a folder as a service needs Linux, for its /proc', cause)
  })
  const base = rootPath === '/' ? '' : rootPath

  const insideOf = (path: string, real: string): string[] => {
    if (real === rootPath) return []
    if (!real.startsWith(`${base}/`)) throw folderError('outside-folder', `${path} leads out of the folder`, path)
    return real.slice(base.length + 1).split('/')
  }
  const real = (path: string, names: readonly string[]) =>
    realpath(nameIn(root, names.join('/'))).then(
      (found) => insideOf(path, found),
      (thrown: unknown) => {
        throw systemError(path, thrown)
      },
    )
  const resolveParent = async (path: string, names: readonly string[]) => {
    const last = names.at(-1)
    return last === undefined ? [] : [...(await real(path, names.slice(0, -1))), last]
  }
  const inside: InsideFolder = {
    resolveParent,
    resolve: async (path, names) => {
      try {
        return await real(path, names)
      } catch (thrown) {
        if (!(thrown instanceof LabError) || thrown.code !== 'no-such-file') throw thrown
        return await resolveParent(path, names)
      }
    },
    within: async (path, names, work) => {
      let folder = root
      try {
        for (const name of names.slice(0, -1)) {
          const next = await open(nameIn(folder, name), OPEN_FOLDER)
          if (folder !== root) await folder.close()
          folder = next
        }
        return await work(folder, names.at(-1) ?? '.')
      } catch (thrown) {
        throw systemError(path, thrown)
      } finally {
        if (folder !== root) await folder.close()
      }
    },
    openFolder: (path, names) =>
      inside.within(path, names, async (folder, name) => await open(nameIn(folder, name), OPEN_FOLDER)),
    openFile: (path, names) => inside.within(path, names, async (folder, name) => await openPlain(folder, name, path)),
    close: () => root.close(),
  }
  return inside
}

async function openPlain(folder: FileHandle, name: string, path: string): Promise<FileHandle> {
  const notAFile = () => folderError('not-a-file', `${path || 'the folder'} is no file`, path)
  if (!(await lstat(nameIn(folder, name))).isFile()) throw notAFile()
  const file = await open(nameIn(folder, name), OPEN_FILE)
  if ((await file.stat()).isFile()) return file
  await file.close()
  throw notAFile()
}

const unusable = (message: string, cause: unknown): LabError =>
  new LabError({ code: 'own-service-wrong', kind: 'configuration', message, cause })
