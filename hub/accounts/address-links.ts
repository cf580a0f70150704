/**
 * Links that prove an address, sent to it: for a registration, or for the new address of a person.
 *
 * INVARIANTS: only the hash is stored; a link is removed by the write that it allows, so it works once; a later link for
 * the same wish makes earlier ones useless.
 */
import type { Clock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import type { Store } from '../store/store.ts'
import { hashSecret, newSecret } from './secret-text.ts'

const linkMs = 24 * 60 * 60 * 1000

/** Whose address it will be: a person's, or that of somebody with this name who registers. */
export type Claimant = { readonly personId: string } | { readonly name: string }

export interface AddressLink {
  readonly email: string
  readonly personId: string | null
  readonly name: string | null
}

/** Makes the secret of a link and forgets earlier ones for the same wish. */
export async function makeAddressLink(store: Store, clock: Clock, email: string, claimant: Claimant): Promise<string> {
  const now = clock.now()
  const secret = newSecret()
  const personId = 'personId' in claimant ? claimant.personId : null
  const earlier = store.db.deleteFrom('address_link')
  await store.write([
    earlier.where('expires_at', '<=', now),
    personId === null
      ? earlier.where('email', '=', email).where('person_id', 'is', null)
      : earlier.where('person_id', '=', personId),
    store.db.insertInto('address_link').values({
      token_hash: hashSecret(secret),
      email,
      person_id: personId,
      name: 'name' in claimant ? claimant.name : null,
      created_at: now,
      expires_at: now + linkMs,
    }),
  ])
  return secret
}

/** The link of the secret while it is good. */
export async function findAddressLink(store: Store, clock: Clock, secret: string): Promise<AddressLink | undefined> {
  const row = await store.db
    .selectFrom('address_link')
    .select(['email', 'person_id as personId', 'name'])
    .where('token_hash', '=', hashSecret(secret))
    .where('expires_at', '>', clock.now())
    .executeTakeFirst()
  return row
}

/** The query that uses a link up; it changes one row, or none when the link is no longer good. */
export function claimAddressLink(store: Store, clock: Clock, secret: string) {
  return store.db
    .deleteFrom('address_link')
    .where('token_hash', '=', hashSecret(secret))
    .where('expires_at', '>', clock.now())
}

/** What a person reads whose link is no longer good; `again` says how to get another. */
export function addressLinkOver(again: string): LabError {
  return new LabError({
    code: 'link-used-or-expired',
    kind: 'caller',
    message: 'this link was used, replaced or is older than a day',
    studentMessage: `This link was used, replaced by a later one, or is older than a day. ${again}`,
  })
}
