/** Files that people write: YAML in, data or issues with file, line, column and path out. */
import { isMap, isScalar, isSeq, LineCounter, type Node, type ParsedNode, parseDocument, visit } from 'yaml'
import type { z } from 'zod'
import type { Issue } from '../primitives/lab-error.ts'
import { didYouMean } from '../primitives/nearest.ts'
import { boundWords } from './issue-words.ts'

/** Keys and indices from the top of a file. */
export type Path = readonly (string | number)[]

/** One thing wrong, before it is given its place in a file. */
export interface Finding {
  readonly path: Path
  readonly message: string
}

/** A YAML file as data, with the places of its values. */
export interface YamlFile {
  readonly data: unknown
  /** The finding as an issue: path as text, and file, line and column. */
  place(finding: Finding): Issue
}

export interface YamlOptions {
  /** Name of the file, for the issues. */
  readonly file?: string
}

const MAX_CHARACTERS = 256 * 1024
const MAX_DEPTH = 64
const MAX_ISSUES = 20
const TAGS = /^tag:yaml\.org,2002:(str|int|float|bool|null|map|seq)$/

/** `steps[3].set.supply.voltage`. */
export function pathText(path: Path): string {
  let text = ''
  for (const key of path) text += typeof key === 'number' ? `[${key}]` : text === '' ? key : `.${key}`
  return text
}

/** Reads one YAML document; with issues (syntax, aliases, duplicate keys, too large, too deep) there is no data. */
export function readYaml(text: string, options: YamlOptions = {}): { yaml?: YamlFile; issues: Issue[] } {
  const file = options.file === undefined ? {} : { file: options.file }
  const whole = (message: string): { issues: Issue[] } => ({
    issues: [{ path: '', message, ...file, line: 1, column: 1 }],
  })
  if (text.length > MAX_CHARACTERS) return whole(`the file is larger than ${MAX_CHARACTERS / 1024} kB`)
  if (indentsTooDeep(text)) return whole(`nests deeper than ${MAX_DEPTH}`)
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true, logLevel: 'error' })
  const at = (offset: number) => {
    const { line, col } = lines.linePos(offset)
    return { ...file, line, column: col }
  }
  const issues = document.errors.slice(0, MAX_ISSUES).map((error): Issue => {
    const [from] = error.pos
    return { path: '', message: syntaxMessage(error.code, error.message, text.slice(from, from + 80)), ...at(from) }
  })
  if (issues.length > 0) return { issues }
  visit(document, {
    Alias: (_, node) => {
      issues.push({ path: '', message: `*${node.source}: aliases are not allowed`, ...at(node.range?.[0] ?? 0) })
    },
    Node: (_, node, above) => {
      if (above.length > MAX_DEPTH * 2) {
        issues.push({ path: '', message: `nests deeper than ${MAX_DEPTH}`, ...at(node.range?.[0] ?? 0) })
        return visit.BREAK
      }
      if (node.tag !== undefined && !TAGS.test(node.tag)) {
        issues.push({ path: '', message: `${node.tag}: tags are not allowed`, ...at(node.range?.[0] ?? 0) })
      }
      return undefined
    },
    Pair: (_, pair) => {
      if (!isScalar(pair.key) || pair.key.value === '__proto__') {
        const offset = (pair.key as ParsedNode | null)?.range?.[0] ?? 0
        issues.push({ path: '', message: 'a key must be plain text', ...at(offset) })
      }
    },
  })
  if (issues.length > 0) return { issues: issues.slice(0, MAX_ISSUES) }
  if (document.contents === null) return whole('the file is empty')
  const root = document.contents as Node
  return {
    yaml: {
      data: document.toJS({ maxAliasCount: 0 }),
      place: ({ path, message }) => ({ path: pathText(path), message, ...at(offsetOf(root, path)) }),
    },
    issues: [],
  }
}

function syntaxMessage(code: string, message: string, source: string): string {
  const key = /^[^\s:]{1,60}/.exec(source)?.[0]
  switch (code) {
    case 'DUPLICATE_KEY':
      return key === undefined ? 'a key stands twice in one mapping' : `the key ${key} stands twice in one mapping`
    case 'MULTIPLE_DOCS':
      return 'the file holds more than one document'
    default:
      return message.split('\n')[0] ?? message
  }
}

