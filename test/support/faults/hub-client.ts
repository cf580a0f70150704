/** The hub's HTTP API as a patient client uses it: keeps asking through restarts, with one idempotency key per run. */
import { randomUUID } from 'node:crypto'
import type { NodeInfo, Run, SubmitRun } from '@fernlab/shared/contracts/api'
import { isFinal } from '@fernlab/shared/contracts/run-state'

export interface Answer {
  readonly status: number
  readonly body: unknown
}

export class HubClient {
  readonly #base: () => string
  readonly token: string

  constructor(base: () => string, token: string) {
    this.#base = base
    this.token = token
  }

  /** One request; rejects when the hub is not there. */
  async ask(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    const response = await fetch(`${this.#base()}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${this.token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(15_000),
    })
    const text = await response.text()
    const json = /^application\/(problem\+)?json\b/.test(response.headers.get('content-type') ?? '')
    return { status: response.status, body: json && text !== '' ? JSON.parse(text) : text }
  }

  /** As `ask`, again until the hub is there, and with an answer of 2xx; throws on a 4xx. */
  async get<T>(path: string, timeoutMs = 30_000): Promise<T> {
    return (await this.insist('GET', path, undefined, {}, timeoutMs)).body as T
  }

  async insist(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
    timeoutMs = 30_000,
  ): Promise<Answer> {
    let last = 'no answer'
    for (const deadline = performance.now() + timeoutMs; performance.now() < deadline; await pause(50)) {
      try {
        const answer = await this.ask(method, path, body, headers)
        if (answer.status < 300) return answer
        last = `${answer.status} ${JSON.stringify(answer.body)}`
        if (answer.status < 500 && answer.status !== 429) break
      } catch (error) {
        last = String((error as Error).cause ?? error) // the hub is being restarted
      }
    }
    throw new Error(`${method} ${path}: ${last}`)
  }

  /** Submits a run until the hub has answered 201 (or 200 for a repetition); returns its id. */
  async submit(body: SubmitRun, key: string = randomUUID()): Promise<string> {
    const { body: run } = await this.insist('POST', '/api/v1/runs', body, { 'idempotency-key': key })
    return (run as Run).id
  }

  /** Resolves when the run is in a final state. */
  async finished(id: string, timeoutMs = 45_000): Promise<Run> {
    let run: Run | undefined
    for (const deadline = performance.now() + timeoutMs; performance.now() < deadline; await pause(60)) {
      run = await this.get<Run>(`/api/v1/runs/${id}`)
      if (isFinal(run.state)) return run
    }
    throw new Error(`run ${id} is still ${run?.state} after ${timeoutMs} ms: ${JSON.stringify(run)}`)
  }

  /** Resolves when the run is in that state, or in a later one. */
  async reached(id: string, states: readonly string[], timeoutMs = 30_000): Promise<Run> {
    let run: Run | undefined
    for (const deadline = performance.now() + timeoutMs; performance.now() < deadline; await pause(20)) {
      run = await this.get<Run>(`/api/v1/runs/${id}`)
      if (states.includes(run.state)) return run
    }
    throw new Error(
      `run ${id} is ${run?.state}, not ${states.join(' or ')}, after ${timeoutMs} ms: ${JSON.stringify(run)}`,
    )
  }

  /** Resolves when the node is online. */
  async online(node: string, timeoutMs = 30_000): Promise<void> {
    let seen: NodeInfo | undefined
    for (const deadline = performance.now() + timeoutMs; performance.now() < deadline; await pause(50)) {
      const { items } = await this.get<{ items: NodeInfo[] }>('/api/v1/nodes')
      seen = items.find(({ id }) => id === node)
      if (seen?.state === 'online') return
    }
    throw new Error(`node ${node} is not online after ${timeoutMs} ms: ${JSON.stringify(seen)}`)
  }
}

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** The promise's value, or a failure that says what did not happen in time. */
export async function within<T>(ms: number, what: string, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} did not happen within ${ms} ms`)), ms)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}
