/** JSON Schemas without definitions of their own: `#` would be the whole document in which they are shown. */

/** How often a schema is shown within itself; below that anything stands. */
const DEEP = 1

type Json = Readonly<Record<string, unknown>>

/** The schema with each `#/$defs/…` in its place. */
export function inlined(schema: Json): Json {
  const { $defs, ...rest } = schema
  return $defs === undefined ? schema : (put(rest, $defs as Readonly<Record<string, Json>>, 0) as Json)
}

function put(value: unknown, definitions: Readonly<Record<string, Json>>, depth: number): unknown {
  if (Array.isArray(value)) return value.map((each) => put(each, definitions, depth))
  if (typeof value !== 'object' || value === null) return value
  const { $ref } = value as { readonly $ref?: unknown }
  const name = typeof $ref === 'string' && $ref.startsWith('#/$defs/') ? $ref.slice('#/$defs/'.length) : undefined
  if (name !== undefined) return depth > DEEP ? {} : put(definitions[name] ?? {}, definitions, depth + 1)
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, put(each, definitions, depth)]))
}
