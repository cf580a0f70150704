/** Bodies that fit what a route says of itself, made from its schema in the OpenAPI document. */

export interface Schema {
  readonly type?: string | readonly string[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly items?: Schema
  readonly oneOf?: readonly Schema[]
  readonly anyOf?: readonly Schema[]
  readonly enum?: readonly unknown[]
  readonly minimum?: number
  readonly minLength?: number
  readonly minItems?: number
  readonly format?: string
  readonly pattern?: string
}

/** A value that fits the schema, with every property; names and times that this site could have. */
export function plausible(schema: Schema): unknown {
  const { type, properties, items, enum: choices } = schema
  const [first] = schema.oneOf ?? schema.anyOf ?? []
  if (first !== undefined) return plausible(first)
  if (choices !== undefined) return choices[0]
  switch (typeof type === 'string' ? type : type?.[0]) {
    case 'object':
      return Object.fromEntries(Object.entries(properties ?? {}).map(([name, each]) => [name, plausible(each)]))
    case 'array':
      return items === undefined ? [] : [plausible(items)]
    case 'integer':
    case 'number':
      return schema.minimum ?? 1
    case 'boolean':
      return true
    case 'string':
      return text(schema)
    default:
      return null
  }
}

function text({ format, pattern, minLength = 1 }: Schema): string {
  if (format === 'email') return 'somebody@school.example'
  if (format === 'date-time') return '2030-01-02T10:00:00Z'
  if (format === 'date') return '2030-01-02'
  if (pattern?.includes('[01]') === true) return '10:00'
  if (pattern?.includes('\\.') === true) return 'school.example'
  return 'small'.padEnd(minLength, 'x')
}

/** Where a value has parts, as far as `depth`; each a way to it. */
export function placesIn(value: unknown, depth = 3): (readonly (string | number)[])[] {
  if (typeof value !== 'object' || value === null || depth === 0) return []
  const keys = Array.isArray(value) ? [...value.keys()] : Object.keys(value)
  return keys.flatMap((key) => [
    [key],
    ...placesIn((value as Record<string | number, unknown>)[key], depth - 1).map((rest) => [key, ...rest]),
  ])
}

/** A copy with something else at the place. */
export function withAt(value: unknown, [key, ...rest]: readonly (string | number)[], put: unknown): unknown {
  if (key === undefined) return put
  const copy = (Array.isArray(value) ? [...value] : { ...(value as object) }) as Record<string | number, unknown>
  copy[key] = withAt(copy[key], rest, put)
  return copy
}
