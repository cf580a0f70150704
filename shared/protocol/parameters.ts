import type { ParameterSpec, Scalar } from '../capabilities/signals.ts'
import type { Issue } from '../primitives/lab-error.ts'
import type { Protocol } from './protocol.ts'

/** JSON Schema 2020-12 of the protocol's parameters, with `unit` annotations. */
export function parameterSchema(protocol: Protocol): Record<string, unknown> {
  return protocol && {}
}

/**
 * The parameters in declared units with defaults filled in; each input is a value or `{value, unit}`. With issues,
 * `values` holds those that were good. Paths are `parameters.voltage`.
 */
export function checkParameters(
  protocol: Pick<Protocol, 'parameters'>,
  input: unknown,
): { values: Record<string, Scalar>; issues: Issue[] } {
  return checkValues(protocol.parameters, input, 'parameters')
}

/** The same for the arguments of an action, with another root of the paths. */
export function checkValues(
  specs: Readonly<Record<string, ParameterSpec>>,
  input: unknown,
  root: string,
): { values: Record<string, Scalar>; issues: Issue[] } {
  return { values: {}, issues: [{ path: root, message: `${specs} ${input}` }] }
}
