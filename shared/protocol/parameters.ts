/**
 * Parameters on hub and node. Our own check instead of a JSON Schema validator: declarations are a small closed subset,
 * values may carry units, and nothing is compiled from text.
 */
import type { ParameterSpec, Scalar } from '../capabilities/signals.ts'
import { textIn } from '../contracts/common.ts'
import type { Issue } from '../primitives/lab-error.ts'
import { checkValues } from './parameter-values.ts'
import { matchesPattern } from './patterns.ts'
import type { Protocol } from './protocol.ts'

/** JSON Schema 2020-12 of the protocol's parameters, with `unit` annotations; texts in English where there are several. */
export function parameterSchema(protocol: Pick<Protocol, 'parameters'>): Record<string, unknown> {
  const entries = Object.entries(protocol.parameters)
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    type: 'object',
    properties: Object.fromEntries(entries.map(([name, spec]) => [name, schemaOf(spec)])),
    required: entries.filter(([, spec]) => spec.default === undefined).map(([name]) => name),
    additionalProperties: false,
  }
}

function schemaOf({ title, description, ...rest }: ParameterSpec): Record<string, unknown> {
  return {
    ...rest,
    ...(title === undefined ? {} : { title: textIn(title, 'en') }),
    ...(description === undefined ? {} : { description: textIn(description, 'en') }),
  }
}

/**
 * The parameters in declared units with defaults filled in; each input is a value or `{value, unit}`. With issues,
 * `values` holds those that were good. Paths are `parameters.voltage`.
 */
export function checkParameters(
  protocol: Pick<Protocol, 'parameters'>,
  input: unknown,
): { values: Record<string, Scalar>; issues: Issue[] } {
  return checkValues(protocol.parameters, input, { root: 'parameters', matches: matchesPattern })
}

/** The same for the arguments of an action. */
export function checkArguments(
  specs: Readonly<Record<string, ParameterSpec>>,
  input: unknown,
  root = 'arguments',
): { values: Record<string, Scalar>; issues: Issue[] } {
  return checkValues(specs, input, { root, matches: matchesPattern })
}
