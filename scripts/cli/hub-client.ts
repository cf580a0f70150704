import { problemSchema } from '@fernlab/shared/contracts/api'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { createParser, type EventSourceMessage } from 'eventsource-parser'
import type { z } from 'zod'
import type { HubAccess } from './hub-address.ts'
import { mistake } from './problem.ts'

export interface RequestOptions {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE'
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
  readonly timeoutMs?: number
}

/** Calls a hub's HTTP API; answers are checked against their schema, refusals become LabErrors with their issues. */
export class HubClient {
  readonly #access: HubAccess

  constructor(access: HubAccess) {
    this.#access = access
  }

  get url(): string {
    return this.#access.url
  }

  /** One call; returns the checked answer. */
  async call<Schema extends z.ZodType>(
    schema: Schema,
    path: string,
    options: RequestOptions = {},
  ): Promise<z.infer<Schema>> {
    const response = await this.fetch(path, options)
    const answer = schema.safeParse(response.status === 204 ? undefined : await response.json())
    if (answer.success) return answer.data
    throw new LabError({
      code: 'unexpected-answer',
      kind: 'link',
      message: `${this.url}${path} answered something else than this fernlab expects; are both of one version?`,
      issues: answer.error.issues.map((issue) => ({ path: issue.path.join('.'), message: issue.message })),
    })
  }

  /** One call whose answer the caller reads itself. */
  async fetch(path: string, options: RequestOptions = {}): Promise<Response> {
    const { method = 'GET', body, headers = {}, signal, timeoutMs = 30_000 } = options
    const signals = [AbortSignal.timeout(timeoutMs), ...(signal === undefined ? [] : [signal])]
    const response = await this.#send(path, {
      method,
      headers: {
        ...this.#authorization(),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      signal: AbortSignal.any(signals),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    if (!response.ok) throw await this.#refusal(response)
    return response
  }

  /** Server-sent events until the stream ends or the signal aborts. */
  async *events(
    path: string,
    options: { signal: AbortSignal; lastEventId?: string },
  ): AsyncGenerator<EventSourceMessage> {
    const response = await this.#send(path, {
      headers: {
        ...this.#authorization(),
        accept: 'text/event-stream',
        ...(options.lastEventId === undefined ? {} : { 'last-event-id': options.lastEventId }),
      },
      signal: options.signal,
    })
    if (!response.ok) throw await this.#refusal(response)
    const waiting: EventSourceMessage[] = []
    const parser = createParser({ onEvent: (event) => waiting.push(event) })
    const decoder = new TextDecoder()
    for await (const chunk of response.body ?? []) {
      parser.feed(decoder.decode(chunk as Uint8Array, { stream: true }))
      yield* waiting.splice(0)
    }
  }

  /** Where and as whom a WebSocket of the hub is opened. */
  webSocket(path: string): { readonly url: string; readonly headers: Readonly<Record<string, string>> } {
    return { url: `${this.url.replace(/^http/, 'ws')}${path}`, headers: this.#authorization() }
  }

  #authorization(): Record<string, string> {
    return this.#access.token === undefined ? {} : { authorization: `Bearer ${this.#access.token}` }
  }

  async #send(path: string, init: RequestInit): Promise<Response> {
    try {
      return await fetch(`${this.url}${path}`, init)
    } catch (error) {
      if (init.signal?.aborted && init.signal.reason?.name !== 'TimeoutError') throw init.signal.reason
      const cause = error instanceof Error && error.cause instanceof Error ? error.cause : (error as Error)
      throw new LabError({
        code: 'hub-unreachable',
        kind: 'link',
        retry: 'later',
        message: `no hub answers at ${this.url} (${'code' in cause ? cause.code : cause.message})\n  Start one with "npm start", or name another with --hub or FERNLAB_HUB.`,
        cause: error,
      })
    }
  }

  async #refusal(response: Response): Promise<LabError> {
    const text = await response.text()
    const problem = problemSchema.safeParse(jsonOrUndefined(text))
    if (response.status === 401) {
      const next =
        this.#access.token === undefined
          ? 'Log in with "fernlab login", or set FERNLAB_TOKEN.'
          : 'The token is wrong, expired or revoked: "fernlab login" gets another.'
      return mistake('not-signed-in', `the hub at ${this.url} does not know who you are`, next)
    }
    if (!problem.success) {
      return new LabError({
        code: 'unexpected-answer',
        kind: 'link',
        message: `the hub answered ${response.status} ${response.statusText}`,
      })
    }
    const { code, detail, hint, issues = [], retry = 'never', details = {} } = problem.data
    const message = hint === undefined || hint === detail ? detail : `${detail}\n  ${hint}`
    return new LabError({ code, kind: 'caller', message, retry, details, issues: issues.map(withoutUndefined) })
  }
}

function withoutUndefined(issue: {
  path: string
  message: string
  file?: string | undefined
  line?: number | undefined
  column?: number | undefined
}) {
  const { path, message, file, line, column } = issue
  return {
    path,
    message,
    ...(file === undefined ? {} : { file }),
    ...(line === undefined ? {} : { line }),
    ...(column === undefined ? {} : { column }),
  }
}

function jsonOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
