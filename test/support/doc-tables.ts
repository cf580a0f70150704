/** What docs/tables.md says of the CSV files of the hub. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './source-files.ts'

export interface DocTable {
  /** The route, without what may be asked of it. */
  readonly path: string
  readonly columns: readonly string[]
}

/** In the order of the document. */
export function docTables(): DocTable[] {
  const text = readFileSync(join(root, 'docs/tables.md'), 'utf8')
  return text.split(/^## /m).flatMap((section) => {
    const [, path = ''] = /^`GET (\/api\/v1\/[^`?]+)/m.exec(section) ?? []
    const columns = [...section.matchAll(/^\| `([^|]+)` \|/gm)].map(([, cell = '']) => cell)
    return path === '' ? [] : [{ path, columns: columns.flatMap(spread) }]
  })
}

/** `0h_s` to `23h_s`: all of them. */
function spread(cell: string): string[] {
  const [, from = '', unit = '', to = ''] = /^(\d+)(\w+)` to `(\d+)/.exec(cell) ?? []
  if (from === '') return [cell]
  return Array.from({ length: Number(to) - Number(from) + 1 }, (_, at) => `${Number(from) + at}${unit}`)
}
