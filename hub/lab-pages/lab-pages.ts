/**
 * Labs' own pages, served where nothing else is: an origin without accounts.
 *
 * INVARIANTS: cookies and credentials are neither read nor set; a file is served only below a path that was signed for its
 * version of its lab; every answer is sandboxed, also when it is opened by itself, and only the hub's page may show it; no
 * file becomes a service worker, which would answer in the place of this.
 */
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { endingOf, pageFileTypes, pageFolder } from '@fernlab/shared/contracts/lab-page'
import type { SessionPage } from '@fernlab/shared/contracts/sessions'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import type { Log } from '@fernlab/shared/primitives/log'
import { safeDecode } from '../api/static-files.ts'
import type { Catalogue, CatalogueLab } from '../catalogue/catalogue.ts'
import type { PageAddress } from './page-address.ts'
import { pagePolicy } from './page-policy.ts'
import { createSignedPaths } from './signed-paths.ts'

export interface LabPages {
  /** The page of this version, for somebody at this host, for so long; throws `pages-unreachable`. */
  open(lab: CatalogueLab, host: string, forMs: number): SessionPage | undefined
  /** Is the path one that only files of pages have? */
  owns(path: string): boolean
  /** Answers a request to the origin of the pages. */
  readonly fetch: (request: Request) => Promise<Response>
}

export interface CreateLabPagesOptions {
  readonly catalogue: Pick<Catalogue, 'version' | 'versionFile'>
  readonly address: PageAddress
  /** The built page, which holds the library. */
  readonly webFolder?: string | undefined
  readonly clock: Clock
  readonly log: Log
}

const library = { '/fernlab.js': 'text/javascript; charset=utf-8', '/fernlab.d.ts': 'text/plain; charset=utf-8' }

/** Reads the library once, and answers with it and with files of the catalogue. */
export async function createLabPages(options: CreateLabPagesOptions): Promise<LabPages> {
  const { catalogue, address, webFolder, clock, log } = options
  const paths = createSignedPaths({ clock })
  const known = new Map<string, { readonly body: Uint8Array; readonly type: string }>()
  if (webFolder !== undefined) {
    for (const [path, type] of Object.entries(library)) {
      known.set(path, { body: await readFile(join(webFolder, 'lab-page', path)), type })
    }
  }

  const fileAt = async (pathname: string) => {
    const opened = paths.read(pathname)
    if (opened === undefined || opened === 'expired') return opened
    const { lab, version, file } = opened
    const known = await catalogue.version(lab, version)
    const path = `${pageFolder(known?.lab.page ?? '')}${file}`
    const type = pageFileTypes[endingOf(file)]
    // By the list: a database may take less of a path than was asked for.
    if (type === undefined || known?.files.includes(path) !== true) return undefined
    const body = await catalogue.versionFile(lab, version, path)
    return body === undefined ? undefined : { body, type }
  }

  const answer = async (request: Request): Promise<Response> => {
    const url = new URL(request.url)
    const headers = { ...pageHeaders, 'content-security-policy': pagePolicy(address.framedBy(url.host)) }
    const refuse = (status: number, text: string, more: Record<string, string> = {}) =>
      new Response(`${text}\n`, {
        status,
        headers: { ...headers, 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store', ...more },
      })
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      return refuse(405, 'Here are files, which can only be read.', { allow: 'GET, HEAD' })
    }
    if (request.headers.has('service-worker')) return refuse(403, 'Nothing here stays in a browser.')
    const path = safeDecode(url.pathname) ?? ''
    const shared = known.get(path)
    const found = shared ?? (await fileAt(path))
    if (found === undefined) return refuse(404, 'There is nothing here.')
    if (found === 'expired') return refuse(403, 'This address has expired. Load the page of the session again.')
    const etag = `"${createHash('sha256').update(found.body).digest('hex').slice(0, 32)}"`
    const cacheControl = shared === undefined ? 'private, max-age=3600, immutable' : 'public, max-age=300'
    const given = { ...headers, 'content-type': found.type, 'cache-control': cacheControl, etag }
    if (request.headers.get('if-none-match') === etag) return new Response(null, { status: 304, headers: given })
    const body = request.method === 'HEAD' ? null : Uint8Array.from(found.body)
    return new Response(body, { headers: { ...given, 'content-length': String(found.body.byteLength) } })
  }

  return {
    open: ({ id, version, lab }, host, forMs) => {
      const page = lab.page
      const folder = page === undefined ? undefined : pageFolder(page)
      if (page === undefined || folder === undefined) return undefined
      const origin = address.origin(host)
      if (origin === undefined) throw unreachable(host)
      const expiresAt = clock.now() + forMs
      const path = `${paths.sign({ lab: id, version, expiresAt })}/${encodeURI(page.slice(folder.length))}`
      return { url: new URL(path, origin).href, expiresAt: new Date(expiresAt).toISOString() }
    },
    owns: (path) => Object.hasOwn(library, path) || paths.read(path) !== undefined,
    fetch: (request) =>
      answer(request).catch((error: unknown) => {
        log.error({ error: String(error) }, 'a file of a lab’s page could not be given')
        const headers = {
          ...pageHeaders,
          'content-security-policy': pagePolicy([]),
          'content-type': 'text/plain; charset=utf-8',
          'cache-control': 'no-store',
        }
        return new Response('The file could not be given.\n', { status: 500, headers })
      }),
  }
}

/** `cross-origin`, and open to every origin: a sandboxed page is of no origin, not even of this one. */
const pageHeaders: Readonly<Record<string, string>> = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'cross-origin',
  'access-control-allow-origin': '*',
  'permissions-policy':
    'camera=(), microphone=(), geolocation=(), usb=(), serial=(), bluetooth=(), hid=(), midi=(), payment=(), display-capture=(), publickey-credentials-get=(), clipboard-read=()',
  'x-dns-prefetch-control': 'off',
  'x-robots-tag': 'noindex',
}

const unreachable = (host: string) =>
  new LabError({
    code: 'pages-unreachable',
    kind: 'configuration',
    message: `there is no second origin for labs' own pages at ${host.slice(0, 100)}: set FERNLAB_PAGES_URL to one that a proxy passes to the port of the pages`,
    studentMessage: 'This hub has no address for the lab’s own page yet. Tell the staff.',
  })