/** Flow brackets deeper than any honest file has; the parser itself recurses, so this looks before it does. */
function indentsTooDeep(text: string): boolean {
  let open = 0
  for (const line of text.split('\n')) {
    const dashes = /^[\s?-]*/.exec(line)?.[0].replace(/\s/g, '').length ?? 0
    if (dashes > MAX_DEPTH || line.search(/\S/) > MAX_DEPTH * 8) return true
    for (const character of line) {
      if (character === '[' || character === '{') open++
      else if (character === ']' || character === '}') open = Math.max(0, open - 1)
      if (open > MAX_DEPTH) return true
    }
  }
  return false
}

/** Where the value at the path begins (its key, where it is a collection); the nearest thing above when it is missing. */
function offsetOf(root: Node, path: Path): number {
  let node: unknown = root
  let offset = root.range?.[0] ?? 0
  for (const key of path) {
    if (isMap(node)) {
      const pair = node.items.find((item) => isScalar(item.key) && String(item.key.value) === String(key))
      if (pair === undefined) return offset
      node = pair.value
      offset = (isScalar(node) ? node.range?.[0] : (pair.key as Node).range?.[0]) ?? offset
    } else if (isSeq(node)) {
      node = node.items[Number(key)]
      offset = (node as Node | undefined)?.range?.[0] ?? offset
    } else return offset
  }
  return offset
}

/** Checks data against a schema; unknown keys are named with the nearest known one. */
export function checkSchema<T>(
  data: unknown,
  schema: z.ZodType<T>,
  root: Path = [],
): { value?: T; findings: Finding[] } {
  const result = schema.safeParse(data, { error: explain })
  if (result.success) return { value: result.data, findings: [] }
  return { findings: result.error.issues.flatMap((issue) => toFindings(issue, root)) }
}

/** Reads and checks a file in one go; with issues there is no value, and `yaml` only where its syntax is sound. */
export function readFileAs<T>(
  text: string,
  schema: z.ZodType<T>,
  options: YamlOptions = {},
): { value?: T; yaml?: YamlFile; issues: Issue[] } {
  const { yaml, issues } = readYaml(text, options)
  if (yaml === undefined) return { issues }
  const { value, findings } = checkSchema(yaml.data, schema)
  if (findings.length > 0 || value === undefined) return { yaml, issues: findings.map(yaml.place) }
  return { value, yaml, issues: [] }
}

function toFindings(issue: z.core.$ZodIssue, root: Path): Finding[] {
  const path = [...root, ...issue.path.map((key) => (typeof key === 'number' ? key : String(key)))]
  if (issue.code === 'unrecognized_keys') {
    const hints = issue.message.split('\n')
    return issue.keys.map((key, i) => ({ path: [...path, key], message: hints[i] ?? `unknown key ${key}` }))
  }
  if (issue.code === 'invalid_key') return [{ path, message: issue.issues[0]?.message ?? issue.message }]
  return [{ path, message: issue.message }]
}

/** Words for what zod found; undefined leaves the schema's own. */
function explain(issue: z.core.$ZodRawIssue): string | undefined {
  switch (issue.code) {
    case 'unrecognized_keys': {
      const known = Object.keys((issue.inst?._zod.def as { shape?: object } | undefined)?.shape ?? {})
      return issue.keys.map((key) => `unknown key ${JSON.stringify(key)}${didYouMean(key, known)}`).join('\n')
    }
    case 'invalid_type':
      if (issue.input === undefined) return 'is missing'
      return `must be ${article(issue.expected)}, not ${shown(issue.input)}`
    case 'invalid_value':
      return `must be ${issue.values.map((value) => JSON.stringify(value)).join(' or ')}, not ${shown(issue.input)}`
    case 'invalid_union':
      return issue.input === undefined ? 'is missing' : undefined
    case 'too_small':
    case 'too_big': {
      const words = boundWords(issue)
      return words === undefined || typeof issue.input !== 'number' ? words : `${words}, not ${shown(issue.input)}`
    }
    default:
      return undefined
  }
}

function article(expected: string): string {
  const words: Record<string, string> = {
    string: 'text',
    number: 'a number',
    int: 'a whole number',
    boolean: 'true or false',
    object: 'a mapping',
    record: 'a mapping',
    array: 'a list',
  }
  return words[expected] ?? expected
}

function shown(input: unknown): string {
  if (Array.isArray(input)) return 'a list'
  if (typeof input === 'object' && input !== null) return 'a mapping'
  if (typeof input === 'number') return String(input)
  return JSON.stringify(input)?.slice(0, 60) ?? 'nothing'
}
