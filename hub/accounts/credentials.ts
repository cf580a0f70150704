import type { Errands } from '../mail/errands.ts'
import type { LetterWriting } from '../mail/letter-writing.ts'
import type { Identity } from './identity.ts'

/** What handling people's addresses, passwords and passkeys takes: letters tell them of it. */
export interface CredentialsOptions extends LetterWriting {
  readonly identity: Identity
  /** Letters that nobody waits for. */
  readonly errands: Errands
}
