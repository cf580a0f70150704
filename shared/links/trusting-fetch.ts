/** HTTP calls that also trust an authority of the operator's own; the built-in `fetch` takes none. */
import { request } from 'node:https'
import { Readable } from 'node:stream'
import type { ReadableStream } from 'node:stream/web'
import { rootCertificates } from 'node:tls'

/** What our callers use of `fetch`: a body of text. */
export interface FetchOptions {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  readonly signal?: AbortSignal
}
/** Follows no redirect: see `redirectedTo`. */
export type Fetch = (url: string | URL, options?: FetchOptions) => Promise<Response>

/** `fetch` itself without an authority (PEM), else one that trusts it for https besides the well-known ones. */
export function createFetch(ca: string | undefined): Fetch {
  const plain: Fetch = (url, options) => fetch(url, { ...options, redirect: 'manual' })
  if (ca === undefined) return plain
  const authorities = [...rootCertificates, ca]
  return (url, options = {}) =>
    new URL(url).protocol === 'https:' ? fetchOverTls(new URL(url), options, authorities) : plain(url, options)
}

/**
 * Where a server is reached that was called at another address; undefined unless it says so. A call that was followed there
 * would lose its body or its token, and the authority that it was to trust.
 */
export function redirectedTo({ status, headers }: Response, asked: string | URL): string | undefined {
  const location = headers.get('location')
  if (![301, 302, 303, 307, 308].includes(status) || location === null) return undefined
  const from = new URL(asked)
  if (!URL.canParse(location, from.href)) return undefined
  const to = new URL(location, from)
  // What stands before the path of the call stays the server's.
  const before = to.pathname.endsWith(from.pathname) ? to.pathname.slice(0, -from.pathname.length) : ''
  return `${to.origin}${before}`
}

function fetchOverTls(
  url: URL,
  { method = 'GET', headers = {}, body, signal }: FetchOptions,
  ca: readonly string[],
): Promise<Response> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) return reject(signal.reason)
    const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }
    const options = { method, headers: { ...headers, ...length }, ca: [...ca], agent: false }
    const sent = request(url, signal === undefined ? options : { ...options, signal }, (answer) => {
      const { statusCode: status = 0, statusMessage: statusText = '', rawHeaders } = answer
      const received = new Headers()
      for (let i = 0; i < rawHeaders.length; i += 2) received.append(rawHeaders[i] ?? '', rawHeaders[i + 1] ?? '')
      const without = status === 204 || status === 304
      if (without) answer.resume()
      const stream = without ? null : (Readable.toWeb(answer) as ReadableStream<Uint8Array>)
      resolve(
        new Response(stream as ConstructorParameters<typeof Response>[0], { status, statusText, headers: received }),
      )
    })
    sent.once('error', reject)
    sent.end(body)
  })
}

const unknownAuthority = new Set([
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
])

/** What to do about a failed call where the server's certificate is of an authority that nobody here knows. */
export function authorityHint(error: unknown): string | undefined {
  const { cause, code = (cause as NodeJS.ErrnoException | undefined)?.code } = error as NodeJS.ErrnoException
  if (code === undefined || !unknownAuthority.has(code)) return undefined
  return 'Its certificate is of an authority that is not known here: name its PEM file with FERNLAB_TLS_CA.'
}
