/**
 * `Idempotency-Key`: a call that is repeated with the same key and body is answered again, not done again.
 *
 * INVARIANTS: the key is claimed by an insert before the work begins, so of two at the same moment one works and the
 * other is told; an answer with a secret is never kept.
 */
import { createHash } from 'node:crypto'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { asLabError } from '@fernlab/shared/primitives/lab-error'
import type { Context, Next } from 'hono'
import type { Store } from '../store/store.ts'
import type { Env } from './context.ts'
import { refusal } from './problems.ts'

const keepMs = 86_400_000
const abandonedMs = 120_000

/** Middleware for creating calls; `secret` keeps that it was done, not what was answered. */
export function createIdempotency({ store, clock }: { store: Store; clock: Clock }) {
  return async (c: Context<Env>, next: Next, repeat: 'keep' | 'secret'): Promise<Response | undefined> => {
    const key = c.req.header('idempotency-key')
    const person = c.get('caller')?.personId
    if (key === undefined || person === undefined) {
      await next()
      return undefined
    }
    checkKey(key)
    const body = await c.req.text()
    const hash = createHash('sha256').update(`${c.req.method} ${c.req.path}\n${body}`).digest('hex')
    const mine = { person_id: person, key }
    const now = clock.now()
    try {
      await store.write([
        store.db.deleteFrom('idempotency').where('created_at', '<', now - keepMs),
        store.db
          .deleteFrom('idempotency')
          .where('status', 'is', null)
          .where('created_at', '<', now - abandonedMs),
        store.db
          .insertInto('idempotency')
          .values({ ...mine, request_hash: hash, status: null, body: null, created_at: now }),
      ])
    } catch (error) {
      if (asLabError(error).code !== 'constraint-failed') throw error
      return await repeated(person, key, hash)
    }
    const row = store.db.updateTable('idempotency').where('person_id', '=', person).where('key', '=', key)
    await next()
    const { status } = c.res
    if (status >= 400) {
      await store.write([store.db.deleteFrom('idempotency').where('person_id', '=', person).where('key', '=', key)])
    } else {
      const answer = repeat === 'secret' ? null : await c.res.clone().text()
      await store.write([row.set({ status, body: answer })])
    }
    return undefined
  }

  async function repeated(person: string, key: string, hash: string): Promise<Response> {
    const row = await store.db
      .selectFrom('idempotency')
      .selectAll()
      .where('person_id', '=', person)
      .where('key', '=', key)
      .executeTakeFirst()
    if (row !== undefined && row.request_hash !== hash) {
      throw refusal('idempotency-key-reused', 'this Idempotency-Key came with another request before; use a new one')
    }
    if (row === undefined || row.status === null) {
      throw refusal('still-at-work', 'the first call with this Idempotency-Key is still at work; ask again')
    }
    if (row.body === null) {
      throw refusal('already-done', 'this was done before; its answer held a secret that is shown only once')
    }
    return new Response(row.body === '' ? null : row.body, {
      status: row.status,
      headers: { 'content-type': 'application/json', 'idempotency-replayed': 'true' },
    })
  }
}

/** Throws `request-invalid` for a key that is none. */
export function checkKey(key: string): void {
  if (/^[\x21-\x7e]{1,200}$/.test(key)) return
  throw refusal('request-invalid', 'header.Idempotency-Key: use 1 to 200 visible characters')
}
