import type { Clock } from '@fernlab/shared/primitives/clock'
import type { Log } from '@fernlab/shared/primitives/log'
import type { HubConfig } from '../config/config.ts'
import type { FaultHook } from '../fault-point.ts'

/** What each part of the hub is given as it is put together. */
export interface Basics {
  readonly config: HubConfig
  readonly site: string
  /** Where people reach the hub; asked late, since the port may be chosen late. */
  readonly publicUrl: () => string
  readonly clock: Clock
  readonly log: Log
  readonly faultPoint: FaultHook | undefined
  /** What is opened last is closed first. */
  readonly onClose: (closer: () => Promise<unknown> | unknown) => void
}
