/** Tables of docs/access.md that tests find out anew: between `<!-- name -->` and `<!-- end -->`. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { root } from './source-files.ts'

const file = join(root, 'docs/access.md')

const isWriting = process.env.FERNLAB_WRITE_ACCESS === '1'

function placeOf(name: string) {
  const text = readFileSync(file, 'utf8')
  const begin = `<!-- ${name} -->\n`
  const from = text.indexOf(begin) + begin.length
  const to = text.indexOf('<!-- end -->', from)
  assert.ok(from >= begin.length && to >= from, `docs/access.md has no table ${name}`)
  return { text, from, to }
}

/** The rows of the table of that name below its head; none while it is written anew. */
export function documentedRows(name: string): string[][] {
  const { text, from, to } = placeOf(name)
  const lines = isWriting ? [] : text.slice(from, to).trim().split('\n').slice(2)
  return lines.map((line) => line.slice(2, -2).split(' | '))
}

/** Compares rows, the first of them the head, with the table of that name; `FERNLAB_WRITE_ACCESS=1` writes it anew. */
export function compareTable(name: string, rows: readonly (readonly string[])[]): void {
  const [head = [], ...rest] = rows
  const found = [head, head.map(() => '---'), ...rest].map((cells) => `| ${cells.join(' | ')} |\n`).join('')
  const { text, from, to } = placeOf(name)
  if (isWriting) writeFileSync(file, text.slice(0, from) + found + text.slice(to))
  else assert.equal(found.split('\n'), text.slice(from, to).split('\n'), 'docs/access.md says otherwise')
}
