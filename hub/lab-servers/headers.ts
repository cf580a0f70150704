/**
 * What of a request's and an answer's head passes between a browser and a lab's own server.
 *
 * INVARIANTS: what belongs to one connection stays on it; the server learns neither who asks nor what else they have open
 * (address, cookies and pages of others), and the browser is told nothing that would hold for more than this lab's pages.
 */
import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http'
import type { LabCookies } from './visit-cookies.ts'

/** Where a request comes in, and where it goes. */
export interface Between {
  /** Where the browser finds the lab. */
  readonly origin: string
  /** The lab server's own address. */
  readonly lab: string
  readonly cookies: LabCookies
}

const hopByHop = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])
/** What only the hub says, or what would make a server read another address than the one that was checked. */
const notToLab =
  /^(host|cookie|origin|referer|expect|forwarded|via|content-length|x-forwarded-.*|x-real-ip|x-client-ip|true-client-ip|cf-connecting-ip|x-original-.*|x-rewrite-url|x-script-name|service-worker.*|http2-settings)$/
/** What would hold for the whole host, ask for a password in the hub's name, or let a script stay. */
const notToBrowser =
  /^(set-cookie|location|content-location|refresh|clear-site-data|strict-transport-security|public-key-pins.*|expect-ct|alt-svc|nel|report-to|reporting-endpoints|service-worker-allowed|www-authenticate|x-accel-.*|vary)$/

/** Why a request can be read in two ways, or undefined. */
export function ambiguous({ rawHeaders }: Pick<IncomingMessage, 'rawHeaders'>): string | undefined {
  const seen = new Map<string, number>()
  for (const [name, value] of pairsOf(rawHeaders)) {
    const plain = plainName(name)
    seen.set(plain, (seen.get(plain) ?? 0) + 1)
    if (plain === 'transfer-encoding' && value.trim().toLowerCase() !== 'chunked') return 'Transfer-Encoding'
    if (plain === 'content-length' && !/^\d+$/.test(value.trim())) return 'Content-Length'
  }
  const twice = ['host', 'content-length', 'transfer-encoding'].find((name) => (seen.get(name) ?? 0) > 1)
  if (twice !== undefined) return twice
  return seen.has('content-length') && seen.has('transfer-encoding') ? 'Content-Length' : undefined
}

/** The head of the request to the lab's server. */
export function headersToLab(request: IncomingMessage, { origin, lab, cookies }: Between): OutgoingHttpHeaders {
  const { headers, rawHeaders } = request
  const named = namedIn(headers.connection)
  const sent: Record<string, string[]> = {}
  for (const [name, value] of pairsOf(rawHeaders)) {
    const plain = plainName(name)
    if (hopByHop.has(plain) || named.has(plain) || notToLab.test(plain)) continue
    if (plain === 'authorization' && /^\s*basic\b/i.test(value)) continue
    const key = name.toLowerCase()
    sent[key] = [...(sent[key] ?? []), value]
  }
  const only = (name: string, value: string | undefined) => {
    if (value !== undefined) sent[name] = [value]
  }
  only('host', new URL(lab).host)
  only('cookie', cookies.toLab(headers.cookie))
  if (headers.origin === origin) only('origin', lab)
  if (headers.referer?.startsWith(`${origin}/`) === true) only('referer', lab + headers.referer.slice(origin.length))
  const { host, protocol } = new URL(origin)
  only('x-forwarded-host', host)
  only('x-forwarded-proto', protocol.slice(0, -1))
  only('via', '1.1 fernlab')
  // How the body is framed is the same on both sides.
  only('content-length', headers['content-length'])
  if (headers['transfer-encoding'] !== undefined) only('transfer-encoding', 'chunked')
  return Object.fromEntries(
    Object.entries(sent).map(([name, values]) => [name, values.length > 1 ? values : values[0]]),
  )
}

/** The head of the answer to the browser. */
export function headersToBrowser(answer: IncomingMessage, between: Between): OutgoingHttpHeaders {
  const { headers, rawHeaders } = answer
  const named = namedIn(headers.connection)
  const sent: Record<string, string[]> = {}
  for (const [name, value] of pairsOf(rawHeaders)) {
    const key = name.toLowerCase()
    if (hopByHop.has(key) || named.has(key) || notToBrowser.test(key)) continue
    sent[key] = [...(sent[key] ?? []), value]
  }
  const moved = (text: string) => movedAddress(text, between)
  for (const name of ['location', 'content-location'] as const) {
    const value = headers[name]
    if (value !== undefined) sent[name] = [moved(value)]
  }
  const { refresh } = headers
  if (typeof refresh === 'string') {
    sent.refresh = [
      refresh.replace(
        /^(\s*\d+\s*[;,]\s*(?:url\s*=\s*)?)(["']?)(.*?)\2\s*$/i,
        (_, wait, quote, to) => `${wait}${quote}${moved(to)}${quote}`,
      ),
    ]
  }
  const cookies = between.cookies.toBrowser(headers['set-cookie'] ?? [])
  if (cookies.length > 0) sent['set-cookie'] = cookies
  // Another session's browser cache must not answer in this one: its pass is another cookie.
  sent.vary = [...new Set([...(headers.vary ?? '').split(',').map((name) => name.trim()), 'Cookie'])].filter(Boolean)
  // Besides what the lab says of itself: no other site shows its pages.
  sent['content-security-policy'] = [...(sent['content-security-policy'] ?? []), "frame-ancestors 'self'"]
  sent['cross-origin-opener-policy'] ??= ['same-origin']
  // For browsers that do not say which site asks.
  sent['cross-origin-resource-policy'] ??= ['same-origin']
  sent['referrer-policy'] ??= ['same-origin']
  sent['x-robots-tag'] ??= ['noindex']
  return Object.fromEntries(
    Object.entries(sent).map(([name, values]) => [name, values.length > 1 ? values : values[0]]),
  )
}

/** An address of the lab's server as one at which the browser finds it; any other as it is. */
function movedAddress(address: string, { origin, lab }: Between): string {
  const isWhole = /^\s*(https?:)?[/\\]{2}/i.test(address)
  if (!isWhole || !URL.canParse(address, lab)) return address
  const { host, pathname, search, hash } = new URL(address, lab)
  // Whether it says http or https: a server behind TLS may not know of it.
  return host === new URL(lab).host ? `${origin}${pathname}${search}${hash}` : address
}

function* pairsOf(raw: readonly string[]): Generator<readonly [string, string]> {
  for (let at = 0; at + 1 < raw.length; at += 2) yield [raw[at] ?? '', raw[at + 1] ?? '']
}

const namedIn = (connection: string | undefined) =>
  new Set((connection ?? '').split(',').map((name) => name.trim().toLowerCase()))

/** Many servers read `X_Forwarded_Host` as `X-Forwarded-Host`. */
const plainName = (name: string) => name.toLowerCase().replaceAll('_', '-')
