/** Whether a program that was written for one version of a service can use another. */
import { type Issue, LabError } from '../../primitives/lab-error.ts'
import type { ServiceContract } from './service-contract.ts'
import type { ValueSpec } from './value-spec.ts'

/**
 * What of the service would be misunderstood; nothing where it has all that is known, and perhaps more. What the program
 * sends may be wider at the service, what it receives may have more members.
 */
export function differences(known: ServiceContract, met: ServiceContract): Issue[] {
  const issues: Issue[] = []
  for (const [name, action] of Object.entries(known.actions)) {
    const path = `actions.${name}`
    const other = met.actions[name]
    if (other === undefined) {
      issues.push({ path, message: 'is not there' })
      continue
    }
    for (const [argument, spec] of Object.entries(action.arguments)) {
      compare(spec, other.arguments[argument], `${path}.arguments.${argument}`, issues)
    }
    for (const [argument, spec] of Object.entries(other.arguments)) {
      if (Object.hasOwn(action.arguments, argument) || 'default' in spec) continue
      issues.push({ path: `${path}.arguments.${argument}`, message: 'was not there, and must be given' })
    }
    const nothing: ValueSpec = { type: 'none' }
    compare(action.result ?? nothing, other.result ?? nothing, `${path}.result`, issues)
    compare(action.items ?? nothing, other.items ?? nothing, `${path}.items`, issues)
  }
  compareSignals(known, met, issues)
  for (const [name, { value }] of Object.entries(known.events))
    compare(value, met.events[name]?.value, `events.${name}`, issues)
  return issues
}

/** Throws `contract-changed`, with both versions and each difference, where {@link differences} finds any. */
export function requireCompatible(service: string, known: ServiceContract, met: ServiceContract): void {
  const issues = differences(known, met)
  const [first] = issues
  if (first === undefined) return
  const more = issues.length === 1 ? '' : ` (and ${issues.length - 1} more)`
  throw new LabError({
    code: 'contract-changed',
    kind: 'caller',
    message: `${service} is ${met.kind} ${met.version}, and this program was written for ${known.kind} ${known.version}: ${first.path} ${first.message}${more}`,
    issues,
    details: { known: known.version, met: met.version },
  })
}

function compareSignals(known: ServiceContract, met: ServiceContract, issues: Issue[]): void {
  for (const [name, { dtype, unit, access, shape }] of Object.entries(known.signals)) {
    const path = `signals.${name}`
    const other = met.signals[name]
    if (other === undefined) issues.push({ path, message: 'is not there' })
    else if (other.dtype !== dtype)
      issues.push({ path, message: `was of type ${dtype}, and is of type ${other.dtype}` })
    else if (other.unit !== unit) issues.push({ path, message: `was in ${unit}, and is in ${other.unit}` })
    else if (String(other.shape) !== String(shape)) issues.push({ path, message: 'has another shape' })
    else if (other.access !== access && other.access !== 'read-set')
      issues.push({ path, message: `was ${access}, and is ${other.access}` })
  }
}

function compare(known: ValueSpec, met: ValueSpec | undefined, path: string, issues: Issue[]): void {
  if (met === undefined) return void issues.push({ path, message: 'is not there' })
  if (known.type === 'any' || met.type === 'any') return
  if (known.type !== met.type) return void issues.push({ path, message: `was ${known.type}, and is ${met.type}` })
  const [was, is] = [unitOf(known), unitOf(met)]
  if (was !== is) issues.push({ path, message: `was in ${was}, and is in ${is}` })
  if (known.type === 'array' && met.type === 'array' && known.of !== met.of) {
    issues.push({ path, message: `was of ${known.of}, and is of ${met.of}` })
  }
  if (known.type === 'list' && met.type === 'list') compare(known.items, met.items, `${path}[]`, issues)
  if (known.type === 'object' && met.type === 'object') {
    for (const [name, member] of Object.entries(known.members)) {
      if (met.members[name] === undefined && known.optional?.includes(name) === true) continue
      compare(member, met.members[name], `${path}.${name}`, issues)
    }
  }
}

const unitOf = (spec: ValueSpec): string => ('unit' in spec ? (spec.unit ?? '1') : '1')
