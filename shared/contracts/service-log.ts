/** The log of a service as its node gives it (`node/log`). */
import type { DaemonLine } from './daemon-control.ts'

export interface AskedLog {
  /** How many lines at most, the newest of them. */
  readonly lines: number
  /** `next` of an earlier answer, or an empty text. */
  readonly after: string
}

export interface ServiceLog {
  readonly daemon: string
  /** The oldest first. */
  readonly lines: readonly Omit<DaemonLine, 'daemon'>[]
  readonly next: string
  /** They follow what came before `after`, and none between is left out; else they take its place. */
  readonly continues: boolean
}
