/**
 * API tokens.
 *
 * INVARIANTS: only the hash is stored, in memory too; what the database said of a token holds for at most `cacheMs`, so
 * that a revocation or a new role written by another process takes effect within a second; a revocation or a new role in
 * this process and a token's expiry take effect at once; `last_used_at` is written in bundles and may be lost.
 */
import type { Token } from '@fernlab/shared/contracts/api'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { newId } from '@fernlab/shared/primitives/ids'
import { asLabError } from '@fernlab/shared/primitives/lab-error'
import type { Log } from '@fernlab/shared/primitives/log'
import type { ExpressionBuilder } from 'kysely'
import { auditEntries } from '../store/audit-entries.ts'
import type { HubSchema, TokenTable } from '../store/schema.ts'
import type { Store } from '../store/store.ts'
import type { Caller } from './caller.ts'
import { personUnknown } from './roles.ts'
import { hashSecret, newSecret } from './secret-text.ts'

export const TOKEN_PREFIX = 'fern_'
/** Requests come in bursts of the same few tokens: a second spares nearly every look-up. */
const cacheMs = 1_000
const mostCached = 5_000
const flushMs = 30_000
const dayMs = 86_400_000

export interface Tokens {
  /** The person behind a token that holds; a second old at most, see above. */
  verify(token: string): Promise<Caller | undefined>
  /** The person behind a token that holds now, by its id. */
  holder(tokenId: string): Promise<Caller | undefined>
  /** Without `expiresInDays` it ends at `endsAt`, epoch ms, or not by itself. */
  create(
    personId: string,
    input: { name: string; scopes: readonly string[]; expiresInDays?: number | undefined },
    endsAt?: number,
  ): Promise<Token & { token: string }>
  /** Makes `secret` the only token of this name; it belongs to the person from now on. */
  establish(personId: string, name: string, secret: string): Promise<void>
  list(personId: string): Promise<Token[]>
  revoke(personId: string, tokenId: string): Promise<boolean>
  /** Revokes every token of the person; throws `person-unknown`. */
  revokeAll(by: { readonly personId: string }, personId: string): Promise<void>
  /** Drops what is remembered of tokens: their person has another role or name, was suspended, or has left. */
  forget(): void
  onRevoked(listener: (tokenId: string, personId: string) => void): () => void
  close(): Promise<void>
}

interface Verified {
  readonly id: string
  readonly caller: Caller
  readonly expiresAt: number | null
  /** Monotonic ms. */
  readonly untilMs: number
}

