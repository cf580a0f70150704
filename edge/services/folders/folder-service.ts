/**
 * A folder of files as a service: what its contract says, in a process of a daemon.
 *
 * INVARIANTS: what changes something is done one after another, so that the quota is asked and used as one; reading waits for
 * nobody.
 */
import { type FileHandle, lstat, mkdir, readdir, rename, rmdir, unlink } from 'node:fs/promises'
import { type folderContract, MOST_WHOLE_BYTES } from '@fernlab/shared/contracts/folder-service'
import type { Clock } from '@fernlab/shared/primitives/clock'
import type { ArgumentsOf, ValueOf } from '@fernlab/shared/rpc/contract/value-spec'
import { namesOf, PART } from './file-path.ts'
import { type Entry, entryOf, readFully } from './folder-entry.ts'
import { folderError, systemError } from './folder-errors.ts'
import { type InsideFolder, nameIn, openInside } from './inside-folder.ts'
import { removeTree } from './remove-tree.ts'
import { createUploads, type Uploads } from './uploads.ts'
import { createUsedRoom, FOLDER_ROOM, fileRoom, type UsedRoom } from './used-room.ts'
import { openPart, replaced } from './write-file.ts'

type Actions = typeof folderContract.actions
type Given<Action extends keyof Actions> = Required<ArgumentsOf<Actions[Action]['arguments']>>
type Changed = ValueOf<(typeof folderContract)['events']['changed']['value']>

const CHUNK_BYTES = 256 * 1024

export interface FolderServiceOptions {
  /** Absolute. */
  readonly place: string
  /** Undefined for a folder that is only read. */
  readonly quotaBytes: number | undefined
  readonly clock: Clock
  readonly emit: (changed: Changed) => void
  /** Told what went wrong where nobody waits. */
  readonly onError: (thrown: unknown) => void
}

/** Opens the folder; rejects with `own-service-wrong` where there is none. */
export async function openFolderService(options: FolderServiceOptions): Promise<FolderService> {
  const { place, quotaBytes, clock, onError } = options
  const inside = await openInside(place)
  try {
    const room = await createUsedRoom({ inside, quotaBytes, clock })
    return new FolderService({ ...options, inside, room, uploads: createUploads(clock, onError) })
  } catch (thrown) {
    await inside.close()
    throw thrown
  }
}

interface Parts extends FolderServiceOptions {
  readonly inside: InsideFolder
  readonly room: UsedRoom
  readonly uploads: Uploads
}

/** Its members are the actions and signals of {@link folderContract}. */
export class FolderService {
  readonly #parts: Parts
  #last: Promise<unknown> = Promise.resolve()

  constructor(parts: Parts) {
    this.#parts = parts
  }

  get used_bytes(): number {
    return this.#parts.room.usedBytes
  }

  get quota_bytes(): number {
    return this.#parts.quotaBytes ?? 0
  }

  async list({ path, after, most }: Given<'list'>): Promise<ValueOf<Actions['list']['result']>> {
    const { inside } = this.#parts
    const folder = await inside.openFolder(path, await inside.resolve(path, namesOf(path)))
    try {
      const names = (await readdir(nameIn(folder, '.'))).filter((name) => name > after && !name.startsWith(PART)).sort()
      const entries: Entry[] = []
      for (const name of names.slice(0, most)) {
        const found = await entryOf(folder, name).catch((thrown: NodeJS.ErrnoException) => {
          // Removed meanwhile.
          if (thrown.code !== 'ENOENT') throw thrown
        })
        if (found !== undefined) entries.push(found)
      }
      const last = names[most - 1]
      return names.length > most && last !== undefined ? { entries, next: last } : { entries }
    } catch (thrown) {
      throw systemError(path, thrown)
    } finally {
      await folder.close()
    }
  }

  async stat({ path }: Given<'stat'>): Promise<Entry> {
    const { inside } = this.#parts
    const real = await inside.resolve(path, namesOf(path))
    const entry = await inside.within(path, real, entryOf)
    return { ...entry, name: path.split('/').at(-1) ?? '' }
  }

