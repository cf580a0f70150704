/** Holds calls and answers against docs/openapi.json: what the hub promises to whoever calls it. */
import { readFileSync } from 'node:fs'
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js'

export interface ApiCall {
  readonly method: string
  /** With its query. */
  readonly path: string
  /** As it was sent; '' or undefined where there was none. */
  readonly body?: string | undefined
}

export interface ApiAnswer {
  readonly status: number
  readonly type: string | null | undefined
  /** Left out where the answer is a stream or a file: its type alone is looked at then. */
  readonly body?: string | undefined
}

interface Schema {
  readonly [key: string]: unknown
}
interface Parameter {
  readonly name: string
  readonly in: string
  readonly required?: boolean
  readonly schema: Schema
}
interface Content {
  readonly content?: Readonly<Record<string, { readonly schema: Schema }>>
}
interface Operation {
  readonly parameters?: readonly Parameter[]
  readonly requestBody?: Content & { readonly required?: boolean }
  readonly responses: Readonly<Record<string, Content & { readonly $ref?: string }>>
}
interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: { readonly schemas: { readonly Problem: Schema } }
}

interface Route {
  readonly path: string
  readonly pattern: RegExp
  readonly methods: Readonly<Record<string, Operation>>
}

const problemType = 'application/problem+json'
const strict = { strict: true, allowUnionTypes: true, validateFormats: false, allErrors: true } as const
const ajv = new Ajv2020(strict)
/** Queries and paths are text: a number in them is one that reads as one. */
const ajvOfText = new Ajv2020({ ...strict, coerceTypes: true })
const validators = new Map<Schema, ValidateFunction>()
const closedOnes = new Map<Schema, Schema>()
let read: { readonly routes: readonly Route[]; readonly problem: Schema } | undefined

function document() {
  if (read !== undefined) return read
  const file = new URL('../../docs/openapi.json', import.meta.url)
  const { paths, components } = JSON.parse(readFileSync(file, 'utf8')) as Document
  // What is written out goes before what takes any text.
  const rank = (path: string) => path.replaceAll(/\{\w+\}/g, '~')
  const routes = Object.keys(paths)
    .sort((a, b) => (rank(a) < rank(b) ? -1 : 1))
    .map((path) => ({ path, pattern: patternOf(path), methods: paths[path] ?? {} }))
  read = { routes, problem: components.schemas.Problem }
  return read
}

/** The last parameter of a file's address may hold slashes. */
const patternOf = (path: string) =>
  new RegExp(
    `^${path
      .replaceAll('.', '\\.')
      .replace(/\{path\}$/, '(?<path>.+)')
      .replaceAll(/\{(\w+)\}/g, '(?<$1>[^/]+)')}$`,
  )

function find({ method, path }: ApiCall) {
  const url = new URL(path, 'http://hub')
  for (const { pattern, methods } of document().routes) {
    const match = pattern.exec(url.pathname)
    const operation = methods[method === 'HEAD' ? 'get' : method.toLowerCase()]
    if (match !== null && operation !== undefined) {
      return { operation, named: match.groups ?? {}, query: url.searchParams }
    }
  }
  return undefined
}

/** What is wrong with a call, with each place; nothing when it is one that the document describes. */
export function issuesOfCall(call: ApiCall): string[] {
  const found = find(call)
  if (found === undefined) return ['there is no such call']
  const { operation, named, query } = found
  const texts: Readonly<Record<string, Record<string, string>>> = {
    path: Object.fromEntries(Object.entries(named).map(([name, text]) => [name, decodeURIComponent(text)])),
    query: Object.fromEntries(query),
  }
  const inTexts = Object.entries(texts).flatMap(([place, values]) => {
    const parameters = (operation.parameters ?? []).filter((one) => one.in === place)
    const known = new Map(parameters.map((one) => [one.name, one]))
    return [
      ...Object.keys(values).flatMap((name) => (known.has(name) ? [] : [`${place}: ${name} is not known`])),
      ...parameters.flatMap(({ name, schema, required }) => {
        const value = values[name]
        if (value === undefined) return required === true ? [`${place}: ${name} is missing`] : []
        return issuesOf(schema, { value }, `${place}: ${name}`, true)
      }),
    ]
  })
  return [...inTexts, ...bodyIssues(operation, call.body ?? '')]
}

function bodyIssues({ requestBody }: Operation, body: string): string[] {
  const schema = requestBody?.content?.['application/json']?.schema
  if (body === '') return requestBody?.required === true ? ['the body is missing'] : []
  if (schema === undefined) return body === '{}' ? [] : ['there is a body, and none is taken']
  return issuesOf(closed(schema), JSON.parse(body), 'body')
}

