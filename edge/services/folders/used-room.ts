/**
 * How much of its quota a folder has used, and what of it is kept for files that are on their way.
 *
 * INVARIANTS: nothing is written before there was found to be room for it; what is kept free is nobody else's. Files count as
 * disks keep them, in blocks of 4 KiB, and folders one block, so that empty files are not without a bound.
 */
import { constants } from 'node:fs'
import { type FileHandle, lstat, open, readdir, unlink } from 'node:fs/promises'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { PART } from './file-path.ts'
import { folderError } from './folder-errors.ts'
import { type InsideFolder, nameIn } from './inside-folder.ts'

const BLOCK = 4096
/** The room that a folder takes. */
export const FOLDER_ROOM = BLOCK
/** How long a count holds: people may copy files without this service. */
const COUNT_MS = 60_000
/** A folder that takes long to be counted is counted as much more seldom. */
const COUNT_SHARE = 100

/** The room that a file takes, in bytes. */
export const roomOf = (bytes: number): number => Math.ceil(bytes / BLOCK) * BLOCK
/** The room that a file takes with its name. */
export const fileRoom = (bytes: number): number => BLOCK + roomOf(bytes)

export interface UsedRoom {
  readonly usedBytes: number
  /** Counts anew when that was long ago. */
  refresh(): Promise<void>
  /** Throws `quota-exceeded` unless there is room for so much more than was given back. */
  require(path: string, bytes: number, givenBack?: number): void
  add(bytes: number): void
  /** Keeps so much free; the function gives it back, once. */
  keep(bytes: number): () => void
}

export interface UsedRoomOptions {
  readonly inside: InsideFolder
  /** Undefined for a folder that is only read. */
  readonly quotaBytes: number | undefined
  readonly clock: Clock
}

/** Counts what is there; what was left half-written in a folder that may be written is removed. */
export async function createUsedRoom({ inside, quotaBytes, clock }: UsedRoomOptions): Promise<UsedRoom> {
  let usedBytes = 0
  let kept = 0
  let countAt = 0
  const count = async (sweeps: boolean) => {
    const from = clock.monotonic()
    usedBytes = await countIn(await inside.openFolder('', []), sweeps)
    countAt = clock.monotonic() + Math.max(COUNT_MS, COUNT_SHARE * (clock.monotonic() - from))
  }
  await count(quotaBytes !== undefined)
  return {
    get usedBytes() {
      return usedBytes
    },
    refresh: async () => {
      if (clock.monotonic() >= countAt) await count(false)
    },
    require: (path, bytes, givenBack = 0) => {
      if (quotaBytes === undefined) return
      const free = quotaBytes - usedBytes - kept + givenBack
      if (bytes <= free) return
      throw folderError(
        'quota-exceeded',
        `${path} takes ${bytes} bytes, and of the ${quotaBytes} bytes that the folder may have ${Math.max(0, free)} are free: remove something`,
        path,
      )
    },
    add: (bytes) => {
      usedBytes = Math.max(0, usedBytes + bytes)
    },
    keep: (bytes) => {
      kept += bytes
      let isKept = true
      return () => {
        if (isKept) kept -= bytes
        isKept = false
      }
    },
  }
}

/** What is in it takes so much room; closes it. */
export async function countIn(folder: FileHandle, sweeps: boolean): Promise<number> {
  let bytes = 0
  try {
    for (const name of await readdir(nameIn(folder, '.'))) {
      try {
        bytes += await countOne(folder, name, sweeps)
      } catch (thrown) {
        // Gone meanwhile, or a folder that may not be looked into, or a link that came in its place: it has no room of ours.
        if (!['ENOENT', 'EACCES', 'ELOOP', 'ENOTDIR'].includes((thrown as NodeJS.ErrnoException).code ?? ''))
          throw thrown
      }
    }
  } finally {
    await folder.close()
  }
  return bytes
}

async function countOne(folder: FileHandle, name: string, sweeps: boolean): Promise<number> {
  const at = nameIn(folder, name)
  const found = await lstat(at)
  if (found.isDirectory()) {
    return BLOCK + (await countIn(await open(at, constants.O_DIRECTORY | constants.O_NOFOLLOW), sweeps))
  }
  if (!name.startsWith(PART)) return fileRoom(found.size)
  // Its bytes are kept free as long as it is being written.
  if (sweeps) await unlink(at)
  return 0
}
