import type { Context, MiddlewareHandler } from 'hono'
import type { Env } from './context.ts'
import { problemResponse, refusal } from './problems.ts'

export interface BodyLimit {
  readonly bytes: number
  /** What to tell whoever sends more, instead of the number. */
  readonly because?: string
}

/**
 * Refuses bodies above the limit: by their declared length at once, else as soon as more has come; never more than the
 * limit is held. What is still being sent is thrown away for half a second and the connection closed after that (by the
 * server's adapter): one closed at once would be reset, and the reset overtakes the answer.
 */
export function limitBody(limitFor: (c: Context<Env>) => BodyLimit): MiddlewareHandler<Env> {
  return async (c, next) => {
    const { method } = c.req
    if (method === 'GET' || method === 'HEAD') return next()
    const limit = limitFor(c)
    const declared = c.req.header('content-length')
    if (declared !== undefined && c.req.header('transfer-encoding') === undefined) {
      return Number(declared) > limit.bytes ? tooLarge(limit) : next()
    }
    if (c.req.header('transfer-encoding') === undefined) return next()
    const parts: Uint8Array[] = []
    let size = 0
    const reader = c.req.raw.body?.getReader()
    for (let read = await reader?.read(); read !== undefined && !read.done; read = await reader?.read()) {
      size += read.value.byteLength
      if (size > limit.bytes) {
        void throwAway(reader)
        return tooLarge(limit)
      }
      parts.push(read.value)
    }
    const { url, headers, signal } = c.req.raw
    c.req.raw = new Request(url, { method, headers, signal, body: Buffer.concat(parts) })
    return next()
  }
}

/** A stream that is cancelled is not read any more, and the sender would wait on a full connection for its end. */
async function throwAway(reader: ReadableStreamDefaultReader<Uint8Array> | undefined): Promise<void> {
  try {
    while ((await reader?.read())?.done === false);
  } catch {
    // The connection has ended: there is nothing left to throw away.
  }
}

function tooLarge({ bytes, because }: BodyLimit): Response {
  const error = refusal('body-too-large', because ?? `the body is larger than ${bytes / 1e6} MB`)
  return problemResponse(error)
}