/** What is wrong with an answer to the call, with each place; nothing when the document promises it. */
export function issuesOfAnswer(call: ApiCall, { status, type, body }: ApiAnswer): string[] {
  const kind = (type ?? '').split(';')[0]?.trim() ?? ''
  const found = find(call)
  const described = found?.operation.responses[status]
  if (status >= 400 && (kind === problemType || described === undefined)) {
    if (kind !== problemType) return [`a problem is ${problemType}, not ${kind || 'nothing'}`]
    if (body === undefined || body === '') return []
    const problem = JSON.parse(body) as { status?: unknown }
    const own = problem.status === status ? [] : [`status: says ${String(problem.status)}`]
    return [...own, ...issuesOf(document().problem, problem, 'problem')]
  }
  if (found === undefined) return ['there is no such call']
  // Not there again for somebody who has it.
  if (status === 304) return []
  if (described === undefined) return [`the status is one of ${Object.keys(found.operation.responses).join(', ')}`]
  const { content } = described
  if (content === undefined) return (body ?? '') === '' ? [] : ['there is a body, and none is promised']
  const schema = (content[kind] ?? content['*/*'])?.schema
  if (schema === undefined) return [`the type is one of ${Object.keys(content).join(', ')}, not ${kind || 'nothing'}`]
  if (kind !== 'application/json' || body === undefined || call.method === 'HEAD') return []
  return issuesOf(closed(schema), JSON.parse(body), 'answer')
}

/** The answer, when it is one that the document promises to such a call; throws what is wrong with it otherwise. */
export async function promised({ method, path }: Omit<ApiCall, 'body'>, response: Response): Promise<Response> {
  const { status, headers } = response
  const type = headers.get('content-type')
  const isWhole = type === null || /^application\/(problem\+)?json/.test(type)
  const body = isWhole ? await response.clone().text() : undefined
  const issues = issuesOfAnswer({ method, path }, { status, type, body })
  if (issues.length > 0) throw new Error([`${status} to ${method} ${path}`, ...issues].join('\n'))
  return response
}

/** What is wrong with a message of a WebSocket or of a stream of events. */
export const issuesOfMessage = (schema: object, message: unknown): string[] =>
  issuesOf(closed(schema as Schema), message, 'message')

function issuesOf(schema: Schema, value: unknown, what: string, isText = false): string[] {
  let validate = validators.get(schema)
  if (validate === undefined) {
    validate = isText ? ajvOfText.compile({ type: 'object', properties: { value: schema } }) : ajv.compile(schema)
    validators.set(schema, validate)
  }
  if (validate(value)) return []
  return nearest(validate.errors ?? []).map(({ instancePath, message = '', params }) => {
    const { additionalProperty: name } = params as { additionalProperty?: string }
    return `${what}${instancePath.replaceAll('/', '.')}: ${message}${name === undefined ? '' : ` (${name})`}`
  })
}

/** Where one of several was wanted, what keeps the value from the one that it is most like. */
function nearest(errors: readonly ErrorObject[]): readonly ErrorObject[] {
  const unions = errors.filter(({ keyword }) => keyword === 'anyOf' || keyword === 'oneOf')
  const [innermost] = unions.toSorted((a, b) => b.schemaPath.length - a.schemaPath.length)
  if (innermost === undefined) return errors
  const branches = new Map<string, ErrorObject[]>()
  const others: ErrorObject[] = []
  for (const error of errors) {
    const isWithin =
      error.schemaPath.startsWith(`${innermost.schemaPath}/`) &&
      `${error.instancePath}/`.startsWith(`${innermost.instancePath}/`)
    const branch = error.schemaPath.slice(innermost.schemaPath.length + 1).split('/')[0] ?? ''
    if (isWithin) branches.set(branch, [...(branches.get(branch) ?? []), error])
    else if (error !== innermost) others.push(error)
  }
  const [best] = [...branches.values()].sort((a, b) => a.length - b.length)
  return nearest([...others, ...(best ?? [{ ...innermost, keyword: 'union' }])])
}

/** The schema without room for what it does not name: the hub may say more one day, but the tests' hubs say it first. */
function closed(schema: Schema): Schema {
  let made = closedOnes.get(schema)
  if (made === undefined) {
    made = close(schema) as Schema
    closedOnes.set(schema, made)
  }
  return made
}

function close(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(close)
  if (typeof value !== 'object' || value === null) return value
  const schema = Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      key,
      key === 'properties'
        ? Object.fromEntries(Object.entries(inner as Schema).map(([name, of]) => [name, close(of)]))
        : ['enum', 'const', 'default', 'required'].includes(key)
          ? inner
          : close(inner),
    ]),
  )
  return schema.properties === undefined || schema.additionalProperties !== undefined
    ? schema
    : { ...schema, additionalProperties: false }
}
