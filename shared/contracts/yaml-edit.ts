/** Changes to files that people write, which keep their comments. */
import { isMap, isScalar, parseDocument, stringify } from 'yaml'
import { LabError } from '../primitives/lab-error.ts'

/**
 * The text with one more entry in a mapping, which is made where it is missing; all else of it, comments included, stays.
 * Throws `yaml-unreadable` for a text that is no YAML, `entry-exists` where the mapping has the key.
 */
export function withEntry(text: string, mapping: string | readonly string[], key: string, value: unknown): string {
  const path = typeof mapping === 'string' ? [mapping] : [...mapping]
  const document = parseDocument(text, { prettyErrors: false, logLevel: 'error' })
  const [error] = document.errors
  if (error !== undefined || !isMap(document.contents)) {
    throw refuse('yaml-unreadable', error === undefined ? 'the file holds no mapping' : error.message.split('\n')[0])
  }
  const entries = document.getIn(path)
  if (isMap(entries)) {
    if (entries.has(key)) throw refuse('entry-exists', `there is ${path.join('.')}.${key} already`)
    // An empty mapping is written {}: what comes in is easier to read, and to change, on lines of its own.
    if (entries.items.length === 0) entries.flow = false
    entries.set(key, document.createNode(value))
  } else document.setIn(path, document.createNode({ [key]: value }))
  return document.toString({ lineWidth: 0 })
}

/** The text with another key for an entry of a mapping, in its place; all else of it stays to the letter. */
export function withRenamed(text: string, mapping: readonly string[], from: string, to: string): string {
  const document = parseDocument(text, { prettyErrors: false, logLevel: 'error' })
  const entries = document.errors.length > 0 ? undefined : document.getIn(mapping)
  const found = isMap(entries) ? entries.items.find(({ key }) => isScalar(key) && key.value === from) : undefined
  const range = isScalar(found?.key) ? found.key.range : undefined
  if (range === undefined || range === null)
    throw refuse('yaml-unreadable', `the file has no ${mapping.join('.')}.${from}`)
  const [start, end] = range
  return `${text.slice(0, start)}${stringify(to).trimEnd()}${text.slice(end)}`
}

/** A value as it would stand in such a file: `17`, `true`, `{ pin: 4 }`, or else a text. */
export function yamlValue(text: string): unknown {
  const document = parseDocument(text, { prettyErrors: false, logLevel: 'error' })
  return document.errors.length > 0 || document.contents === null ? text : document.toJS({ maxAliasCount: 0 })
}

const refuse = (code: string, message = ''): LabError => new LabError({ code, kind: 'caller', message })
