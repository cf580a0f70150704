/**
 * The built page. Files with a hash in their name are kept for a year, index.html is asked for each time; a precompressed
 * sibling (`.br`, `.gz`) is sent where the browser takes it.
 */
import { createReadStream } from 'node:fs'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { Readable } from 'node:stream'
import { contentSecurityPolicy, type PageSources, pageHeaders } from '../web/csp.ts'

const types: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  mjs: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  json: 'application/json',
  webmanifest: 'application/manifest+json',
  map: 'application/json',
  svg: 'image/svg+xml',
  png: 'image/png',
  jpg: 'image/jpeg',
  webp: 'image/webp',
  ico: 'image/x-icon',
  woff2: 'font/woff2',
  woff: 'font/woff',
  ttf: 'font/ttf',
  txt: 'text/plain; charset=utf-8',
  wasm: 'application/wasm',
}

interface KnownFile {
  readonly size: number
  readonly etag: string
}

export interface StaticFiles {
  /** The file at the path, the page for a path of the page's own, undefined for a file that is not there. */
  answer(request: Request, sources?: PageSources): Promise<Response | undefined>
}

export interface StaticFilesOptions {
  /** The hub's own address: the picture of a shared link must be named whole. */
  readonly publicUrl?: () => string
}

/** Reads the list of files once: only those in it are ever opened. */
export async function openStaticFiles(
  folder: string,
  { publicUrl = () => '' }: StaticFilesOptions = {},
): Promise<StaticFiles> {
  const files = new Map<string, KnownFile>()
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  for (const entry of entries) {
    if (!entry.isFile()) continue
    const full = join(entry.parentPath, entry.name)
    const { size, mtimeMs } = await stat(full)
    const path = `/${full.slice(folder.length).split(sep).filter(Boolean).join('/')}`
    files.set(path, { size, etag: `"${size.toString(36)}-${Math.floor(mtimeMs).toString(36)}"` })
  }
  const html = await readFile(join(folder, 'index.html'), 'utf8')
  const picture = '<meta property="og:image" content="'
  const index = () => html.replace(`${picture}/`, `${picture}${publicUrl().replace(/\/$/, '')}/`)

  const pick = (path: string, accepted: string) => {
    for (const [name, suffix] of [
      ['br', '.br'],
      ['gzip', '.gz'],
    ] as const) {
      const known = files.get(`${path}${suffix}`)
      if (known !== undefined && new RegExp(`(^|[,\\s])${name}\\b(?!\\s*;\\s*q=0(\\.0*)?\\s*(,|$))`).test(accepted)) {
        return { name, suffix, known }
      }
    }
    return undefined
  }

  return {
    answer: async (request, sources) => {
      if (request.method !== 'GET' && request.method !== 'HEAD') return undefined
      const { pathname } = new URL(request.url)
      const path = safeDecode(pathname)
      const plain = path === undefined ? undefined : files.get(path)
      if (path === undefined || plain === undefined || path === '/index.html') {
        // A bench's page has a dot in its address too, so what the browser wants decides.
        const looksLikeFile = /\.[a-z0-9]+$/i.test(pathname) && path !== '/index.html'
        const wantsPage = request.headers.get('accept')?.includes('text/html') === true
        return looksLikeFile && !wantsPage ? undefined : page(index(), request, sources)
      }
      const packed = pick(path, request.headers.get('accept-encoding') ?? '')
      const { size, etag } = packed?.known ?? plain
      const hashed = /-[\w-]{8,}\.\w+$/.test(path) || path.startsWith('/assets/')
      const headers: Record<string, string> = {
        ...pageHeaders,
        'content-type': types[path.split('.').at(-1)?.toLowerCase() ?? ''] ?? 'application/octet-stream',
        'cache-control': hashed ? 'public, max-age=31536000, immutable' : 'public, max-age=300',
        vary: 'accept-encoding',
        etag,
      }
      if (request.headers.get('if-none-match') === etag) return new Response(null, { status: 304, headers })
      headers['content-length'] = String(size)
      if (packed !== undefined) headers['content-encoding'] = packed.name
      if (request.method === 'HEAD') return new Response(null, { headers })
      const source = createReadStream(join(folder, `${path}${packed?.suffix ?? ''}`))
      return new Response(Readable.toWeb(source) as ReadableStream<Uint8Array>, { headers })
    },
  }
}

function page(index: string, request: Request, sources?: PageSources): Response {
  const body = request.method === 'HEAD' ? null : index
  return new Response(body, {
    headers: {
      ...pageHeaders,
      'content-security-policy': contentSecurityPolicy(sources),
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-cache',
    },
  })
}

/** The text of a percent-encoded path; undefined when it is not UTF-8. */
export function safeDecode(path: string): string | undefined {
  try {
    return decodeURIComponent(path)
  } catch {
    return undefined // not UTF-8: no such file
  }
}
