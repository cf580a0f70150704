/** Lists of numbers, as they are typed by hand, where a contract says array. Pure. */
import { type Issue, LabError } from '../../primitives/lab-error.ts'
import { isRecord } from '../errors.ts'
import type { TypedArray } from '../typed-arrays.ts'
import { arrayOfKind } from './array-of-kind.ts'
import type { ArrayKind, ValueSpec } from './value-spec.ts'

/**
 * The arguments with a typed array for each list of numbers that an argument, or what is in it, wants as an array; all else
 * stays as it is, for the service to check. Floats are rounded to their kind. Throws `call-invalid` with the path of the
 * first item of each list that is no number, or that its kind can't hold; `before` stands before each path.
 */
export function withTypedArrays(
  specs: Readonly<Record<string, ValueSpec>>,
  args: Readonly<Record<string, unknown>>,
  before = '',
): Record<string, unknown> {
  const issues: Issue[] = []
  const typed = Object.entries(args).map(([name, value]): [string, unknown] => [
    name,
    Object.hasOwn(specs, name) ? typedValue(specs[name] as ValueSpec, value, `${before}${name}`, issues) : value,
  ])
  if (issues.length === 0) return Object.fromEntries(typed)
  const message = issues.map((issue) => `${issue.path} ${issue.message}`).join('; ')
  throw new LabError({ code: 'call-invalid', kind: 'caller', message, issues })
}

/** Whether lists of numbers may have to be made arrays in what it describes. */
export const hasArrays = (spec: ValueSpec): boolean =>
  spec.type === 'array' ||
  (spec.type === 'list' && hasArrays(spec.items)) ||
  (spec.type === 'object' && Object.values(spec.members).some(hasArrays))

/** What makes arguments of such an action; undefined where they are taken as they are. */
export function typedBy(
  specs: Readonly<Record<string, ValueSpec>>,
): ((args: unknown, before?: string) => unknown) | undefined {
  if (!Object.values(specs).some(hasArrays)) return undefined
  return (args, before) => (isRecord(args) && !ArrayBuffer.isView(args) ? withTypedArrays(specs, args, before) : args)
}

function typedValue(spec: ValueSpec, value: unknown, path: string, issues: Issue[]): unknown {
  if (spec.type === 'array') return Array.isArray(value) ? typedArray(spec.of, value, path, issues) : value
  if (spec.type === 'list' && Array.isArray(value)) {
    return value.map((item, i) => typedValue(spec.items, item, `${path}[${i}]`, issues))
  }
  if (spec.type !== 'object' || !isRecord(value) || ArrayBuffer.isView(value)) return value
  const typed = Object.entries(value).map(([name, member]): [string, unknown] => {
    const inner = Object.hasOwn(spec.members, name) ? spec.members[name] : undefined
    return [name, inner === undefined ? member : typedValue(inner, member, `${path}.${name}`, issues)]
  })
  return Object.fromEntries(typed)
}

function typedArray(kind: ArrayKind, list: readonly unknown[], path: string, issues: Issue[]): TypedArray | undefined {
  const wrong = (i: number, message: string): void => void issues.push({ path: `${path}[${i}]`, message })
  const stranger = list.findIndex((item) => typeof item !== 'number')
  if (stranger >= 0) return void wrong(stranger, `must be a number, not ${JSON.stringify(list[stranger])}`)
  const made = arrayOfKind(kind, list as readonly number[])
  if ('array' in made) return made.array
  return void wrong(made.unfit, `${list[made.unfit]} can't be held as ${kind}`)
}
