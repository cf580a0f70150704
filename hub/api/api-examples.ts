/** Examples in the OpenAPI document: made from its own schemas, so that they fit them whatever becomes of these. */
import { errorCodes } from './error-codes.ts'
import { problemOf, refusal } from './problems.ts'

/** What holds for every call. */
export const apiDescription = [
  'JSON; times in RFC 3339 UTC, run documents in epoch seconds.',
  'Errors are problem+json (RFC 9457) with a stable `code`: each call lists its codes by status; a code that is not known is to be taken by its status.',
  'Lists are {items, cursor?}: `limit` is 1 to 200, 50 unless given; the `cursor` of an answer, passed on, asks for those after it.',
  'A token is sent as `Authorization: Bearer …`; a browser has its cookie.',
  'Limits, by client address: 20 wrong passwords, codes, links or enrolment codes a minute; 10 wrong second factors of a person in 15 minutes; 600 beginnings of a sign-in with a passkey a minute; 20 letters in 10 minutes, 4 an hour to one mail address. Beyond them 429 says with `retry-after` how many seconds to wait. Other calls are not counted.',
  'A body is at most 1 MB; a lab 20 MB, a list of people 16 MB.',
].join(' ')

/** By code, as a hub words it. */
export const problemExamples: Readonly<Record<string, { summary: string; value: object }>> = Object.fromEntries(
  Object.entries(errorCodes).map(([code, { means, next }]) => [
    code,
    { summary: means, value: problemOf(refusal(code, means, next)) },
  ]),
)

