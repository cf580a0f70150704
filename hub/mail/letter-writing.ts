import type { Clock } from '@fernlab/shared/primitives/clock'
import type { Log } from '@fernlab/shared/primitives/log'
import type { Store } from '../store/store.ts'
import type { Mail } from './mail.ts'

/** What writing letters to people takes, whatever they are about. */
export interface LetterWriting {
  readonly store: Store
  readonly mail: Mail
  /** What letters name and link to. */
  readonly site: string
  readonly publicUrl: () => string
  readonly clock: Clock
  readonly log: Log
}
