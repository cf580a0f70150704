/** Errors on the wire: JSON-RPC's number for any client, the LabError for ours; hand-written, as each reply may hold one. */
import type { Issue, LabErrorJson, LabErrorKind, Retry } from '../primitives/lab-error.ts'
import { asLabError, LabError } from '../primitives/lab-error.ts'

export interface WireError {
  readonly code: number
  readonly message: string
  readonly data?: unknown
}

const kinds: readonly unknown[] = ['caller', 'configuration', 'instrument', 'link', 'bug'] satisfies LabErrorKind[]
const retries: readonly unknown[] = ['never', 'later', 'now'] satisfies Retry[]
const MOST_CHARS = 10_000
const MOST_ISSUES = 200

/** The error as it is sent. */
export function wireError(error: LabError): WireError {
  return { code: errorNumber(error), message: error.message, data: error.toJSON() }
}

/** The error that came; one of a stranger, without a LabError in it, becomes `remote-error`. */
export function readWireError(wire: WireError): LabError {
  const said = wire.message.slice(0, MOST_CHARS)
  const data = isRecord(wire.data) ? wire.data : {}
  const { code, kind, retry, studentMessage } = data
  if (typeof code !== 'string' || code.length > 100 || !kinds.includes(kind)) {
    return new LabError({ code: 'remote-error', kind: 'instrument', message: said, details: { number: wire.code } })
  }
  const json: LabErrorJson = {
    code,
    kind: kind as LabErrorKind,
    message: said,
    studentMessage: typeof studentMessage === 'string' ? studentMessage.slice(0, MOST_CHARS) : said,
    retry: retries.includes(retry) ? (retry as Retry) : 'never',
    issues: readIssues(data.issues),
    details: readDetails(data.details),
  }
  return LabError.fromJSON(json)
}

/** What was thrown, as a LabError, also where it can't be made a text. */
export function thrownError(thrown: unknown): LabError {
  try {
    return asLabError(thrown)
  } catch {
    return new LabError({
      code: 'internal-error',
      kind: 'bug',
      message: 'unexpected: something that has no text was thrown',
    })
  }
}

/** JSON-RPC 2.0, section 5.1: reserved numbers where they fit, the server's own for the rest. */
export function errorNumber({ code, kind }: LabError): number {
  if (code === 'rpc-unreadable') return -32700
  if (code === 'method-unknown') return -32601
  if (code === 'call-invalid') return -32602
  return kind === 'bug' ? -32603 : -32000
}

export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function readIssues(value: unknown): Issue[] {
  if (!Array.isArray(value)) return []
  return value.slice(0, MOST_ISSUES).flatMap((issue: unknown) => {
    if (!isRecord(issue) || typeof issue.path !== 'string' || typeof issue.message !== 'string') return []
    const { path, message, file, line, column } = issue
    return [
      {
        path,
        message,
        ...(typeof file === 'string' ? { file } : {}),
        ...(typeof line === 'number' ? { line } : {}),
        ...(typeof column === 'number' ? { column } : {}),
      },
    ]
  })
}

function readDetails(value: unknown): Record<string, string | number | boolean | null> {
  const details: Record<string, string | number | boolean | null> = {}
  if (!isRecord(value)) return details
  for (const [key, fact] of Object.entries(value).slice(0, MOST_ISSUES)) {
    if (fact === null || ['string', 'number', 'boolean'].includes(typeof fact)) details[key] = fact as string
  }
  return details
}

/** A message that is not what it should be. */
export const unreadable = (why: string, cause?: unknown): LabError =>
  new LabError({
    code: 'rpc-unreadable',
    kind: 'caller',
    message: `the message can't be read: ${why}`,
    ...(cause === undefined ? {} : { cause }),
  })

/** More than a link carries. */
export const tooLarge = (what: string, limit: number): LabError =>
  new LabError({ code: 'message-too-large', kind: 'caller', message: what, details: { limit } })

/** The call was not done, since too much is under way. */
export const busy = (message: string): LabError =>
  new LabError({ code: 'link-busy', kind: 'link', retry: 'later', message })

const ENDED = 'the link ended: '

/** The link is gone; what the error is told of was not done, or may be done again. */
export const linkEnded = (why: string): LabError =>
  new LabError({ code: 'link-ended', kind: 'link', retry: 'now', message: `${ENDED}${why}` })

/** Why a link ended, of the error that it ended with. */
export const whyEnded = ({ message }: LabError): string =>
  message.startsWith(ENDED) ? message.slice(ENDED.length) : message