interface Schema {
  readonly $ref?: string
  readonly type?: string | readonly string[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: Schema | boolean
  readonly propertyNames?: Schema
  readonly items?: Schema
  readonly prefixItems?: readonly Schema[]
  readonly oneOf?: readonly Schema[]
  readonly anyOf?: readonly Schema[]
  readonly allOf?: readonly Schema[]
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly default?: unknown
  readonly minimum?: number
  readonly exclusiveMinimum?: number
  readonly maximum?: number
  readonly minItems?: number
  readonly minLength?: number
  readonly maxLength?: number
  readonly format?: string
  readonly pattern?: string
}

interface Content {
  readonly schema?: Schema
  example?: unknown
}
interface Operation {
  readonly requestBody?: { readonly content?: Readonly<Record<string, Content>> }
  readonly responses?: Readonly<Record<string, { readonly content?: Readonly<Record<string, Content>> }>>
}

/** Puts an example beside the schema of each body and of each answer. */
export function withExamples<Document extends { paths?: object }>(document: Document): Document {
  for (const methods of Object.values(document.paths ?? {})) {
    for (const operation of Object.values(methods as Record<string, Operation>)) {
      const contents = [operation.requestBody, ...Object.values(operation.responses ?? {})].map((one) => one?.content)
      for (const content of contents) {
        const json = content?.['application/json']
        if (json?.schema !== undefined) json.example = exampleOf(json.schema)
      }
    }
  }
  return document
}

/** Values that a reader knows from the demo labs, by the name of what has them. */
const known: Readonly<Record<string, unknown>> = {
  id: '01kc9x4v3q8n5t7w2y6z0a1b2c',
  lab: 'rc-circuit',
  protocol: 'charge-curve',
  bench: 'demo.rc-1',
  node: 'demo',
  group: 'optics',
  name: 'Ada Lovelace',
  title: 'RC circuit',
  email: 'ada@school.example',
  note: 'for the report',
  reason: 'new fuse',
  timeZone: 'Europe/Madrid',
  cron: '30 2 * * *',
  start: '2027-02-01T08:00:00.000Z',
  end: '2027-02-01T09:30:00.000Z',
  from: '2027-02-01T00:00:00.000Z',
  until: '2027-07-01T00:00:00.000Z',
  seconds: 5400,
  unit: 'V',
  version: '1.0',
  code: '123456',
  lease: '01kc9x4v3q8n5t7w2y6z0a1b2d',
}
const namedParts: Readonly<Record<string, string>> = {
  parameters: 'voltage',
  outputs: 'tau',
  rows: 'primary',
  values: 'psu.voltage',
  set: 'psu.voltage',
}

const nothingKnown = 'text'

/** A value that fits the schema, as near to real as its names allow. */
export function exampleOf(schema: Schema, name = ''): unknown {
  if (schema.const !== undefined) return schema.const
  if (schema.enum !== undefined) return schema.enum[0]
  const named = known[name]
  if (named !== undefined && fits(named, schema)) return named
  const choices = schema.oneOf ?? schema.anyOf
  if (choices !== undefined) return exampleOf(choices.find(({ type }) => type !== 'null') ?? {}, name)
  if (schema.allOf !== undefined) return Object.assign({}, ...schema.allOf.map((each) => exampleOf(each, name)))
  const { type = schema.properties === undefined ? 'null' : 'object' } = schema
  switch (typeof type === 'string' ? type : type[0]) {
    case 'object':
      return objectOf(schema, name)
    case 'array':
      return schema.items === undefined
        ? []
        : Array.from({ length: schema.minItems ?? 1 }, () => exampleOf(schema.items ?? {}))
    case 'integer':
    case 'number':
      return numberOf(schema)
    case 'boolean':
      return typeof schema.default === 'boolean' ? schema.default : true
    case 'string':
      return textOf(schema)
    default:
      return null
  }
}

/** What may be left out is left out where its name says nothing. */
function objectOf({ properties, additionalProperties, propertyNames, required = [] }: Schema, name: string): object {
  const given = Object.entries(properties ?? {})
    .map(([key, each]) => [key, exampleOf(each, key)] as const)
    .filter(([key, value]) => required.includes(key) || value !== nothingKnown)
  if (given.length > 0 || typeof additionalProperties !== 'object') return Object.fromEntries(given)
  const [known] = propertyNames?.enum ?? []
  return { [String(known ?? namedParts[name] ?? 'name')]: exampleOf(additionalProperties) }
}

function numberOf({ default: usual, minimum, exclusiveMinimum = 0, maximum = 10 }: Schema): number {
  if (typeof usual === 'number') return usual
  const least = minimum ?? exclusiveMinimum
  if (least > 1 || maximum < 1) return least
  return Math.max(least, 1)
}

function textOf({ default: usual, format, pattern = '', minLength = 0, maxLength = 200 }: Schema): string {
  if (typeof usual === 'string') return usual
  if (format === 'email') return 'ada@school.example'
  if (format === 'date-time') return '2027-02-01T08:00:00.000Z'
  if (format === 'date') return '2027-02-01'
  if (format === 'uri') return 'https://lab.example.org/'
  if (pattern.includes('[01]')) return '14:00'
  if (pattern.includes('\\.')) return 'school.example'
  return nothingKnown.padEnd(minLength, '-').slice(0, maxLength)
}

function fits(
  value: unknown,
  {
    const: choice,
    enum: among,
    type,
    format,
    pattern,
    minLength = 0,
    maxLength = 1000,
    minimum,
    maximum,
    anyOf,
    oneOf,
  }: Schema,
): boolean {
  const choices = anyOf ?? oneOf
  if (choices !== undefined) return choices.some((each) => fits(value, each))
  if (choice !== undefined) return choice === value
  if (among !== undefined) return among.includes(value)
  const kinds = typeof type === 'string' ? [type] : (type ?? [])
  if (typeof value === 'number')
    return (
      (kinds.includes('number') || kinds.includes('integer')) &&
      value >= (minimum ?? value) &&
      value <= (maximum ?? value)
    )
  if (typeof value !== 'string' || !kinds.includes('string')) return false
  if (format === 'date') return /^\d{4}-\d\d-\d\d$/.test(value)
  return (
    value.length >= minLength &&
    value.length <= maxLength &&
    (pattern === undefined || new RegExp(pattern, 'u').test(value))
  )
}
