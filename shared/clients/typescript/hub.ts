/** A hub's HTTP API, as far as a client of services needs it. */
import type * as z from 'zod'
import { problemSchema } from '../../contracts/api.ts'
import { whyUnreachable } from '../../links/why-unreachable.ts'
import { LabError } from '../../primitives/lab-error.ts'

/** What is used of an answer; a body is read by `hub-lines.ts` alone. */
export interface HubAnswer {
  readonly ok: boolean
  readonly status: number
  text(): Promise<string>
  readonly body?: {
    getReader(): { read(): Promise<{ readonly done: boolean; readonly value?: Uint8Array | undefined }> }
  } | null
}

/** What is used of `fetch`. */
export type HubFetch = (
  url: string,
  options: { method: string; headers: Record<string, string>; body?: string; signal: AbortSignal },
) => Promise<HubAnswer>

export interface CreateHubOptions {
  /** `https://lab.example.org`, with the path below which the hub is. */
  readonly url: string
  /** An API token; a page has its cookie instead. */
  readonly token?: string
  readonly fetch: HubFetch
}

export interface AskOptions {
  readonly method?: 'GET' | 'POST' | 'DELETE'
  readonly query?: Readonly<Record<string, string | readonly string[] | undefined>>
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal | undefined
}

const TIMEOUT_MS = 30_000
const kinds = { 4: 'caller', 5: 'link' } as const

/** Asks a hub; refusals become LabErrors with their code and issues, silence `hub-unreachable`. */
export class Hub {
  readonly url: string
  readonly #token: string | undefined
  readonly #fetch: HubFetch

  constructor({ url, token, fetch }: CreateHubOptions) {
    this.url = url.replace(/\/+$/, '')
    this.#token = token
    this.#fetch = fetch
  }

  async ask<Schema extends z.ZodType>(
    schema: Schema,
    path: string,
    { signal, ...options }: AskOptions = {},
  ): Promise<z.infer<Schema>> {
    const late = AbortSignal.timeout(TIMEOUT_MS)
    const response = await this.#send(
      path,
      { ...options, signal: signal === undefined ? late : AbortSignal.any([signal, late]) },
      signal,
    )
    const text = await response.text().catch((cause: unknown) => {
      signal?.throwIfAborted()
      throw this.unreachable(cause)
    })
    const value = jsonOf(text)
    if (!response.ok) throw refusal(value, response.status, this.url)
    const read = schema.safeParse(value)
    if (read.success) return read.data
    throw new LabError({
      code: 'unexpected-answer',
      kind: 'link',
      message: `${this.url}/api/v1${path} answered something else than this client expects; it may be of another version`,
      issues: read.error.issues.map((issue) => ({ path: issue.path.join('.'), message: issue.message })),
    })
  }

  /** An answer that the caller reads, for as long as its signal lets it: refusals and silence as those of `ask`. */
  async open(path: string, options: AskOptions & { readonly signal: AbortSignal }): Promise<HubAnswer> {
    const { signal } = options
    const response = await this.#send(path, options, signal)
    if (response.ok) return response
    const text = await response.text().catch((cause: unknown) => {
      signal.throwIfAborted()
      throw this.unreachable(cause)
    })
    throw refusal(jsonOf(text), response.status, this.url)
  }

  unreachable(cause: unknown): LabError {
    return new LabError({
      code: 'hub-unreachable',
      kind: 'link',
      retry: 'later',
      message: `the hub at ${this.url} can't be reached: ${whyUnreachable(this.url, cause)}`,
      cause,
    })
  }

  /** Rejects with the reason of the caller's signal when it was that one which ended it. */
  async #send(
    path: string,
    { method = 'GET', query = {}, body, headers = {}, signal }: AskOptions & { readonly signal: AbortSignal },
    callers: AbortSignal | undefined,
  ): Promise<HubAnswer> {
    try {
      return await this.#fetch(`${this.url}/api/v1${path}${queryText(query)}`, {
        method,
        headers: {
          ...headers,
          ...(this.#token === undefined ? {} : { authorization: `Bearer ${this.#token}` }),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        signal,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
    } catch (cause) {
      callers?.throwIfAborted()
      throw this.unreachable(cause)
    }
  }
}

function refusal(value: unknown, status: number, url: string): LabError {
  const problem = problemSchema.safeParse(value)
  if (!problem.success) {
    const message = `${url} answered with status ${status}`
    return new LabError({ code: 'unexpected-answer', kind: 'link', retry: status >= 500 ? 'later' : 'never', message })
  }
  const { code, detail, hint, retry, issues = [], details } = problem.data
  return new LabError({
    code,
    kind: kinds[status >= 500 ? 5 : 4],
    message: withIssues(detail, issues),
    ...(hint === undefined ? {} : { studentMessage: hint }),
    ...(retry === undefined ? {} : { retry }),
    issues: issues as LabError['issues'],
    ...(details === undefined ? {} : { details }),
  })
}

const mostSaid = 10

/** The message with each issue that it does not say itself: `wrong: points must be at least 2; foo is unknown`. */
function withIssues(message: string, issues: readonly { readonly path: string; readonly message: string }[]): string {
  const isSaid = ({ path, message: what }: (typeof issues)[number]) =>
    [' ', ': '].some((between) => message.includes(`${path}${between}${what}`.trim()))
  const unsaid = issues.filter((issue) => !isSaid(issue))
  if (unsaid.length === 0) return message
  const said = unsaid.slice(0, mostSaid).map((issue) => `${issue.path} ${issue.message}`.trim())
  return `${message}: ${[...said, ...(unsaid.length > mostSaid ? [`and ${unsaid.length - mostSaid} more`] : [])].join('; ')}`
}

function queryText(query: NonNullable<AskOptions['query']>): string {
  const pairs = Object.entries(query).flatMap(([name, value]) =>
    value === undefined ? [] : [value].flat().map((one): [string, string] => [name, one as string]),
  )
  return pairs.length === 0 ? '' : `?${new URLSearchParams(pairs)}`
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
