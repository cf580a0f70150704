/** Errors as RFC 9457 problems: one place decides status, words and what stays inside. */
import type { Problem } from '@fernlab/shared/contracts/api'
import { asLabError, LabError, type LabErrorKind } from '@fernlab/shared/primitives/lab-error'
import { errorCodes } from './error-codes.ts'

const statusOfKind: Readonly<Record<LabErrorKind, number>> = {
  caller: 422,
  configuration: 503,
  instrument: 502,
  link: 503,
  bug: 500,
}

/** The HTTP status of an error. */
export function statusOf({ code, kind }: Pick<LabError, 'code' | 'kind'>): number {
  return errorCodes[code]?.status ?? (code.endsWith('-unknown') ? 404 : statusOfKind[kind])
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
  if (error.code === 'service-unknown') {
    return 'Look which there are: fernlab directory. One whose daemon is stopped is in none: fernlab daemon ps, on its node.'
  }
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
