/** One-time links: only the hash is stored, each works once and not after its time. */
import type { Clock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import type { OneTimeTable } from '../store/schema.ts'
import type { Store } from '../store/store.ts'
import { hashSecret, newSecret } from './secret-text.ts'

type Purpose = OneTimeTable['purpose']

interface NewOneTime {
  readonly store: Store
  readonly clock: Clock
  readonly purpose: Purpose
  readonly subject?: string
  readonly ttlMs: number
}

/** A new one-time secret with its row, for a write with others. */
export function newOneTime({ store, clock, purpose, subject, ttlMs }: NewOneTime) {
  const now = clock.now()
  const secret = newSecret()
  const row = {
    token_hash: hashSecret(secret),
    purpose,
    subject: subject ?? null,
    created_at: now,
    expires_at: now + ttlMs,
    used_at: null,
  }
  return { secret, insert: store.db.insertInto('one_time').values(row) }
}

/** Makes a one-time secret; earlier ones of the same purpose and subject stop working. */
export async function makeOneTime(options: NewOneTime): Promise<string> {
  const { store, purpose, subject = null } = options
  const { secret, insert } = newOneTime(options)
  await store.write([
    store.db.deleteFrom('one_time').where('purpose', '=', purpose).where('subject', 'is', subject),
    insert,
  ])
  return secret
}

/** The query that uses a one-time secret up; it changes one row, or none when the secret is no longer good. */
export function claimOneTime(store: Store, clock: Clock, purpose: Purpose, secret: string) {
  const now = clock.now()
  return store.db
    .updateTable('one_time')
    .set({ used_at: now })
    .where('token_hash', '=', hashSecret(secret))
    .where('purpose', '=', purpose)
    .where('used_at', 'is', null)
    .where('expires_at', '>', now)
}

/** Whether the query of `claimOneTime` would find the secret. */
export async function isGoodOneTime(store: Store, clock: Clock, purpose: Purpose, secret: string): Promise<boolean> {
  const found = await store.db
    .selectFrom('one_time')
    .select('purpose')
    .where('token_hash', '=', hashSecret(secret))
    .where('purpose', '=', purpose)
    .where('used_at', 'is', null)
    .where('expires_at', '>', clock.now())
    .executeTakeFirst()
  return found !== undefined
}

/** What a person reads whose link is no longer good. */
export function oneTimeError(purpose: 'setup' | 'password-reset'): LabError {
  const what = purpose === 'setup' ? 'set-up link' : 'link to choose a new password'
  const again = purpose === 'setup' ? 'Start the hub again for a new one.' : 'Ask for a new one on the sign-in page.'
  return new LabError({
    code: 'link-used-or-expired',
    kind: 'caller',
    message: `this ${what} was used, replaced or is too old`,
    studentMessage: `This ${what} no longer works. ${again}`,
  })
}
