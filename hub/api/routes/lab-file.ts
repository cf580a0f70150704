import { createHash } from 'node:crypto'
import { endingOf, pictureTypes } from '@fernlab/shared/contracts/lab-page'

/** Types that a browser may be given from a lab's folder; everything else is a download. */
const types: Readonly<Record<string, string>> = {
  ...pictureTypes,
  md: 'text/markdown; charset=utf-8',
  txt: 'text/plain; charset=utf-8',
  yaml: 'text/plain; charset=utf-8',
  yml: 'text/plain; charset=utf-8',
  pdf: 'application/pdf',
}

/** Lets a drawing have the style sheets that are in it, each by its hash; `style` attributes stay without effect. */
function stylesOf(path: string, body: Uint8Array): string {
  if (endingOf(path) !== 'svg') return ''
  const sheets = [
    ...Buffer.from(body)
      .toString('utf8')
      .matchAll(/<style\b[^>]*>([^<]*)<\/style>/g),
  ]
  const hashes = sheets.map(([, text = '']) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`)
  return hashes.length === 0 ? '' : `style-src ${hashes.join(' ')}; `
}

/** A file that somebody pushed: never run as part of our page, whatever is in it. */
export function labFileResponse(
  path: string,
  file: { body: Uint8Array; digest: string },
  headers: Headers,
  openTo: 'everyone' | 'members',
): Response {
  const etag = `"${file.digest.slice(0, 32)}"`
  const type = types[endingOf(path)]
  const common = {
    etag,
    'cache-control': `${openTo === 'everyone' ? 'public' : 'private'}, max-age=300`,
    'content-security-policy': `default-src 'none'; ${stylesOf(path, file.body)}sandbox`,
    'x-content-type-options': 'nosniff',
    'cross-origin-resource-policy': 'same-origin',
  }
  const known = headers
    .get('if-none-match')
    ?.split(',')
    .map((tag) => tag.trim().replace(/^W\//, ''))
  if (known?.includes(etag)) return new Response(null, { status: 304, headers: common })
  return new Response(Uint8Array.from(file.body), {
    headers: {
      ...common,
      'content-type': type ?? 'application/octet-stream',
      'content-length': String(file.body.byteLength),
      ...(type === undefined ? { 'content-disposition': 'attachment' } : {}),
    },
  })
}
