/** Keeps the hub's disk in order: how full it is, what is removed when, copies of everything. */
import type { retentionSchema, storageSchema } from '@fernlab/shared/contracts/api'
import type { Clock } from '@fernlab/shared/primitives/clock'
import type { Log } from '@fernlab/shared/primitives/log'
import type { z } from 'zod'
import type { Store } from '../store/store.ts'
import { createDiskGuard, type FreeBytes, freeBytesOn } from './disk-guard.ts'
import { createRetention, type RetentionSweep } from './retention.ts'

export type Retention = z.infer<typeof retentionSchema>
export type Storage = z.infer<typeof storageSchema>

export interface Maintenance {
  /** Throws `runs-refused` while the disk is too full for new runs. */
  requireSpace(): void
  storage(): Promise<Storage>
  retention(): Promise<Retention>
  setRetention(retention: Retention, by: string): Promise<void>
  /** Removes now what the rules say; also done each night. */
  sweep(): Promise<RetentionSweep>
  /** Looks at the disk now instead of at the next tick. */
  lookAtDisk(): Promise<void>
  close(): Promise<void>
}

export interface MaintenanceOptions {
  readonly store: Store
  /** A folder on the disk that holds the data. */
  readonly folder: string
  readonly clock: Clock
  readonly log: Log
  /** Fewer free bytes refuse new runs; 256 MiB unless given. */
  readonly minimumFreeBytes?: number
  readonly freeBytes?: FreeBytes
}

/** Starts watching the disk and, each night, applying the retention rules. */
export async function createMaintenance(options: MaintenanceOptions): Promise<Maintenance> {
  const { store, folder, clock, log, minimumFreeBytes = 268_435_456, freeBytes = freeBytesOn } = options
  const guard = createDiskGuard({ folder, clock, log, minimumFreeBytes, freeBytes })
  const retention = createRetention({ store, clock, log })
  await guard.look()
  await retention.start()
  return {
    requireSpace: guard.requireSpace,
    storage: async () => {
      await guard.look()
      const [pages, size] = await Promise.all([
        store.database.read('PRAGMA page_count'),
        store.database.read('PRAGMA page_size'),
      ])
      return {
        databaseBytes: Number(pages[0]?.page_count ?? 0) * Number(size[0]?.page_size ?? 0),
        freeBytes: guard.freeBytes(),
        acceptingRuns: guard.accepting(),
        retention: await retention.rules(),
      }
    },
    retention: retention.rules,
    setRetention: retention.change,
    sweep: retention.sweep,
    lookAtDisk: guard.look,
    close: async () => {
      guard.close()
      await retention.close()
    },
  }
}
