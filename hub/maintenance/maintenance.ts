/** Keeps the hub's disk in order: how full it is, what is removed when, copies of everything. */
import type { Retention, storageSchema } from '@fernlab/shared/contracts/api'
import type { UsagePreview, UsageRules } from '@fernlab/shared/contracts/usage'
import type { Clock } from '@fernlab/shared/primitives/clock'
import type { Log } from '@fernlab/shared/primitives/log'
import type { z } from 'zod'
import type { Store } from '../store/store.ts'
import { openUsageKeeping } from '../usage/keeping.ts'
import { createDiskGuard, type FreeBytes, freeBytesOn } from './disk-guard.ts'
import { forgetExpired } from './expired.ts'
import { forgetOldRecords } from './old-records.ts'
import { createRetention, type RetentionSweep } from './retention.ts'

export type { Retention }
export type Storage = z.infer<typeof storageSchema>

export interface Maintenance {
  /** Throws `runs-refused` while the disk is too full for new runs. */
  requireSpace(times?: number): void
  /** Whether it has room for new runs. */
  hasSpace(): boolean
  storage(): Promise<Storage>
  retention(): Promise<Retention>
  /** Resolves when the rules hold; what they remove is removed after that. */
  setRetention(retention: Retention, by: string): Promise<void>
  usageRules(): Promise<UsageRules>
  /** As `setRetention`, for what names the people of uses. */
  setUsageRules(rules: UsageRules, by: string): Promise<void>
  previewUsageRules(rules: UsageRules): Promise<UsagePreview>
  /** Whether addresses are kept at all. */
  keepsAddresses(): boolean
  /** Removes now what the rules say; also done each night. */
  sweep(): Promise<RetentionSweep>
  /** Looks at the disk now instead of at the next tick. */
  lookAtDisk(): Promise<void>
  close(): Promise<void>
}

export interface MaintenanceOptions {
  readonly store: Store
  /** A folder on the disk that holds the database. */
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
  const pragma = async (name: string) => Number((await store.database.read(`PRAGMA ${name}`))[0]?.[name] ?? 0)
  // What retention removed leaves free pages in the file, and new results are written to those first.
  const usableBytes: FreeBytes = async (place) => {
    const [free, pages, pageBytes] = await Promise.all([
      freeBytes(place),
      pragma('freelist_count'),
      pragma('page_size'),
    ])
    return free + pages * pageBytes
  }
  const guard = createDiskGuard({ folder, clock, log, minimumFreeBytes, freeBytes: usableBytes })
  const usage = await openUsageKeeping({ store, clock })
  const forget = async (stopped: () => boolean) => {
    await usage.sweep(stopped)
    await forgetExpired(store, clock)
    await forgetOldRecords(store, clock)
    // The write-ahead log would hold what was just removed for a while.
    await store.database.checkpoint()
  }
  const retention = createRetention({ store, clock, log, forget, onSwept: guard.look })
  await guard.look()
  await retention.start()
  return {
    requireSpace: guard.requireSpace,
    hasSpace: guard.accepting,
    storage: async () => {
      await guard.look()
      const [pages, pageBytes] = await Promise.all([pragma('page_count'), pragma('page_size')])
      return {
        databaseBytes: pages * pageBytes,
        freeBytes: guard.freeBytes(),
        acceptingRuns: guard.accepting(),
        retention: await retention.rules(),
      }
    },
    retention: retention.rules,
    setRetention: retention.change,
    usageRules: usage.rules,
    setUsageRules: async (rules, by) => {
      await usage.change(rules, by)
      retention.sweepSoon()
    },
    previewUsageRules: usage.preview,
    keepsAddresses: usage.keepsAddresses,
    sweep: retention.sweep,
    lookAtDisk: guard.look,
    close: async () => {
      guard.close()
      await retention.close()
    },
  }
}
