import type { Problem } from '@fernlab/shared/contracts/api'

/** What the hub said when it refused, or that it did not answer (`code: 'network'`). */
export class ApiProblem extends Error {
  readonly status: number
  readonly code: string
  /** For the person: what happened, what was kept, what to do. */
  readonly hint: string | undefined
  readonly issues: NonNullable<Problem['issues']>
  /** Of what the person can act on: free times, counts. */
  readonly details: NonNullable<Problem['details']>

  constructor(status: number, problem: Partial<Problem>) {
    super(problem.detail ?? problem.title ?? `HTTP ${status}`)
    this.name = 'ApiProblem'
    this.status = status
    this.code = problem.code ?? `http-${status}`
    this.hint = problem.hint
    this.issues = problem.issues ?? []
    this.details = problem.details ?? {}
  }
}

/** True when there is nothing at an address: none of that id, or what stands there can be no id. */
export const isAbsent = (error: unknown): boolean =>
  error instanceof ApiProblem && (error.status === 404 || error.code === 'request-invalid')

/** True when the hub does not know, or no longer, who asks. */
export const isSignInNeeded = (error: unknown): boolean =>
  error instanceof ApiProblem && error.code === 'sign-in-needed'

/** A person's way of hearing whether the hub answers; `openConnection` makes one. */
export interface Reachability {
  answered(): void
  silent(): void
}

export interface Api {
  get<T>(path: string, signal?: AbortSignal): Promise<T>
  send<T>(method: 'POST' | 'PUT' | 'DELETE', path: string, body?: unknown, headers?: HeadersInit): Promise<T>
  /** An answer that is read as it comes; throws ApiProblem when it is not 2xx. */
  open(path: string, headers: HeadersInit, signal: AbortSignal): Promise<Response>
}

/** Calls the hub that served this page; every answer or silence is told to `reachability`. */
export function openApi({ reachability, fetch }: { reachability: Reachability; fetch: typeof globalThis.fetch }): Api {
  async function call(path: string, init: RequestInit): Promise<Response> {
    let response: Response
    try {
      response = await fetch(path, { credentials: 'same-origin', ...init })
    } catch (error) {
      if (init.signal?.aborted === true) throw error
      reachability.silent()
      throw new ApiProblem(0, { code: 'network' })
    }
    if (response.status === 502 || response.status === 504) reachability.silent()
    else reachability.answered()
    if (!response.ok) throw new ApiProblem(response.status, await problemIn(response))
    return response
  }
  async function json<T>(response: Response): Promise<T> {
    return (response.status === 204 ? undefined : await response.json()) as T
  }
  return {
    get: async (path, signal) =>
      json(await call(path, { headers: { accept: 'application/json' }, ...(signal ? { signal } : {}) })),
    send: async (method, path, body, headers) =>
      json(
        await call(path, {
          method,
          headers: {
            accept: 'application/json',
            ...(body === undefined ? {} : { 'content-type': 'application/json' }),
            ...headers,
          },
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        }),
      ),
    open: (path, headers, signal) => call(path, { headers, signal }),
  }
}

async function problemIn(response: Response): Promise<Partial<Problem>> {
  try {
    const body = (await response.json()) as Partial<Problem> & { message?: string }
    return body.detail === undefined && body.message !== undefined ? { ...body, detail: body.message } : body
  } catch {
    return {} // a proxy's page, not ours: the status says it all
  }
}
