/** What a service may import of Fernlab, for editors and tsc; at the node it is there by itself. */
export * as z from 'zod'

/** A text in one language, or in any number of them by BCP 47 tag. */
export type Text = string | Readonly<Record<string, string>>

/** What one argument, result, item, or event holds. */
export type ValueSpec =
  | {
      readonly type: 'number' | 'integer' | 'string' | 'boolean'
      /** UCUM spelling: V, mA, Cel, Hz, s; `1` for a plain number. */
      readonly unit?: string
      /** The argument may be left out. */
      readonly default?: number | string | boolean
      readonly minimum?: number
      readonly maximum?: number
      readonly exclusiveMinimum?: number
      readonly exclusiveMaximum?: number
      readonly multipleOf?: number
      readonly enum?: readonly (number | string | boolean)[]
      readonly pattern?: string
      readonly title?: Text
      readonly description?: Text
    }
  | { readonly type: 'list'; readonly items: ValueSpec; readonly maxItems?: number }
  | {
      readonly type: 'object'
      readonly members: Readonly<Record<string, ValueSpec>>
      /** Those that may be missing. */
      readonly optional?: readonly string[]
    }
  | { readonly type: 'array'; readonly of: keyof Arrays; readonly unit?: string }
  /** Nothing, and whatever a message can carry. */
  | { readonly type: 'none' | 'any' }

interface Arrays {
  readonly uint8: Uint8Array
  readonly int16: Int16Array
  readonly int32: Int32Array
  readonly float32: Float32Array
  readonly float64: Float64Array
}

export interface ActionContract {
  readonly title?: string
  readonly description?: string
  readonly arguments: Readonly<Record<string, ValueSpec>>
  /** What it answers; nothing unless given. */
  readonly result?: ValueSpec
  /** What it gives item by item, instead of a result. */
  readonly items?: ValueSpec
  /** Doing it twice is as good as once, so that it may be repeated when a link breaks. */
  readonly idempotent?: boolean
  readonly typicalS?: number
}

export interface SignalContract {
  readonly title?: string
  readonly unit: string
  readonly dtype: 'number' | 'integer' | 'boolean' | 'string' | 'array'
  /** `[]`: one value. */
  readonly shape: readonly number[]
  readonly kind: 'reading' | 'configuration'
  readonly access: 'read' | 'set' | 'read-set'
  readonly limits?: { readonly low?: number; readonly high?: number }
  /** The only texts that it takes. */
  readonly values?: readonly string[]
  /** Decimal places worth showing. */
  readonly precision?: number
  /** The smallest step that makes a difference, in the signal's unit. */
  readonly resolution?: number
  /** It may not be set again sooner. */
  readonly minSetIntervalS?: number
  /** How long after a set the value is good. */
  readonly settlingS?: number
  /** Typical time of one read. */
  readonly readS?: number
  /** Typical time of one set, without settling. */
  readonly setS?: number
  readonly maxRateHz?: number
  /** Standard uncertainty of one reading: `sqrt(absolute² + (relative·value)²)`, in the unit of the signal. */
  readonly uncertainty?: { readonly absolute?: number; readonly relative?: number }
}

export interface ServiceContract {
  readonly kind: string
  /** Two numbers, `1.2`: the first changes with what would break a client. */
  readonly version: string
  readonly title?: string
  readonly actions: Readonly<Record<string, ActionContract>>
  readonly signals: Readonly<Record<string, SignalContract>>
  readonly events: Readonly<Record<string, { readonly title?: string; readonly value: ValueSpec }>>
}

/** A contract as it was written, so that the types made of it are exact. */
export declare function defineService<const Contract extends ServiceContract>(contract: Contract): Contract

/** The type of what a spec describes. */
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
            : Spec extends { readonly type: 'array'; readonly of: infer Kind extends keyof Arrays }
              ? Arrays[Kind]
              : Spec extends { readonly type: 'object'; readonly members: infer Members }
                ? Spec extends { readonly optional: readonly (infer Optional)[] }
                  ? { readonly [Name in Exclude<keyof Members, Optional>]: ValueOf<Members[Name]> } & {
                      readonly [Name in keyof Members & Optional]?: ValueOf<Members[Name]>
                    }
                  : { readonly [Name in keyof Members]: ValueOf<Members[Name]> }
                : unknown

/** The type of an action's arguments; those with a default may be left out. */
export type ArgumentsOf<Specs> = {
  readonly [Name in keyof Specs as Specs[Name] extends { readonly default: unknown } ? never : Name]: ValueOf<
    Specs[Name]
  >
} & {
  readonly [Name in keyof Specs as Specs[Name] extends { readonly default: unknown } ? Name : never]?: ValueOf<
    Specs[Name]
  >
}

/** What a service is given when it is made. */
export interface ServiceContext {
  readonly name: string
  /** From node.yaml; no client ever sees them. */
  readonly parameters: Readonly<Record<string, unknown>>
  /** A folder of its own, in which it may keep what it likes. */
  readonly folder: string
  /** Tells clients who follow the event. */
  emit(event: string, value: unknown): void
  /** Called when the object is not needed any more, the last one that was given first. */
  onClose(listener: () => unknown): void
}

/** The second argument of each action. */
export interface CallContext {
  /** Aborts when nobody waits for the answer any more. */
  readonly signal: AbortSignal
}

/** An error with a code of your own; whatever else is thrown arrives as `service-failed` with its words. */
export declare class LabError extends Error {
  constructor(init: {
    /** Kebab-case: `lamp-off`. */
    readonly code: string
    readonly kind: 'caller' | 'configuration' | 'instrument' | 'link' | 'bug'
    readonly message: string
    readonly retry?: 'never' | 'later' | 'now'
    readonly cause?: unknown
  })
  readonly code: string
}
