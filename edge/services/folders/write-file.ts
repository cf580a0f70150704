/**
 * Writes a file whole: beside its place, to the disk, and then in its place.
 *
 * INVARIANTS: whoever reads it, and whoever finds it after a power cut, has the old one or the new one.
 */
import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { type FileHandle, lstat, open, rename, unlink } from 'node:fs/promises'
import { PART } from './file-path.ts'
import { folderError } from './folder-errors.ts'
import { nameIn } from './inside-folder.ts'

const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants
/** For the node's account and its group. */
const MODE = 0o660

/** A file that is on its way; its folder stays open until it is there or not wanted. */
export interface PartFile {
  readonly file: FileHandle
  /** Gives it its name; `require` is asked with what is in its place, right before. Ends it also where it throws. */
  finish(require: (old: number | undefined) => void): Promise<void>
  drop(): Promise<void>
}

export interface Target {
  /** It must stay open. */
  readonly folder: FileHandle
  readonly name: string
  readonly path: string
  readonly overwrite: boolean
}

export async function openPart({ folder, name, path, overwrite }: Target): Promise<PartFile> {
  const part = nameIn(folder, `${PART}${randomBytes(12).toString('hex')}`)
  const file = await open(part, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, MODE)
  const drop = async () => {
    await file.close()
    await unlink(part).catch((thrown: NodeJS.ErrnoException) => {
      // With the folder that it was in.
      if (thrown.code !== 'ENOENT') throw thrown
    })
  }
  return {
    file,
    drop,
    finish: async (require) => {
      try {
        const old = await replaced(folder, name, path, overwrite)
        require(old?.size)
        if (old !== undefined) await file.chmod(old.mode & 0o777)
        await file.sync()
        await rename(part, nameIn(folder, name))
        await folder.sync()
        await file.close()
      } catch (thrown) {
        await drop()
        throw thrown
      }
    },
  }
}

/** What a file at that place would take the place of; throws where it may not. */
export async function replaced(
  folder: FileHandle,
  name: string,
  path: string,
  overwrite: boolean,
): Promise<{ readonly size: number; readonly mode: number; readonly ino: number } | undefined> {
  const old = await lstat(nameIn(folder, name)).catch((thrown: NodeJS.ErrnoException) => {
    if (thrown.code === 'ENOENT') return undefined
    throw thrown
  })
  if (old === undefined) return undefined
  if (!old.isFile()) throw folderError('not-a-file', `${path} is no file, and nothing takes its place`, path)
  if (overwrite) return old
  throw folderError('file-exists', `there is ${path} already: overwrite takes its place`, path)
}