  async get({ path }: Given<'get'>): Promise<Uint8Array> {
    const file = await this.#openFile(path)
    try {
      const { size } = await file.stat()
      if (size > MOST_WHOLE_BYTES) throw tooLarge(path, size, 'get it by chunks')
      const data = new Uint8Array(size)
      const read = await readFully(file, data, 0)
      return data.subarray(0, read)
    } catch (thrown) {
      throw systemError(path, thrown)
    } finally {
      await file.close()
    }
  }

  async *chunks({ path, offset }: Given<'chunks'>): AsyncGenerator<Uint8Array> {
    const file = await this.#openFile(path)
    try {
      for (let at = offset; ; ) {
        const data = new Uint8Array(CHUNK_BYTES)
        const read = await readFully(file, data, at)
        if (read > 0) yield data.slice(0, read)
        if (read < CHUNK_BYTES) return
        at += read
      }
    } catch (thrown) {
      throw systemError(path, thrown)
    } finally {
      await file.close()
    }
  }

  put({ path, data, overwrite }: Given<'put'>): Promise<Entry> {
    if (data.length > MOST_WHOLE_BYTES) throw tooLarge(path, data.length, 'send it by begin_upload')
    return this.#change(path, async (real) => {
      const { inside, room } = this.#parts
      const entry = await inside.within(path, real, async (folder, name) => {
        const old = await replaced(folder, name, path, overwrite)
        room.require(path, fileRoom(data.length), old === undefined ? 0 : fileRoom(old.size))
        const part = await openPart({ folder, name, path, overwrite })
        try {
          await part.file.writeFile(data)
        } catch (thrown) {
          await part.drop()
          throw thrown
        }
        await part.finish(() => {})
        room.add(fileRoom(data.length) - (old === undefined ? 0 : fileRoom(old.size)))
        return await entryOf(folder, name)
      })
      this.#tell(path, 'written')
      return entry
    })
  }

  begin_upload({ path, bytes, overwrite }: Given<'begin_upload'>): Promise<string> {
    return this.#change(path, async (real) => {
      const { inside, room, uploads } = this.#parts
      const name = real.at(-1) ?? '.'
      uploads.requireOne(path)
      const folder = await inside.openFolder(path, real.slice(0, -1))
      try {
        const old = await replaced(folder, name, path, overwrite)
        room.require(path, fileRoom(bytes), old === undefined ? 0 : fileRoom(old.size))
        const part = await openPart({ folder, name, path, overwrite })
        const release = room.keep(fileRoom(bytes))
        return uploads.begin({ path, bytes, part, release, closeFolder: () => folder.close() })
      } catch (thrown) {
        await folder.close()
        throw systemError(path, thrown)
      }
    })
  }

  async upload({ upload, offset, data }: Given<'upload'>): Promise<void> {
    await this.#parts.uploads.write(upload, offset, data)
  }

  finish_upload({ upload }: Given<'finish_upload'>): Promise<Entry> {
    return this.#inTurn(async () => {
      const { room, uploads } = this.#parts
      const { path, bytes, part, release, closeFolder } = uploads.take(upload)
      try {
        const { size, mtimeMs } = await part.file.stat()
        release()
        let given = 0
        await part.finish((old) => {
          given = old === undefined ? 0 : fileRoom(old)
          // What it was to take the place of may have gone meanwhile.
          room.require(path, fileRoom(bytes), given)
        })
        room.add(fileRoom(bytes) - given)
        this.#tell(path, 'written')
        return { name: path.split('/').at(-1) ?? '', kind: 'file', bytes: size, modified: mtimeMs / 1000 }
      } catch (thrown) {
        throw systemError(path, thrown)
      } finally {
        await closeFolder()
      }
    })
  }

  async drop_upload({ upload }: Given<'drop_upload'>): Promise<void> {
    await this.#parts.uploads.drop(upload)
  }

  make_folder({ path }: Given<'make_folder'>): Promise<void> {
    return this.#inTurn(async () => {
      const { inside, room } = this.#parts
      const names = namesOf(path)
      await room.refresh()
      for (let depth = 1; depth <= names.length; depth++) {
        const above = names.slice(0, depth)
        const isMade = await inside.within(path, await inside.resolve(path, above), async (folder, name) => {
          const found = await lstat(nameIn(folder, name)).catch(() => undefined)
          if (found?.isDirectory()) return false
          if (found !== undefined)
            throw folderError('file-exists', `${above.join('/')} is there already, and is no folder`, path)
          room.require(path, FOLDER_ROOM)
          await mkdir(nameIn(folder, name), { mode: 0o770 })
          await folder.sync()
          return true
        })
        if (!isMade) continue
        room.add(FOLDER_ROOM)
        this.#tell(above.join('/'), 'made')
      }
    })
  }

  move({ from, to, overwrite }: Given<'move'>): Promise<void> {
    return this.#inTurn(async () => {
      const { inside, room } = this.#parts
      const [source, target] = [entryNames(from), entryNames(to)]
      const [realFrom, realTo] = [await inside.resolveParent(from, source), await inside.resolveParent(to, target)]
      await inside.within(from, realFrom, async (folder, name) => {
        const moved = await lstat(nameIn(folder, name))
        if (!moved.isFile() && !moved.isDirectory() && !moved.isSymbolicLink())
          throw folderError('not-a-file', `${from} is neither file nor folder`, from)
        await inside.within(to, realTo, async (targetFolder, targetName) => {
          const old = await replaced(targetFolder, targetName, to, overwrite)
          if (old?.ino === moved.ino) return
          if (old !== undefined && !moved.isFile())
            throw folderError('file-exists', `${to} is a file, and only a file takes its place`, to)
          await rename(nameIn(folder, name), nameIn(targetFolder, targetName))
          await Promise.all([folder.sync(), targetFolder.sync()])
          if (old !== undefined) room.add(-fileRoom(old.size))
        })
      })
      this.#tell(from, 'removed')
      this.#tell(to, 'moved')
    })
  }

  remove({ path, recursive }: Given<'remove'>): Promise<void> {
    return this.#inTurn(async () => {
      const { inside, room } = this.#parts
      const real = await inside.resolveParent(path, entryNames(path))
      await inside.within(path, real, async (folder, name) => {
        const found = await lstat(nameIn(folder, name))
        if (!found.isDirectory()) {
          await unlink(nameIn(folder, name))
          room.add(-fileRoom(found.size))
        } else if (recursive) await removeTree(folder, name, (bytes) => room.add(-bytes))
        else {
          await rmdir(nameIn(folder, name))
          room.add(-FOLDER_ROOM)
        }
        await folder.sync()
      })
      this.#tell(path, 'removed')
    })
  }

  /** Ends uploads, and what is being written before. */
  async close(): Promise<void> {
    await this.#last
    await this.#parts.uploads.close()
    await this.#parts.inside.close()
  }

  async #openFile(path: string): Promise<FileHandle> {
    const { inside } = this.#parts
    return await inside.openFile(path, await inside.resolve(path, entryNames(path)))
  }

  #tell(path: string, change: Changed['change']): void {
    this.#parts.emit({ path, change })
  }

  #change<T>(path: string, work: (real: readonly string[]) => Promise<T>): Promise<T> {
    const names = entryNames(path)
    return this.#inTurn(async () => {
      const { inside, room } = this.#parts
      await room.refresh()
      return await work(await inside.resolve(path, names))
    })
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work)
    this.#last = done.catch(() => {})
    return done
  }
}

/** The names of something in the folder, which the folder itself is not. */
function entryNames(path: string): string[] {
  const names = namesOf(path)
  if (names.length === 0)
    throw folderError('path-invalid', 'the path is empty, and the folder itself is not meant', path)
  return names
}

const tooLarge = (path: string, bytes: number, instead: string) =>
  folderError(
    'file-too-large',
    `${path} has ${bytes} bytes, and ${MOST_WHOLE_BYTES} at most go at once: ${instead}`,
    path,
  )
