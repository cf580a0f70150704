/**
 * Files that come piece by piece.
 *
 * INVARIANTS: the room of each is kept free from its beginning to its end; one that nothing is heard of ends by itself, and
 * leaves nothing behind.
 */
import { randomBytes } from 'node:crypto'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { folderError, systemError } from './folder-errors.ts'
import type { PartFile } from './write-file.ts'

const MOST = 32
const IDLE_MS = 10 * 60_000

export interface Upload {
  readonly path: string
  readonly bytes: number
  readonly part: PartFile
  /** Its room is others' again. */
  readonly release: () => void
  /** Closes the folder that it goes to. */
  readonly closeFolder: () => Promise<void>
}

export interface Uploads {
  /** Throws `too-many-uploads`. */
  requireOne(path: string): void
  begin(upload: Upload): string
  write(id: string, offset: number, data: Uint8Array): Promise<void>
  /** The upload, whose bytes have all come, for its end; it is under way no more. */
  take(id: string): Upload
  drop(id: string): Promise<void>
  close(): Promise<void>
}

interface UnderWay {
  readonly upload: Upload
  received: number
  /** Pieces of one are written one after another. */
  last: Promise<unknown>
  cancel: () => void
}

/** `onError` is told what could not be cleared away when one ended by itself. */
export function createUploads(clock: Clock, onError: (thrown: unknown) => void): Uploads {
  const all = new Map<string, UnderWay>()
  const known = (id: string): UnderWay => {
    const found = all.get(id)
    if (found !== undefined) return found
    const message = `there is no such upload: it is finished, was dropped, or nothing of it came for ${IDLE_MS / 60_000} minutes`
    throw folderError('no-such-upload', message, '')
  }
  const drop = async (id: string) => {
    const found = all.get(id)
    if (found === undefined) return
    all.delete(id)
    found.cancel()
    await found.last
    const { part, release, closeFolder } = found.upload
    release()
    await part.drop().finally(closeFolder)
  }
  const watch = (id: string) => clock.after(IDLE_MS, () => void drop(id).catch(onError))

  return {
    requireOne: (path) => {
      if (all.size >= MOST)
        throw folderError('too-many-uploads', `${MOST} uploads are under way already: finish or drop one`, path)
    },
    begin: (upload) => {
      const id = randomBytes(16).toString('hex')
      all.set(id, { upload, received: 0, last: Promise.resolve(), cancel: watch(id) })
      return id
    },
    write: async (id, offset, data) => {
      const found = known(id)
      const { path, bytes, part } = found.upload
      found.cancel()
      found.cancel = watch(id)
      const written = found.last.then(async () => {
        const { received } = found
        if (offset > received)
          throw folderError(
            'upload-gap',
            `${path}: ${received} bytes have come, and this piece begins at ${offset}`,
            path,
          )
        if (offset + data.length > bytes)
          throw folderError('upload-too-long', `${path} was to have ${bytes} bytes, and this piece goes beyond`, path)
        for (let done = 0; done < data.length; ) {
          done += (await part.file.write(data, done, data.length - done, offset + done)).bytesWritten
        }
        found.received = Math.max(received, offset + data.length)
      })
      found.last = written.catch(() => {})
      await written.catch((thrown: unknown) => {
        throw systemError(found.upload.path, thrown)
      })
    },
    take: (id) => {
      const { upload, received, cancel } = known(id)
      if (received < upload.bytes) {
        const message = `${upload.path}: ${received} of ${upload.bytes} bytes have come`
        throw folderError('upload-incomplete', message, upload.path)
      }
      cancel()
      all.delete(id)
      return upload
    },
    drop,
    close: async () => {
      await Promise.all([...all.keys()].map((id) => drop(id)))
    },
  }
}
