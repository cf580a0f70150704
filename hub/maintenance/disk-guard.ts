/** A full disk refuses new runs and keeps everything else going. */
import { statfs } from 'node:fs/promises'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { asLabError, LabError } from '@fernlab/shared/primitives/lab-error'
import type { Log } from '@fernlab/shared/primitives/log'

export type FreeBytes = (folder: string) => Promise<number>

export interface DiskGuard {
  look(): Promise<void>
  accepting(): boolean
  /** As of the last look. */
  freeBytes(): number
  /** Throws `runs-refused`; with `times`, also while there is not so many times the minimum. */
  requireSpace(times?: number): void
  close(): void
}

const everyMs = 10_000

/** Bytes that this process may still write to the folder's disk. */
export async function freeBytesOn(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder)
  return bavail * bsize
}

/** Looks at the disk every 10 s; below the minimum new runs are refused, until there is a tenth more than it. */
export function createDiskGuard(options: {
  folder: string
  clock: Clock
  log: Log
  minimumFreeBytes: number
  freeBytes: FreeBytes
}): DiskGuard {
  const { folder, clock, log, minimumFreeBytes, freeBytes } = options
  let free = 0
  let accepting = true
  let closed = false
  let cancel: (() => void) | undefined
  const look = async () => {
    try {
      free = await freeBytes(folder)
    } catch (error) {
      log.warn({ folder, error: asLabError(error).message }, 'the free space on the disk is unknown')
      return
    }
    const enough = free >= minimumFreeBytes * (accepting ? 1 : 1.1)
    if (enough !== accepting) {
      const fields = { freeBytes: free, minimumFreeBytes }
      if (enough) log.info(fields, 'there is space again: new runs are taken')
      else log.error(fields, 'the disk is nearly full: new runs are refused')
    }
    accepting = enough
  }
  const again = () => {
    cancel = clock.after(everyMs, () => {
      look().finally(() => {
        if (!closed) again()
      })
    })
  }
  again()
  return {
    look,
    accepting: () => accepting,
    freeBytes: () => free,
    requireSpace: (times = 1) => {
      if (accepting && (times === 1 || free >= times * minimumFreeBytes)) return
      if (times !== 1) {
        const message = `the hub's disk has ${Math.round(free / 1e6)} MB left, this needs ${Math.round((times * minimumFreeBytes) / 1e6)} MB`
        throw new LabError({ code: 'runs-refused', kind: 'configuration', retry: 'later', message })
      }
      throw new LabError({
        code: 'runs-refused',
        kind: 'configuration',
        retry: 'later',
        message: `the hub's disk has ${Math.round(free / 1e6)} MB left, new runs need ${Math.round(minimumFreeBytes / 1e6)} MB`,
        studentMessage:
          'The lab has no room for new results just now. What you measured is safe. The staff can make room.',
      })
    },
    close: () => {
      closed = true
      cancel?.()
    },
  }
}
