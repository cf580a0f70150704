/** Errors as RFC 9457 problems: one place decides status, words and what stays inside. */
import type { Problem } from '@fernlab/shared/contracts/api'
import { asLabError, LabError, type LabErrorKind } from '@fernlab/shared/primitives/lab-error'

/** Status of codes that say more than their kind does. */
const statusOfCode: Readonly<Record<string, number>> = {
  'malformed-json': 400,
  'request-invalid': 400,
  'cursor-invalid': 400,
  'sign-in-needed': 401,
  'token-refused': 401,
  'wrong-credentials': 401,
  forbidden: 403,
  'scope-missing': 403,
  'origin-refused': 403,
  'registration-closed': 403,
  'second-factor-needed': 403,
  'code-wrong': 401,
  'second-step-over': 410,
  'second-factor-on': 409,
  'second-factor-off': 409,
  'second-factor-not-begun': 409,
  'second-factor-missing': 409,
  'passkey-refused': 401,
  'passkey-removed': 401,
  'passkey-too-late': 410,
  'passkeys-need-address': 409,
  'passkeys-too-many': 409,
  'enrollment-refused': 403,
  'not-found': 404,
  'method-not-allowed': 405,
  'already-set-up': 409,
  'address-taken': 409,
  'last-admin': 409,
  'group-exists': 409,
  'not-permitted': 403,
  'reservations-full': 409,
  'quota-used': 409,
  'group-cycle': 409,
  'import-overtaken': 409,
  'runs-open': 409,
  'already-done': 409,
  'still-at-work': 409,
  'outcome-unknown': 409,
  'idempotency-key-reused': 409,
  'booking-conflict': 409,
  'booking-overlaps-own': 409,
  'booking-over': 409,
  'booking-begun': 409,
  'bookings-too-many': 409,
  'recurring-too-many': 409,
  'owner-left': 409,
  'bench-busy': 409,
  'bench-fault': 409,
  'bench-maintenance': 409,
  'bench-offline': 409,
  'outages-too-many': 409,
  'still-in-use': 409,
  'fence-stale': 409,
  'lease-ended': 409,
  'lease-invalid': 409,
  'no-bench': 409,
  'operation-overtaken': 409,
  'run-not-assigned': 409,
  'session-not-active': 409,
  'session-ended': 409,
  'session-not-repeatable': 409,
  'no-sessions': 409,
  'no-own-server': 409,
  'somebody-waits': 409,
  'bench-booked': 409,
  'upgrade-needed': 426,
  'not-in-control': 409,
  'session-busy': 429,
  'link-used-or-expired': 410,
  'invitation-over': 410,
  'body-too-large': 413,
  'wrong-content-type': 415,
  'too-many-attempts': 429,
  'value-unknown': 422,
  'not-built-yet': 501,
  'mail-failed': 502,
  'runs-refused': 507,
  'disk-full': 507,
  'deadline-exceeded': 504,
  'node-offline': 503,
}

const statusOfKind: Readonly<Record<LabErrorKind, number>> = {
  caller: 422,
  configuration: 503,
  instrument: 502,
  link: 503,
  bug: 500,
}

/** The HTTP status of an error. */
export function statusOf({ code, kind }: Pick<LabError, 'code' | 'kind'>): number {
  return statusOfCode[code] ?? (code.endsWith('-unknown') ? 404 : statusOfKind[kind])
}

/** The problem document of an error; what a bug says, and where the hub's files are, stays in the log. */
export function problemOf(thrown: unknown, instance?: string): Problem {
  const error = asLabError(thrown)
  const status = statusOf(error)
  const inside = error.kind === 'bug' || error.code === 'database-unusable'
  const issues = error.issues.map((issue) => ({ ...issue }))
  const details = error.kind === 'caller' && Object.keys(error.details).length > 0 ? { details: error.details } : {}
  return {
    type: `urn:fernlab:problem:${error.code}`,
    title: titleOf(error.code),
    status,
    detail: inside ? 'something went wrong inside the hub; the staff can see what in its log' : error.message,
    code: error.code,
    hint: hintOf(error, status),
    retry: error.retry,
    ...(issues.length > 0 ? { issues } : {}),
    ...details,
    ...(instance === undefined ? {} : { instance }),
  }
}

function titleOf(code: string): string {
  const words = code.replaceAll('-', ' ')
  return words.charAt(0).toUpperCase() + words.slice(1)
}

function hintOf(error: LabError, status: number): string {
  if (error.studentMessage !== error.message) return error.studentMessage
  if (error.kind === 'bug' || error.code === 'database-unusable')
    return 'Nothing that you did caused this. Try again; if it stays, tell the staff.'
  if (status === 404) return 'Check the address. It may have been removed, or it may belong to somebody else.'
  if (error.issues.length > 0) return 'Correct what is listed and send it again; nothing was changed.'
  return error.message
}

/** The answer for an error. */
export function problemResponse(thrown: unknown, instance?: string, headers: Record<string, string> = {}): Response {
  const problem = problemOf(thrown, instance)
  const retryAfter = problem.retry === 'later' && problem.status >= 500 ? { 'retry-after': '5' } : {}
  return new Response(JSON.stringify(problem), {
    status: problem.status,
    headers: { 'content-type': 'application/problem+json', 'cache-control': 'no-store', ...retryAfter, ...headers },
  })
}

/** An error of the caller's with words for the student. */
export function refusal(code: string, message: string, studentMessage?: string): LabError {
  return new LabError({ code, kind: 'caller', message, ...(studentMessage === undefined ? {} : { studentMessage }) })
}

/** What strangers' things look like to others too: as if they were not there. */
export function notFound(what: string): LabError {
  return refusal('not-found', `${what} does not exist`)
}
