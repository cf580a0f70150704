/** A bench that somebody has by a live session, as tokens for services name it in place of a lease. */

const PREFIX = 'session/'

/** What a client asks by: `session/<id>`. */
export const askedSession = (lease: string): string | undefined =>
  lease.startsWith(PREFIX) ? lease.slice(PREFIX.length) : undefined

/** As the token says it: the session is a run, and has the bench in one attempt of it. */
export const sessionHold = (runId: string, attempt: number): string => `${PREFIX}${runId}/${attempt}`

/** Which attempt that is; undefined for a lease. */
export function readSessionHold(lease: string): { readonly runId: string; readonly attempt: number } | undefined {
  const [, runId, attempt] = /^session\/([^/]+)\/(\d+)$/.exec(lease) ?? []
  return runId === undefined ? undefined : { runId, attempt: Number(attempt) }
}
