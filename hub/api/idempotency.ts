/**
 * `Idempotency-Key`: a call that is repeated with the same key, address and body is answered again, not done again.
 *
 * INVARIANTS: the key is claimed by an insert that is on disk before the work begins, so of two at the same moment one
 * works and the other is told; a claim is given back only where nothing was done; a claim without an answer whose call is
 * not at work (the hub was killed) is never worked on again, since nobody knows whether it was done, but where the route
 * itself knows: of such a route no failure is kept, so that asking again finds out; an answer with a secret is never kept.
 */
import { createHash } from 'node:crypto'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { asLabError } from '@fernlab/shared/primitives/lab-error'
import type { Context, Next } from 'hono'
import type { Store } from '../store/store.ts'
import type { Env } from './context.ts'
import { refusal } from './problems.ts'

/** How long an answer is kept for a repeated call. */
export const ANSWERS_KEPT_MS = 86_400_000
/** Errors of the hub's or the node's own before which nothing was done: the same key may try again. */
const nothingDone = new Set(['node-offline', 'runs-refused', 'disk-full', 'database-recovering'])

/**
 * Middleware for unsafe calls; `secret` keeps that it was done, not what was answered; `done-again` does again what the hub was
 * killed in, and what failed, as at a node that did not answer.
 */
export function createIdempotency({ store, clock }: { store: Store; clock: Clock }) {
  const atWork = new Set<string>()

  return async (
    c: Context<Env>,
    next: Next,
    repeat: 'keep' | 'secret' | 'done-again',
  ): Promise<Response | undefined> => {
    const key = c.req.header('idempotency-key')
    const person = c.get('caller')?.personId
    if (key === undefined || person === undefined) {
      await next()
      return undefined
    }
    checkKey(key)
    const { pathname, search } = new URL(c.req.url)
    const body = await c.req.text()
    const hash = createHash('sha256').update(`${c.req.method} ${pathname}${search}\n${body}`).digest('hex')
    const now = clock.now()
    const mine = `${person} ${key}`
    if (atWork.has(mine)) return await repeated(person, key, hash, true)
    atWork.add(mine)
    try {
      await store.write([
        store.db.deleteFrom('idempotency').where('created_at', '<', now - ANSWERS_KEPT_MS),
        store.db
          .insertInto('idempotency')
          .values({ person_id: person, key, request_hash: hash, status: null, body: null, created_at: now }),
      ])
    } catch (error) {
      const isRepeated = asLabError(error).code === 'constraint-failed'
      const goesOn = isRepeated && repeat === 'done-again' && (await isCutOff(person, key, hash).catch(() => false)) // asked again below
      if (!goesOn) {
        atWork.delete(mine)
        if (!isRepeated) throw error
        return await repeated(person, key, hash, false)
      }
    }
    try {
      await next()
      const { status } = c.res
      const mayDoAgain = status < 500 || repeat === 'done-again' || nothingDone.has(asLabError(c.error).code)
      if (status >= 400 && mayDoAgain) {
        await store.write([store.db.deleteFrom('idempotency').where('person_id', '=', person).where('key', '=', key)])
      } else {
        const answer = repeat === 'secret' && status < 400 ? null : await c.res.clone().text()
        await store.write([
          store.db
            .updateTable('idempotency')
            .set({ status, body: answer })
            .where('person_id', '=', person)
            .where('key', '=', key),
        ])
      }
    } finally {
      atWork.delete(mine)
    }
    return undefined
  }

  /** Whether the first call was this one, and the hub was killed in it. */
  async function isCutOff(person: string, key: string, hash: string): Promise<boolean> {
    const row = await store.db
      .selectFrom('idempotency')
      .select(['request_hash', 'status'])
      .where('person_id', '=', person)
      .where('key', '=', key)
      .executeTakeFirst()
    return row?.request_hash === hash && row.status === null
  }

  async function repeated(person: string, key: string, hash: string, working: boolean): Promise<Response> {
    const row = await store.db
      .selectFrom('idempotency')
      .selectAll()
      .where('person_id', '=', person)
      .where('key', '=', key)
      .executeTakeFirst()
    if (row !== undefined && row.request_hash !== hash) {
      throw refusal('idempotency-key-reused', 'this Idempotency-Key came with another request before; use a new one')
    }
    if (row === undefined || (row.status === null && working)) {
      throw refusal('still-at-work', 'the first call with this Idempotency-Key is still at work; ask again')
    }
    if (row.status === null) {
      throw refusal(
        'outcome-unknown',
        'how the first call with this Idempotency-Key ended is not known; look whether it was done, then use a new one',
      )
    }
    if (row.body === null) {
      throw refusal('already-done', 'this was done before; its answer held a secret that is shown only once')
    }
    return new Response(row.body === '' ? null : row.body, {
      status: row.status,
      headers: {
        ...(row.body === '' ? {} : { 'content-type': `application/${row.status < 400 ? 'json' : 'problem+json'}` }),
        'idempotency-replayed': 'true',
      },
    })
  }
}

/** Throws `request-invalid` for a key that is none. */
export function checkKey(key: string): void {
  if (/^[\x21-\x7e]{1,200}$/.test(key)) return
  throw refusal('request-invalid', 'header.Idempotency-Key: use 1 to 200 visible characters')
}
