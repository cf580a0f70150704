import { endingOf, pageFileTypes, pageFolder } from '../contracts/lab-page.ts'

const MAX_FILE_BYTES = 5_000_000
const MAX_PAGE_BYTES = 10_000_000

/** What is wrong with the files of a lab's own page; `file` is lab.yaml where it is about the page as a whole. */
export function pageFindings(
  page: string,
  files: ReadonlyMap<string, Uint8Array>,
): { readonly file: string; readonly message: string }[] {
  const inLab = (message: string) => [{ file: 'lab.yaml', message: `page ${page} ${message}` }]
  const folder = pageFolder(page)
  if (folder === undefined) return inLab('must be in a folder of its own, such as page/index.html')
  if (endingOf(page) !== 'html') return inLab('must be an HTML file, such as page/index.html')
  const start = files.get(page)
  if (start === undefined) return inLab('is not in the folder (links to files elsewhere are left out)')
  if (start.byteLength === 0) return [{ file: page, message: 'is empty' }]
  const bytes = [...files.values()].reduce((sum, { byteLength }) => sum + byteLength, 0)
  const findings = [...files].flatMap(([file, body]) => {
    const message = problemOf(file, body)
    return message === undefined ? [] : [{ file, message }]
  })
  if (bytes > MAX_PAGE_BYTES)
    findings.push(...inLab(`and the files beside it are larger than ${MAX_PAGE_BYTES / 1e6} MB`))
  return findings
}

function problemOf(file: string, body: Uint8Array): string | undefined {
  if (!Object.hasOwn(pageFileTypes, endingOf(file))) {
    return `may not be part of a page, which is made of ${Object.keys(pageFileTypes).join(', ')}`
  }
  if (body.byteLength > MAX_FILE_BYTES) return `is larger than ${MAX_FILE_BYTES / 1e6} MB`
  if (endingOf(file) !== 'html') return undefined
  const [, outside] =
    /<(?:script|link|img|iframe|video|audio|source)\b[^>]*\s(?:src|href)\s*=\s*["']?((?:https?:)?\/\/[^"'\s>]+)/i.exec(
      new TextDecoder().decode(body),
    ) ?? []
  return outside === undefined
    ? undefined
    : `loads ${outside.slice(0, 100)}, which a lab's page may not: put the file beside it`
}
