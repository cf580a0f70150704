/**
 * Tokens for services that may still be in use, and those of them that were ended before their time.
 *
 * INVARIANTS: a token is here, on disk, before anybody has it; one that is over by itself is forgotten, in time.
 */
import type { ServiceRight } from '@fernlab/shared/contracts/services'
import type { Clock } from '@fernlab/shared/primitives/clock'
import type { Store, StoreQuery } from '../store/store.ts'

export interface IssuedToken {
  /** `jti`. */
  readonly id: string
  readonly personId: string
  /** By which it was asked for, as `signInOf` names it. */
  readonly signIn: string
  readonly node: string
  readonly rights: readonly ServiceRight[]
  /** `<node>.<bench>` and the lease of it that the token belongs to. */
  readonly hold: { readonly bench: string; readonly lease: string } | undefined
  /** Epoch ms. */
  readonly expiresAt: number
  /** Epoch ms; undefined: it holds. */
  revokedAt: number | undefined
}

export interface IssuedTokens {
  /** Those that are not over by themselves. */
  all(): IssuedToken[]
  add(token: IssuedToken, more: readonly StoreQuery[]): Promise<void>
  /** Writes down that they are worth nothing from now on. */
  revoke(tokens: readonly IssuedToken[]): Promise<void>
  /** Forgets those that are over. */
  clear(): Promise<void>
}

/** Opens what is on disk. */
export async function openIssuedTokens({ store, clock }: { store: Store; clock: Clock }): Promise<IssuedTokens> {
  const { db } = store
  const tokens = new Map<string, IssuedToken>()
  for (const row of await db.selectFrom('service_token').selectAll().where('expires_at', '>', clock.now()).execute()) {
    const { id, bench, lease } = row
    tokens.set(id, {
      id,
      personId: row.person_id,
      signIn: row.sign_in,
      node: row.node,
      rights: JSON.parse(row.rights) as ServiceRight[],
      hold: bench === null || lease === null ? undefined : { bench, lease },
      expiresAt: row.expires_at,
      revokedAt: row.revoked_at ?? undefined,
    })
  }
  const isOver = ({ expiresAt }: IssuedToken) => expiresAt <= clock.now()

  return {
    all: () => [...tokens.values()].filter((token) => !isOver(token)),
    add: async (token, more) => {
      const { id, personId, signIn, node, rights, hold, expiresAt } = token
      const row = {
        id,
        person_id: personId,
        sign_in: signIn,
        node,
        rights: JSON.stringify(rights),
        bench: hold?.bench ?? null,
        lease: hold?.lease ?? null,
        expires_at: expiresAt,
        revoked_at: null,
      }
      await store.write([db.insertInto('service_token').values(row), ...more])
      tokens.set(id, token)
    },
    revoke: async (ended) => {
      const now = clock.now()
      const ids = ended.map(({ id }) => id)
      await store.write([
        db.updateTable('service_token').set({ revoked_at: now }).where('id', 'in', ids).where('revoked_at', 'is', null),
      ])
      for (const token of ended) token.revokedAt ??= now
    },
    clear: async () => {
      const over = [...tokens.values()].filter(isOver)
      if (over.length === 0) return
      await store.write([db.deleteFrom('service_token').where('expires_at', '<=', clock.now())])
      for (const { id } of over) tokens.delete(id)
    },
  }
}
