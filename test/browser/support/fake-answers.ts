/** What a page asks of the stand-in for the hub, and what that answers. */
import type { ServerResponse } from 'node:http'

export interface Asked {
  /** `GET /api/v1/labs`. */
  readonly call: string
  readonly method: string
  /** Decoded, without the query. */
  readonly path: string
  readonly url: URL
  readonly host: string
  readonly body: unknown
  /** What follows `/api/v1/`, by its parts. */
  readonly collection: string
  readonly id: string
  readonly verb: string
  readonly rest: readonly string[]
}

export interface Said {
  readonly status: number
  readonly type: string
  readonly body?: string | Uint8Array | undefined
}

/** An answer that goes on. */
export interface Streamed {
  stream(response: ServerResponse, lastEventId: string | undefined): void
}

/** What is asked of an area of the hub; undefined for what another answers. */
export type Area = (asked: Asked) => Said | Streamed | undefined | Promise<Said | Streamed | undefined>

export const json = (value: unknown, status = 200): Said => ({
  status,
  type: 'application/json',
  body: value === undefined ? undefined : JSON.stringify(value),
})

export const problem = (status: number, code: string, more: object = {}): Said => ({
  status,
  type: 'application/problem+json',
  body: JSON.stringify({ type: `urn:${code}`, title: code, status, detail: code, code, ...more }),
})

/** A whole list; nothing on a hub's first day. */
export const listed = <T>({ empty }: { readonly empty: boolean }, items: readonly T[]): Said =>
  json({ items: empty ? [] : items })

/** A page of a list, 50 long unless `limit` is given. */
export function paged<T>({ empty }: { readonly empty: boolean }, items: readonly T[], query: URLSearchParams): Said {
  const from = Number(query.get('cursor') ?? 0)
  const next = from + Number(query.get('limit') ?? 50)
  return json({
    items: empty ? [] : items.slice(from, next),
    ...(next < items.length ? { cursor: String(next) } : {}),
  })
}

/** The part of the address after `/api/v1/`, and what else areas look at. */
export function askedOf(at: Pick<Asked, 'method' | 'url' | 'host' | 'body'>): Asked {
  const path = decodeURIComponent(at.url.pathname)
  const [, , , collection = '', id = '', verb = '', ...rest] = path.split('/')
  return { ...at, call: `${at.method} ${path}`, path, collection, id, verb, rest }
}
