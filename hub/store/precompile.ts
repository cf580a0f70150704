/** SQL that Kysely writes once, and that is then bound thousands of times a second. */
import type { SqlValue } from '@fernlab/shared/storage/database'
import type { Compilable } from 'kysely'
import { toSqlValues } from './storage-dialect.ts'

class Placeholder {
  readonly name: string

  constructor(name: string) {
    this.name = name
  }
}

/** A statement with its parameters in a fixed order. */
export interface Precompiled<Values> {
  readonly sql: string
  /** The parameters for one execution. */
  bind(values: Values): SqlValue[]
}

/**
 * Compiles `build` once; it takes its values from the given object, one property per name. Values are not converted: they
 * must be what SQLite holds.
 */
export function precompile<Values extends { readonly [Name in keyof Values]: SqlValue }>(
  build: (values: Values) => Compilable,
): Precompiled<Values> {
  const values = new Proxy({}, { get: (_, name) => new Placeholder(String(name)) }) as Values
  const { sql, parameters } = build(values).compile()
  const constants = toSqlValues(parameters.map((value) => (value instanceof Placeholder ? null : value)))
  const names = parameters.map((value) => (value instanceof Placeholder ? (value.name as keyof Values) : undefined))
  return {
    sql,
    bind: (bound) => names.map((name, at) => (name === undefined ? (constants[at] ?? null) : bound[name])),
  }
}
