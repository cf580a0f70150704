/** What an argument, a result, an item of a stream or an event holds: a parameter as instruments have them, or several. */
import * as z from 'zod'
import { type ParameterSpec, parameterSpecSchema } from '../../capabilities/signals.ts'

export interface ListSpec {
  readonly type: 'list'
  readonly items: ValueSpec
  readonly maxItems?: number
}

/** Members that nobody knows pass, so that a later version may add some. */
export interface ObjectSpec {
  readonly type: 'object'
  readonly members: Readonly<Record<string, ValueSpec>>
  /** Those that may be missing. */
  readonly optional?: readonly string[]
}

export interface ArraySpec {
  readonly type: 'array'
  readonly of: ArrayKind
  readonly unit?: string
}

/** Nothing, and whatever a message can carry. */
export interface OtherSpec {
  readonly type: 'none' | 'any'
}

export type ValueSpec = ParameterSpec | ListSpec | ObjectSpec | ArraySpec | OtherSpec

interface Arrays {
  readonly uint8: Uint8Array
  readonly int16: Int16Array
  readonly int32: Int32Array
  readonly float32: Float32Array
  readonly float64: Float64Array
}
export type ArrayKind = keyof Arrays
const arrayKinds = ['uint8', 'int16', 'int32', 'float32', 'float64'] as const satisfies readonly ArrayKind[]

/** The TypeScript type of what a spec describes. */
export type ValueOf<Spec> = Spec extends { readonly type: 'number' | 'integer' }
  ? number
  : Spec extends { readonly type: 'string'; readonly enum: readonly (infer Choice)[] }
    ? Choice
    : Spec extends { readonly type: 'string' }
      ? string
      : Spec extends { readonly type: 'boolean' }
        ? boolean
        : Spec extends { readonly type: 'none' }
          ? null
          : Spec extends { readonly type: 'list'; readonly items: infer Items }
            ? readonly ValueOf<Items>[]
            : Spec extends { readonly type: 'array'; readonly of: infer Kind extends ArrayKind }
              ? Arrays[Kind]
              : Spec extends { readonly type: 'object'; readonly members: infer Members }
                ? Spec extends { readonly optional: readonly (infer Optional)[] }
                  ? { readonly [Name in Exclude<keyof Members, Optional>]: ValueOf<Members[Name]> } & {
                      readonly [Name in keyof Members & Optional]?: ValueOf<Members[Name]>
                    }
                  : { readonly [Name in keyof Members]: ValueOf<Members[Name]> }
                : unknown

/** The same as it is given: a list of numbers will do for an array, at any depth. */
export type GivenOf<Spec> = Spec extends { readonly type: 'array' }
  ? ValueOf<Spec> | readonly number[]
  : Spec extends { readonly type: 'list'; readonly items: infer Items }
    ? readonly GivenOf<Items>[]
    : Spec extends { readonly type: 'object'; readonly members: infer Members }
      ? Spec extends { readonly optional: readonly (infer Optional)[] }
        ? { readonly [Name in Exclude<keyof Members, Optional>]: GivenOf<Members[Name]> } & {
            readonly [Name in keyof Members & Optional]?: GivenOf<Members[Name]>
          }
        : { readonly [Name in keyof Members]: GivenOf<Members[Name]> }
      : ValueOf<Spec>

/** An amount with its unit, which is converted to that of what takes it: `'1500 mV'`. */
type Amount = `${number} ${string}` | { readonly value: number; readonly unit: string }

/** An argument as it is given: an amount will do for a number that has a unit. */
type GivenArgument<Spec> = Spec extends { readonly type: 'number' | 'integer'; readonly unit: string }
  ? number | Amount
  : GivenOf<Spec>

/** The values by name, of which those with a default may be left out. */
type WithDefaults<Specs, Values extends { readonly [Name in keyof Specs]: unknown }> = {
  readonly [Name in keyof Specs as Specs[Name] extends { readonly default: unknown } ? never : Name]: Values[Name]
} & {
  readonly [Name in keyof Specs as Specs[Name] extends { readonly default: unknown } ? Name : never]?: Values[Name]
}

/** The TypeScript type of an action's arguments: those with a default may be left out. */
export type ArgumentsOf<Specs> = WithDefaults<Specs, { readonly [Name in keyof Specs]: ValueOf<Specs[Name]> }>

/** The same as a caller gives them. */
export type GivenArgumentsOf<Specs> = WithDefaults<
  Specs,
  { readonly [Name in keyof Specs]: GivenArgument<Specs[Name]> }
>

/** The schema of {@link ValueSpec}. */
export const valueSpecSchema: z.ZodType<ValueSpec> = z.lazy(() =>
  z.union([
    parameterSpecSchema,
    z.strictObject({
      type: z.literal('list'),
      items: valueSpecSchema,
      maxItems: z.int().nonnegative().exactOptional(),
    }),
    z.strictObject({
      type: z.literal('object'),
      members: z.record(z.string().max(64), valueSpecSchema),
      optional: z.array(z.string()).exactOptional(),
    }),
    z.strictObject({ type: z.literal('array'), of: z.enum(arrayKinds), unit: z.string().exactOptional() }),
    z.strictObject({ type: z.enum(['none', 'any']) }),
  ]),
)