/** Keeps API tokens in the store. */
export function createTokens({ store, clock, log }: { store: Store; clock: Clock; log: Log }): Tokens {
  const used = new Map<string, number>()
  const listeners = new Set<(tokenId: string, personId: string) => void>()
  const verified = new Map<string, Verified>()
  /** Grows with each end of a token: what was read before it is not remembered. */
  let ends = 0
  let cancelFlush: (() => void) | undefined

  const flush = async () => {
    cancelFlush?.()
    cancelFlush = undefined
    const bundle = [...used]
    used.clear()
    if (bundle.length === 0) return
    await store.write(
      bundle.map(([id, at]) => store.db.updateTable('token').set({ last_used_at: at }).where('id', '=', id)),
    )
  }
  const noteUse = (id: string) => {
    used.set(id, clock.now())
    cancelFlush ??= clock.after(flushMs, () => {
      flush().catch((error: unknown) =>
        log.warn({ code: asLabError(error).code }, 'when tokens were last used could not be written'),
      )
    })
  }
  const entry = auditEntries(store, clock)
  const announce = (id: string, personId: string) => {
    for (const listener of listeners) listener(id, personId)
  }
  const forgetAll = () => {
    ends++
    verified.clear()
  }
  const remembered = (hash: string): Caller | undefined => {
    const known = verified.get(hash)
    if (known === undefined) return undefined
    if (known.untilMs > clock.monotonic() && (known.expiresAt === null || known.expiresAt > clock.now())) {
      noteUse(known.id)
      return known.caller
    }
    verified.delete(hash)
    return undefined
  }
  const remember = (hash: string, known: Verified) => {
    if (verified.size >= mostCached) verified.delete(verified.keys().next().value ?? '')
    verified.set(hash, known)
  }

  const find = async (column: 'token.token_hash' | 'token.id', value: string): Promise<Caller | undefined> => {
    const row = await store.db
      .selectFrom('token')
      .innerJoin('user', 'user.id', 'token.person_id')
      .innerJoin('person', 'person.id', 'token.person_id')
      .select(['token.id', 'token.person_id', 'token.scopes', 'token.expires_at', 'token.revoked_at'])
      .select(['user.name', 'user.email', 'person.role'])
      .where(column, '=', value)
      .where('person.suspended_at', 'is', null)
      .executeTakeFirst()
    if (row === undefined || row.revoked_at !== null) return undefined
    if (row.expires_at !== null && row.expires_at <= clock.now()) return undefined
    return {
      personId: row.person_id,
      name: row.name,
      email: row.email,
      role: row.role,
      scopes: JSON.parse(row.scopes) as string[],
      via: 'token',
      tokenId: row.id,
      ...(row.expires_at === null ? {} : { tokenExpiresAt: row.expires_at }),
    }
  }

  return {
    verify: async (token) => {
      const hash = hashSecret(token)
      const before = remembered(hash)
      if (before !== undefined) return before
      const endsBefore = ends
      // From before the look-up: what it finds may be as old as that.
      const untilMs = clock.monotonic() + cacheMs
      const caller = await find('token.token_hash', hash)
      if (caller?.tokenId === undefined) return undefined
      const { tokenId: id, tokenExpiresAt: expiresAt = null } = caller
      noteUse(id)
      if (ends === endsBefore) remember(hash, { id, caller, expiresAt, untilMs })
      return caller
    },
    holder: (tokenId) => find('token.id', tokenId),
    create: async (personId, { name, scopes, expiresInDays }, endsAt) => {
      const token = newSecret(TOKEN_PREFIX)
      const now = clock.now()
      const row: TokenTable = {
        id: newId(now),
        person_id: personId,
        name,
        token_hash: hashSecret(token),
        scopes: JSON.stringify(scopes),
        created_at: now,
        expires_at: expiresInDays === undefined ? (endsAt ?? null) : now + expiresInDays * dayMs,
        last_used_at: null,
        revoked_at: null,
      }
      const { id, expires_at } = row
      const until = expires_at === null ? {} : { until: new Date(expires_at).toISOString() }
      await store.write([
        store.db.insertInto('token').values(row),
        entry(personId, 'token.created', id, { name, scopes, ...until }),
      ])
      return { ...describe(row), token }
    },
    establish: async (personId, name, secret) => {
      const now = clock.now()
      const hash = hashSecret(secret)
      const row = { person_id: personId, name, scopes: '["admin","mqtt:read","mqtt:status"]', revoked_at: null }
      await store.write([
        store.db
          .updateTable('token')
          .set({ revoked_at: now })
          .where('name', '=', name)
          .where('token_hash', '!=', hash)
          .where('revoked_at', 'is', null),
        store.db
          .insertInto('token')
          .values({ ...row, id: newId(now), token_hash: hash, created_at: now, expires_at: null, last_used_at: null })
          .onConflict((conflict) => conflict.column('token_hash').doUpdateSet(row)),
      ])
      forgetAll()
    },
    list: async (personId) => {
      const rows = await store.db
        .selectFrom('token')
        .selectAll()
        .where('person_id', '=', personId)
        .orderBy('id', 'desc')
        .execute()
      return rows.map((row) => describe({ ...row, last_used_at: used.get(row.id) ?? row.last_used_at }))
    },
    revoke: async (personId, tokenId) => {
      const known = await store.db
        .selectFrom('token')
        .select(['id', 'name'])
        .where('id', '=', tokenId)
        .where('person_id', '=', personId)
        .executeTakeFirst()
      if (known === undefined) return false
      await store.write([
        store.db
          .updateTable('token')
          .set({ revoked_at: clock.now() })
          .where('id', '=', tokenId)
          .where('revoked_at', 'is', null),
        entry(personId, 'token.revoked', tokenId, { name: known.name }),
      ])
      forgetAll()
      announce(tokenId, personId)
      return true
    },
    revokeAll: async (by, personId) => {
      const person = await store.db.selectFrom('person').select('id').where('id', '=', personId).executeTakeFirst()
      if (person === undefined) throw personUnknown(personId)
      const now = clock.now()
      await store.write([
        store.db
          .updateTable('token')
          .set({ revoked_at: now })
          .where('person_id', '=', personId)
          .where('revoked_at', 'is', null),
        entry(by.personId, 'token.revoked-all', personId),
      ])
      forgetAll()
      // Read after the write: a token that was made until then is among them.
      const ended = await store.db
        .selectFrom('token')
        .select('id')
        .where('person_id', '=', personId)
        .where('revoked_at', '=', now)
        .execute()
      for (const { id } of ended) announce(id, personId)
    },
    forget: forgetAll,
    onRevoked: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    close: flush,
  }
}

/** True of people with a token that works at the time. */
export function hasTokens({ exists, selectFrom }: ExpressionBuilder<HubSchema, 'person'>, at: number) {
  const held = selectFrom('token').select('token.id').whereRef('token.person_id', '=', 'person.id')
  return exists(
    held
      .where('revoked_at', 'is', null)
      .where(({ or, eb }) => or([eb('token.expires_at', 'is', null), eb('token.expires_at', '>', at)])),
  )
}

function describe(row: TokenTable): Token {
  const time = (ms: number) => new Date(ms).toISOString()
  return {
    id: row.id,
    name: row.name,
    scopes: JSON.parse(row.scopes) as string[],
    createdAt: time(row.created_at),
    ...(row.expires_at === null ? {} : { expiresAt: time(row.expires_at) }),
    ...(row.last_used_at === null ? {} : { lastUsedAt: time(row.last_used_at) }),
    ...(row.revoked_at === null ? {} : { revokedAt: time(row.revoked_at) }),
  }
}
