/** What kind of thing went wrong; decides who is told and what the HTTP status is. */
export type LabErrorKind = 'caller' | 'configuration' | 'instrument' | 'link' | 'bug'

/** Whether repeating the same call can help: never, after a while, or at once. */
export type Retry = 'never' | 'later' | 'now'

/** One thing wrong at one place of an input, in the form `steps[3].set.voltage: 12 V is above the limit of 5 V`. */
export interface Issue {
  /** Where in the input: `parameters.voltage`, `steps[3].set.voltage`; empty for the whole. */
  readonly path: string
  readonly message: string
  /** Source position (1-based) when the input came from a file. */
  readonly file?: string
  readonly line?: number
  readonly column?: number
}

export interface LabErrorInit {
  /** Stable, kebab-case, part of the API: `parameter-out-of-limits`. */
  readonly code: string
  readonly kind: LabErrorKind
  /** For staff: exact, with names and numbers. */
  readonly message: string
  /** For students: what happened, what was kept, what to do. Defaults to `message`. */
  readonly studentMessage?: string
  readonly retry?: Retry
  readonly issues?: readonly Issue[]
  /** Machine-readable facts: instrument, command, elapsedMs. Never secrets. */
  readonly details?: Readonly<Record<string, string | number | boolean | null>>
  readonly cause?: unknown
}

/** The form of a LabError in messages, documents and the database. */
export interface LabErrorJson {
  readonly code: string
  readonly kind: LabErrorKind
  readonly message: string
  readonly studentMessage: string
  readonly retry: Retry
  readonly issues?: readonly Issue[]
  readonly details?: Readonly<Record<string, string | number | boolean | null>>
}

/** The one error class of Fernlab; every throw that a caller can meet is one. */
export class LabError extends Error {
  readonly code: string
  readonly kind: LabErrorKind
  readonly studentMessage: string
  readonly retry: Retry
  readonly issues: readonly Issue[]
  readonly details: Readonly<Record<string, string | number | boolean | null>>

  constructor(init: LabErrorInit) {
    super(init.message, init.cause === undefined ? undefined : { cause: init.cause })
    this.name = 'LabError'
    this.code = init.code
    this.kind = init.kind
    this.studentMessage = init.studentMessage ?? init.message
    this.retry = init.retry ?? 'never'
    this.issues = init.issues ?? []
    this.details = init.details ?? {}
  }

  toJSON(): LabErrorJson {
    return {
      code: this.code,
      kind: this.kind,
      message: this.message,
      studentMessage: this.studentMessage,
      retry: this.retry,
      ...(this.issues.length > 0 ? { issues: this.issues } : {}),
      ...(Object.keys(this.details).length > 0 ? { details: this.details } : {}),
    }
  }

  /** Rebuilds an error that came over a link; the stack is the receiver's. */
  static fromJSON(json: LabErrorJson): LabError {
    return new LabError(json)
  }
}

/** Makes a LabError of anything thrown: a LabError stays itself, all else becomes a bug with its cause. */
export function asLabError(thrown: unknown): LabError {
  if (thrown instanceof LabError) return thrown
  const message = thrown instanceof Error ? thrown.message : String(thrown)
  return new LabError({
    code: 'internal-error',
    kind: 'bug',
    message: `unexpected: ${message}`,
    studentMessage: 'Something went wrong inside the lab. The staff can see what in the log.',
    cause: thrown,
  })
}

/** Writes issues one a line: `lab.yaml:12:3: steps[0].set.voltage: 12 V is above …`. */
export function formatIssues(issues: readonly Issue[]): string {
  return issues
    .map((issue) => {
      const place = issue.file === undefined ? '' : `${issue.file}:${issue.line ?? 1}:${issue.column ?? 1}: `
      return `${place}${issue.path === '' ? '' : `${issue.path}: `}${issue.message}`
    })
    .join('\n')
}
