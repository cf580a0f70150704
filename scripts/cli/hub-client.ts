import { rootCertificates } from 'node:tls'
import { problemSchema } from '@fernlab/shared/contracts/api'
import { createFetch, type Fetch, type FetchOptions, redirectedTo } from '@fernlab/shared/links/trusting-fetch'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { createParser, type EventSourceMessage } from 'eventsource-parser'
import type { z } from 'zod'
import type { HubAccess } from './hub-address.ts'
import { mistake } from './problem.ts'
import { unreachable } from './unreachable.ts'

type Asked = FetchOptions & { readonly timeoutMs?: number }

export interface RequestOptions {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE'
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
  readonly timeoutMs?: number
  /** Of an answer that says something with an error's status too. */
  readonly anyStatus?: boolean
}

/** Of those whom the hub does not know; another 401 is a wrong password or code of somebody whom it does. */
const strangerCodes = ['sign-in-needed', 'token-refused']

/** Calls a hub's HTTP API; answers are checked against their schema, refusals become LabErrors with their issues. */
export class HubClient {
  readonly #access: HubAccess
  readonly #fetch: Fetch

  constructor(access: HubAccess) {
    this.#access = access
    this.#fetch = createFetch(access.ca)
  }

  get url(): string {
    return this.#access.url
  }

  /** The same hub for somebody else: by another token, by the cookie of a sign-in, or as a stranger. */
  as(who: Pick<HubAccess, 'token' | 'cookie'>): HubClient {
    const { url, ca } = this.#access
    return new HubClient({ url, ...(ca === undefined ? {} : { ca }), ...who })
  }

  /** One call; returns the checked answer. */
  async call<Schema extends z.ZodType>(
    schema: Schema,
    path: string,
    options: RequestOptions = {},
  ): Promise<z.infer<Schema>> {
    const response = await this.fetch(path, options)
    const text = await response.text().catch((error: unknown) => {
      throw unreachable(this.url, error, options)
    })
    const answer = schema.safeParse(text === '' ? undefined : jsonOrUndefined(text))
    if (answer.success) return answer.data
    throw new LabError({
      code: 'unexpected-answer',
      kind: 'link',
      message: `${this.url}${path} answered something else than this fernlab expects\n  It may be of another version, or no hub: "fernlab doctor" looks.`,
      issues: answer.error.issues.map((issue) => ({ path: issue.path.join('.'), message: issue.message })),
    })
  }

  /** One call whose answer the caller reads itself. */
  async fetch(path: string, options: RequestOptions = {}): Promise<Response> {
    const { method = 'GET', body, headers = {}, signal, timeoutMs = 30_000, anyStatus = false } = options
    const signals = [AbortSignal.timeout(timeoutMs), ...(signal === undefined ? [] : [signal])]
    const response = await this.#send(path, {
      method,
      headers: {
        ...this.#authorization(),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      signal: AbortSignal.any(signals),
      timeoutMs,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    if (!response.ok && !anyStatus) throw await this.refusalOf(response)
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
    if (!response.ok) throw await this.refusalOf(response)
    const waiting: EventSourceMessage[] = []
    const parser = createParser({ onEvent: (event) => waiting.push(event) })
    const decoder = new TextDecoder()
    for await (const chunk of response.body ?? []) {
      parser.feed(decoder.decode(chunk as Uint8Array, { stream: true }))
      yield* waiting.splice(0)
    }
  }

  /** Where and as whom a WebSocket of the hub is opened. */
  webSocket(path: string): {
    readonly url: string
    readonly headers: Readonly<Record<string, string>>
    readonly ca?: string[]
  } {
    const { ca } = this.#access
    const authorities = ca === undefined ? {} : { ca: [...rootCertificates, ca] }
    return { url: `${this.url.replace(/^http/, 'ws')}${path}`, headers: this.#authorization(), ...authorities }
  }

  #authorization(): Record<string, string> {
    const { url, token, cookie } = this.#access
    if (cookie !== undefined) return { cookie, origin: new URL(url).origin }
    return token === undefined ? {} : { authorization: `Bearer ${token}` }
  }

  async #send(path: string, init: Asked): Promise<Response> {
    const response = await this.#reach(path, init)
    const elsewhere = redirectedTo(response, `${this.url}${path}`)
    if (elsewhere === undefined) return response
    await response.body?.cancel()
    throw mistake(
      'hub-elsewhere',
      `the hub at ${this.url} is reached at ${elsewhere}`,
      'Give that address instead, with --hub or FERNLAB_HUB, or log in there with "fernlab login".',
    )
  }

  async #reach(path: string, init: Asked): Promise<Response> {
    try {
      return await this.#fetch(`${this.url}${path}`, init)
    } catch (error) {
      if (init.signal?.aborted && init.signal.reason?.name !== 'TimeoutError') throw init.signal.reason
      throw unreachable(this.url, error, init)
    }
  }

  /** What an answer that is not ok says. */
  async refusalOf(response: Response): Promise<LabError> {
    const text = await response.text().catch((error: unknown) => {
      throw unreachable(this.url, error, {})
    })
    const problem = problemSchema.safeParse(jsonOrUndefined(text))
    const stranger = !problem.success || strangerCodes.includes(problem.data.code)
    if (response.status === 401 && stranger) {
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
        message: `${this.url} answered ${response.status} ${response.statusText}, not as a hub does\n  Is it the hub's address? Behind a proxy, its log says more.`,
      })
    }
    const { code, detail, hint, issues = [], retry = 'never', details = {} } = problem.data
    const next = code === 'not-found' && detail.startsWith('/api/') ? otherVersion : hint
    const message = next === undefined || next === detail ? detail : `${detail}\n  ${next}`
    return new LabError({ code, kind: 'caller', message, retry, details, issues: issues.map(withoutUndefined) })
  }
}

const otherVersion = 'The hub does not know this call, so it is of another version: "fernlab doctor" compares the two.'

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
