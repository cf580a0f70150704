/** Watches the room on the node's disk, so that runs stop before it is gone. */
import { statfs } from 'node:fs/promises'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import type { Log } from '@fernlab/shared/primitives/log'

export interface Disk {
  readonly freeBytes: number
  /** Why nothing new should be recorded; undefined while there is room. */
  readonly trouble: LabError | undefined
  /** Called when trouble begins and ends. */
  onTrouble(listener: (trouble: LabError | undefined) => void): void
  /** Looks now. */
  look(): Promise<void>
  close(): void
}

export interface WatchDiskOptions {
  readonly folder: string
  /** Below this there is trouble; above 1.25 times this it is over. */
  readonly leastFreeBytes: number
  readonly clock: Clock
  readonly log: Log
  readonly everyMs?: number
  /** Free bytes of the folder's file system. */
  readonly measure?: (folder: string) => Promise<number>
}

const EVERY_MS = 2000

/** Starts watching; the first look has been taken when it resolves. */
export async function watchDisk(options: WatchDiskOptions): Promise<Disk> {
  const { folder, leastFreeBytes, clock, log, everyMs = EVERY_MS, measure = freeBytesOf } = options
  const listeners: ((trouble: LabError | undefined) => void)[] = []
  let freeBytes = Number.POSITIVE_INFINITY
  let trouble: LabError | undefined
  let cancel: (() => void) | undefined
  let closed = false

  const look = async () => {
    freeBytes = await measure(folder)
    const full = freeBytes < leastFreeBytes * (trouble === undefined ? 1 : 1.25)
    if (full === (trouble !== undefined)) return
    trouble = full ? diskFull(folder, freeBytes, leastFreeBytes) : undefined
    if (trouble === undefined) log.info({ freeBytes }, 'the disk has room again')
    else log.error({ freeBytes }, trouble.message)
    for (const listener of listeners) listener(trouble)
  }

  const loop = () => {
    if (closed) return
    cancel = clock.after(everyMs, () => {
      look().then(loop, (error) => {
        log.warn({ error: String(error) }, 'the free space of the disk is unknown')
        loop()
      })
    })
  }
  await look()
  loop()
  return {
    get freeBytes() {
      return freeBytes
    },
    get trouble() {
      return trouble
    },
    onTrouble: (listener) => void listeners.push(listener),
    look,
    close: () => {
      closed = true
      cancel?.()
    },
  }
}

async function freeBytesOf(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder)
  return bavail * bsize
}

function diskFull(folder: string, free: number, least: number): LabError {
  const mb = (bytes: number) => `${Math.round(bytes / 1e6)} MB`
  return new LabError({
    code: 'disk-full',
    kind: 'configuration',
    retry: 'later',
    message: `the node's disk (${folder}) has ${mb(free)} free, less than the ${mb(least)} it needs; free some space`,
    studentMessage: "The bench's computer has no room left for results. The staff have been told.",
  })
}
