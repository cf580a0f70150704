/**
 * Requests to one instrument over HTTP.
 *
 * INVARIANTS: nothing is sent but to the configured origin, whatever it answers, and redirects are not followed; TLS
 * certificates are verified; an answer is cut off at 64 kB; no error and no log line holds a secret or a header.
 */
import { request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { withDeadline } from '@fernlab/shared/primitives/deadline'
import { LabError, type LabErrorKind } from '@fernlab/shared/primitives/lab-error'

export interface HttpClientOptions {
  readonly instrument: string
  readonly base: URL
  readonly headers: Readonly<Record<string, string>>
  /** Headers with secrets; read anew for each request. */
  readonly secrets: () => Promise<Readonly<Record<string, string>>>
  /** PEM of an authority to trust instead of the system's. */
  readonly ca: () => Promise<string | undefined>
  readonly timeoutMs: number
  readonly clock: Clock
}

export interface HttpCall {
  readonly method: string
  readonly path: string
  readonly body?: { readonly type: string; readonly text: string }
}

const MOST_ANSWER_BYTES = 64 * 1024

/** Sends one request and gives the text of a good answer. */
export type HttpClient = (call: HttpCall, signal: AbortSignal) => Promise<string>

/** A client for one origin. */
export function createHttpClient(options: HttpClientOptions): HttpClient {
  const { instrument, base, timeoutMs, clock } = options
  return async (call, signal) => {
    const url = new URL(call.path, base)
    if (url.origin !== base.origin || !url.pathname.startsWith(base.pathname))
      throw failure(options, call, 'configuration', 'http-elsewhere', 'leads elsewhere')
    const late = () =>
      new LabError({
        code: 'instrument-silent',
        kind: 'instrument',
        retry: 'later',
        message: `${instrument} did not answer ${call.method} ${call.path} within ${timeoutMs} ms`,
        studentMessage: 'An instrument of this bench does not answer. What was measured until then is kept.',
        details: { instrument, command: `${call.method} ${call.path}`, timeoutMs },
      })
    return await withDeadline(clock, timeoutMs, signal, late, async (within) => {
      const { status, location, text } = await exchange(options, url, call, within)
      if (status >= 200 && status < 300) return text
      throw refusal(options, call, status, location)
    })
  }
}

interface Answer {
  readonly status: number
  readonly location: string | undefined
  readonly text: string
}

async function exchange(options: HttpClientOptions, url: URL, call: HttpCall, signal: AbortSignal): Promise<Answer> {
  const secure = url.protocol === 'https:'
  const [secrets, ca] = await Promise.all([options.secrets(), secure ? options.ca() : undefined])
  const payload = call.body === undefined ? undefined : Buffer.from(call.body.text)
  const headers = {
    ...options.headers,
    ...secrets,
    ...(call.body === undefined ? {} : { 'content-type': call.body.type, 'content-length': payload?.length ?? 0 }),
  }
  signal.throwIfAborted()
  return await new Promise<Answer>((resolve, reject) => {
    const fail = (cause: Error) => {
      if (signal.aborted) reject(signal.reason)
      else if (cause instanceof LabError) reject(cause)
      else reject(failure(options, call, 'link', 'instrument-disconnected', `cannot be reached: ${cause.message}`))
    }
    const begin = secure ? requestHttps : requestHttp
    const tls = ca === undefined ? {} : { ca }
    const sent = begin(url, { method: call.method, headers, agent: false, signal, ...tls }, (response) => {
      const chunks: Buffer[] = []
      let bytes = 0
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length
        chunks.push(chunk)
        if (bytes <= MOST_ANSWER_BYTES) return
        const why = `answers with more than ${MOST_ANSWER_BYTES / 1024} kB`
        sent.destroy(failure(options, call, 'instrument', 'reply-garbled', why))
      })
      response.on('error', fail)
      response.on('end', () => {
        const { location } = response.headers
        resolve({ status: response.statusCode ?? 0, location, text: Buffer.concat(chunks).toString('utf8') })
      })
    })
    sent.on('error', fail)
    sent.end(payload)
  })
}

function refusal(options: HttpClientOptions, call: HttpCall, status: number, location: string | undefined): LabError {
  if (status >= 300 && status < 400) {
    const to = location === undefined ? 'another address' : JSON.stringify(location.slice(0, 200))
    const why = `redirects to ${to}, which is not followed: write the instrument's own address in url`
    return failure(options, call, 'configuration', 'http-redirected', why)
  }
  if (status === 401 || status === 403) {
    const why = `does not let the node in (status ${status}): look at auth and its secretFile`
    return failure(options, call, 'configuration', 'instrument-credentials', why)
  }
  if (status === 404) {
    return failure(options, call, 'instrument', 'instrument-refused', 'has no such address (status 404)')
  }
  return failure(options, call, 'instrument', 'instrument-refused', `answers with status ${status}`)
}

function failure(
  { instrument, base }: HttpClientOptions,
  { method, path }: HttpCall,
  kind: LabErrorKind,
  code: string,
  why: string,
): LabError {
  return new LabError({
    code,
    kind,
    ...(kind === 'link' ? { retry: 'later' as const } : {}),
    message: `${instrument}: ${method} ${path} at ${base.origin} ${why}`,
    studentMessage: 'An instrument of this bench does not work as it should. The staff can see why in the log.',
    details: { instrument, command: `${method} ${path}` },
  })
}
