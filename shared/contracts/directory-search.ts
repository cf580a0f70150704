/** Which services a search finds, at a hub and at a node alike. */
import { LabError } from '../primitives/lab-error.ts'
import type { DirectoryEntry, DirectorySearch } from './directory.ts'

/** Judges entries; what is not asked for does not matter. */
export function searchFor(search: DirectorySearch): (entry: DirectoryEntry) => boolean {
  const { name, prefix = '', pattern, state } = search
  const all = [search.tag ?? []].flat()
  const any = [search.anyTag ?? []].flat()
  return (entry) =>
    (name === undefined || entry.name === name) &&
    entry.name.startsWith(prefix) &&
    (pattern === undefined || fits(entry.name, pattern)) &&
    all.every((tag) => entry.tags.includes(tag)) &&
    (any.length === 0 || any.some((tag) => entry.tags.includes(tag))) &&
    (state === undefined || entry.state === state)
}

/**
 * Whether the whole text fits a pattern in which `*` stands for any text, `?` for one letter, and all else for itself,
 * whatever its case. Looks at no letter of the text more often than the pattern has letters.
 */
export function fits(text: string, pattern: string): boolean {
  const pieces = pattern.toLowerCase().split('*')
  const lower = text.toLowerCase()
  const [first = ''] = pieces
  if (pieces.length === 1) return lower.length === first.length && isAt(lower, first, 0)
  const last = pieces.at(-1) ?? ''
  const end = lower.length - last.length
  if (first.length > end || !isAt(lower, first, 0) || !isAt(lower, last, end)) return false
  // Between the two the earliest place of each piece leaves the most room for those after it.
  let from = first.length
  for (const piece of pieces.slice(1, -1)) {
    while (from + piece.length <= end && !isAt(lower, piece, from)) from++
    if (from + piece.length > end) return false
    from += piece.length
  }
  return true
}

function isAt(text: string, piece: string, at: number): boolean {
  for (let i = 0; i < piece.length; i++) {
    if (piece[i] !== '?' && piece[i] !== text[at + i]) return false
  }
  return at + piece.length <= text.length
}

/**
 * The service of that name, or `<node>/<name>`; throws `service-unknown`, and `service-ambiguous` where several nodes have one
 * of that name, with what `fullName` says of each: what names that one alone.
 */
export function serviceNamed<Known extends Pick<DirectoryEntry, 'node' | 'name'>>(
  all: readonly Known[],
  named: string,
  fullName: (one: Known) => string = ({ node, name }) => `${node}/${name}`,
): Known {
  const found = all.filter(({ node, name }) => named === name || named === `${node}/${name}`)
  const [first, ...others] = found
  if (first === undefined) {
    throw new LabError({ code: 'service-unknown', kind: 'caller', message: `there is no service ${named}` })
  }
  if (others.length === 0) return first
  const full = found.map(fullName).sort()
  const message = `several nodes have a service ${named}: say which, ${full.join(' or ')}`
  throw new LabError({ code: 'service-ambiguous', kind: 'caller', message, details: { services: full.join(' ') } })
}
