/**
 * What is refused of a request to a lab's own server, whoever asks.
 *
 * INVARIANTS: what can be read in two ways is passed on in neither; what only hubs may ask is passed on for nobody; no
 * other site's page, nor a sandboxed one of this origin, asks in a visitor's name, or uses up the start of a visit.
 */
import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http'
import type { NoAnswer } from './forward.ts'
import { ambiguous } from './headers.ts'
import { refusedTarget } from './path-guard.ts'
import type { VisitNotice } from './visit-page.ts'
import type { Visit } from './visit-tokens.ts'

/** What is said instead of the lab's answer. */
export interface Refusal {
  readonly notice: VisitNotice
  readonly visit?: Visit
  readonly headers?: OutgoingHttpHeaders
}

/** Not `cookies`: those of the hub go with them, since they are of the whole host. */
export const cleared = { 'clear-site-data': '"cache", "storage"' }
export const retrySoon = { 'retry-after': '1' }

/** Why a request of this visitor is not passed on; undefined where nothing of the request itself is against it. */
export function refusedRequest(request: IncomingMessage, visit: Visit): Refusal | undefined {
  const { headers, method = '', url = '' } = request
  // A request line without a version is of HTTP/0.9, where a head is none.
  if (ambiguous(request) !== undefined || request.httpVersionMajor !== 1)
    return { notice: 'unreadable', visit, headers: { connection: 'close' } }
  const refused = refusedTarget(url)
  if (refused === 'not-a-path' || ['TRACE', 'TRACK'].includes(method)) return { notice: 'unreadable', visit }
  const isRefused = refused !== undefined || headers['service-worker'] !== undefined || isForeign(request, visit.origin)
  return isRefused ? { notice: 'refused', visit } : undefined
}

/** RFC 6455, 4.1: to speak WebSocket is asked with GET, which has no body that the lab's server could take for another request. */
export function isPlainUpgrade({ headers, method }: IncomingMessage): boolean {
  const { 'content-length': length = '0', 'transfer-encoding': coding } = headers
  return method === 'GET' && length === '0' && coding === undefined
}

/** Whether a browser opens the start of a visit to show where it leads; of what looks ahead or loads parts of a page, nobody has opened anything. */
export function opensStart({ headers, method }: IncomingMessage): boolean {
  const { 'sec-fetch-dest': shownAs = 'document', 'sec-purpose': purpose = headers.purpose, origin } = headers
  const isAhead = /prefetch|prerender/i.test(String(purpose ?? ''))
  const isShown = shownAs === 'document' && origin === undefined && headers['service-worker'] === undefined
  return method === 'GET' && !isAhead && isShown
}

/** What is said where the lab's server has not answered. */
export function refusalFor(why: NoAnswer, visit: Visit, isOver: boolean): Refusal {
  if (isOver) return { notice: 'over', visit, headers: cleared }
  return { notice: why, visit, ...(why === 'busy' ? { headers: retrySoon } : {}) }
}

/** Another page than the lab's own asks: only to be shown, as by a link, does it get anything. */
function isForeign({ headers, method }: IncomingMessage, own: string): boolean {
  const site = headers['sec-fetch-site']
  if (site === undefined) return headers.origin !== undefined && headers.origin !== own
  if (site === 'same-origin' || site === 'none') return false
  return headers['sec-fetch-mode'] !== 'navigate' || headers['sec-fetch-dest'] !== 'document' || method !== 'GET'
}
