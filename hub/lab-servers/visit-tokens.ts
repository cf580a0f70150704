/**
 * What lets a browser in at a lab's own server: a token that opens the door once, and the cookie behind it.
 *
 * INVARIANTS: nobody makes either without this process's key, which is never stored; an entry works once and for
 * `ENTRY_MS`; neither can stand for the other; whether the session lasts is not in them, and is asked at each use.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import type { Clock } from '@fernlab/shared/primitives/clock'
import * as z from 'zod'

/** Somebody's way to the lab's own server in a session. */
export interface Visit {
  readonly sessionId: string
  readonly personId: string
  /** By which sign-in or token the person came: the visit ends with it. */
  readonly signIn: string
  /** Where the browser finds it. */
  readonly origin: string
}

export interface VisitTokens {
  /** A token that opens the visit once, within `ENTRY_MS`. */
  entry(visit: Visit): string
  /** What it opens, if it still does; uses nothing up. */
  look(token: string): Visit | undefined
  /** The same, and it works no more. */
  take(token: string): Visit | undefined
  /** What a browser that is in shows with each request. */
  pass(visit: Visit): string
  read(pass: string): Visit | undefined
}

/** How long an entry works. */
export const ENTRY_MS = 60_000

const signedSchema = z.tuple([z.string(), z.string(), z.string(), z.string(), z.number(), z.string()])

/** Tokens and passes that hold until this process ends, at the longest. */
export function createVisitTokens({ clock }: { readonly clock: Pick<Clock, 'now'> }): VisitTokens {
  const key = randomBytes(32)
  /** Entries that were used, until they would have expired. */
  const used = new Map<string, number>()
  const mac = (kind: string, text: string) => createHmac('sha256', key).update(`${kind}\n${text}`).digest()

  const sign = (kind: string, { sessionId, personId, signIn, origin }: Visit, expiresAt: number): string => {
    const said = [sessionId, personId, signIn, origin, expiresAt, randomBytes(9).toString('base64url')]
    const text = Buffer.from(JSON.stringify(said)).toString('base64url')
    return `${text}.${mac(kind, text).toString('base64url')}`
  }
  const open = (kind: string, token: string) => {
    const [text = '', signature = '', ...more] = token.split('.')
    const given = Buffer.from(signature, 'base64url')
    const wanted = mac(kind, text)
    // Two texts of base64 can be the same bytes; only one is what was given out.
    const isOurs = given.toString('base64url') === signature && given.length === wanted.length
    if (more.length > 0 || !isOurs || !timingSafeEqual(given, wanted)) return undefined
    const [sessionId, personId, signIn, origin, expiresAt, nonce] = signedSchema.parse(
      JSON.parse(Buffer.from(text, 'base64url').toString('utf8')),
    )
    return { visit: { sessionId, personId, signIn, origin }, expiresAt, nonce }
  }
  const lookAt = (token: string) => {
    const opened = open('entry', token)
    if (opened === undefined || opened.expiresAt <= clock.now() || used.has(opened.nonce)) return undefined
    return opened
  }

  return {
    entry: (visit) => sign('entry', visit, clock.now() + ENTRY_MS),
    look: (token) => lookAt(token)?.visit,
    take: (token) => {
      for (const [nonce, expiresAt] of used) if (expiresAt <= clock.now()) used.delete(nonce)
      const opened = lookAt(token)
      if (opened !== undefined) used.set(opened.nonce, opened.expiresAt)
      return opened?.visit
    },
    pass: (visit) => sign('pass', visit, 0),
    read: (pass) => open('pass', pass)?.visit,
  }
}
