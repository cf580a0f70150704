import * as z from 'zod'
import type { Issue } from '../primitives/lab-error.ts'
import { parseUnit, sameDimension } from '../primitives/units.ts'

/** Names of parts, signals, actions and variables: they stand in expressions, so hyphens and dots are out. */
export const IDENTIFIER_PATTERN = /^[A-Za-z][A-Za-z0-9_]{0,62}$/

/** True for a name that may stand in an expression. */
export const isIdentifier = (text: string): boolean => IDENTIFIER_PATTERN.test(text)

/** What a signal, a parameter or a column may hold in one place. */
export type Scalar = number | boolean | string

/** Bounds, both included; a missing side is open. */
export interface Limits {
  readonly low?: number
  readonly high?: number
}

/** Standard uncertainty of one reading: `sqrt(absolute² + (relative·value)²)`, in the signal's unit. */
export interface Uncertainty {
  readonly absolute?: number
  readonly relative?: number
}

export type SignalDtype = 'number' | 'integer' | 'boolean' | 'string' | 'array'
export type SignalAccess = 'read' | 'set' | 'read-set'

/** One readable or settable value of an instrument. */
export interface SignalSpec {
  readonly name: string
  readonly title?: string
  /** UCUM spelling; `1` for a plain number, also for booleans and strings. */
  readonly unit: string
  readonly dtype: SignalDtype
  /** `[]` for a scalar. */
  readonly shape: readonly number[]
  readonly kind: 'reading' | 'configuration'
  readonly access: SignalAccess
  readonly limits?: Limits
  /** The only texts that it takes. */
  readonly values?: readonly string[]
  /** Decimal places worth showing. */
  readonly precision?: number
  /** The smallest step that makes a difference, in the signal's unit. */
  readonly resolution?: number
  /** It may not be set again sooner, safe states excepted. */
  readonly minSetIntervalS?: number
  /** How long after a set the value is good. */
  readonly settlingS?: number
  /** Typical time of one read. */
  readonly readS?: number
  /** Typical time of one set, without settling. */
  readonly setS?: number
  /** Fastest `record`. */
  readonly maxRateHz?: number
  readonly uncertainty?: Uncertainty
}

/** A parameter of a protocol or an argument of an action: a subset of JSON Schema plus a unit. */
export interface ParameterSpec {
  readonly type: 'number' | 'integer' | 'string' | 'boolean'
  readonly unit?: string
  readonly minimum?: number
  readonly maximum?: number
  readonly exclusiveMinimum?: number
  readonly exclusiveMaximum?: number
  readonly multipleOf?: number
  readonly enum?: readonly Scalar[]
  /** RE2 syntax; matched anywhere in the text, as JSON Schema does. */
  readonly pattern?: string
  readonly default?: Scalar
  readonly title?: Text
  readonly description?: Text
}

/** A text in one language, or in any number of them by BCP 47 tag. */
export type Text = string | Readonly<Record<string, string>>

/** A typed method of an instrument. */
export interface ActionSpec {
  readonly name: string
  readonly title?: string
  readonly arguments: Readonly<Record<string, ParameterSpec>>
  readonly typicalS?: number
}

/** What a configured instrument can do; a node announces one for each of its instruments. */
export interface InstrumentSpec {
  readonly name: string
  readonly driver: string
  readonly model?: string
  readonly signals: readonly SignalSpec[]
  readonly actions: readonly ActionSpec[]
  /** It is a laboratory with a server of its own, which starts and ends sessions and has pages for them. */
  readonly labServer?: true
  /** It sees: pictures of so many pixels, at most so many a second. */
  readonly camera?: CameraSpec
}

export interface CameraSpec {
  readonly width: number
  readonly height: number
  readonly rateHz: number
}

/** What a lab needs of one signal. */
export interface SignalRequirement {
  readonly unit: string
  readonly access: SignalAccess
  readonly dtype?: SignalDtype
}

/** What a lab needs of one part. */
export interface PartRequirement {
  readonly title?: Text
  readonly signals: Readonly<Record<string, SignalRequirement>>
  readonly actions?: readonly string[]
  /** The part must be a laboratory's own server. */
  readonly labServer?: boolean
  /** The part must be a camera. */
  readonly camera?: boolean
}

const identifier = z.string().regex(IDENTIFIER_PATTERN, 'must be letters, digits and _, beginning with a letter')
const unit = z
  .string()
  .max(64)
  .refine(isUnit, { error: (issue) => `unknown unit ${JSON.stringify(issue.input)}` })
const scalar = z.union([z.number(), z.boolean(), z.string()])

function isUnit(text: string): boolean {
  try {
    parseUnit(text)
    return true
  } catch {
    return false
  }
}

/** A text in one language, or in several by BCP 47 tag. */
export const textSchema = z.union(
  [
    z.string().max(20_000),
    z.record(
      z.string().regex(/^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$/, 'must be a language tag such as en or es'),
      z.string(),
    ),
  ],
  {
    error: (issue) =>
      issue.input === undefined ? 'is missing' : 'must be text, or texts by language as in {en: …, es: …}',
  },
) satisfies z.ZodType<Text>

/** The schema of a unit in UCUM spelling. */
export const unitSchema = unit
/** The schema of a name that may stand in an expression. */
export const identifierSchema = identifier

/** `part.signal`. */
export const signalKeySchema = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9_]{0,62}\.[A-Za-z][A-Za-z0-9_]{0,62}$/, 'must be part.signal')

/** The schema of {@link Limits}. */
export const limitsSchema = z
  .strictObject({
    low: z.number().describe('The lowest value allowed, itself included.').exactOptional(),
    high: z.number().describe('The highest value allowed, itself included.').exactOptional(),
  })
  .refine((limits) => !(limits.low !== undefined && limits.high !== undefined && limits.low > limits.high), {
    error: 'low is above high',
  }) satisfies z.ZodType<Limits>

/** The schema of {@link ParameterSpec}. */
export const parameterSpecSchema = z.strictObject({
  type: z.enum(['number', 'integer', 'string', 'boolean']).describe('What kind of value it is.'),
  unit: unit.describe('In UCUM spelling: V, mA, Ohm, uF, Hz, Cel, s; without, a plain number.').exactOptional(),
  minimum: z.number().describe('The least value allowed, in this unit.').exactOptional(),
  maximum: z.number().describe('The greatest value allowed, in this unit.').exactOptional(),
  exclusiveMinimum: z.number().describe('The value must be above this, in this unit.').exactOptional(),
  exclusiveMaximum: z.number().describe('The value must be below this, in this unit.').exactOptional(),
  multipleOf: z.number().positive().describe('The value must be a multiple of this, in this unit.').exactOptional(),
  enum: z.array(scalar).min(1).max(1000).describe('The only values allowed, in this unit.').exactOptional(),
  pattern: z.string().max(500).describe('For text: a pattern in RE2 syntax that it must hold.').exactOptional(),
  default: scalar.describe('The value when none is given, in this unit; without, one must be given.').exactOptional(),
  title: textSchema.describe('What people call it, in one language or in several.').exactOptional(),
  description: textSchema.describe('Help beside the field, in one language or in several.').exactOptional(),
}) satisfies z.ZodType<ParameterSpec>

const access = z.enum(['read', 'set', 'read-set'])
const dtype = z.enum(['number', 'integer', 'boolean', 'string', 'array'])

/** The schemas of how exact a signal of {@link SignalSpec} is, and how long it takes. */
export const numberSchemas = {
  precision: z.int().min(0).max(15).describe('Decimal places worth showing.').exactOptional(),
  resolution: z
    .number()
    .positive()
    .describe("The smallest step that makes a difference, in the signal's unit.")
    .exactOptional(),
  minSetIntervalS: z
    .number()
    .positive()
    .max(3600)
    .describe('It may not be set again sooner, in seconds; safe states excepted.')
    .exactOptional(),
  settlingS: z.number().nonnegative().describe('How long after a set the value is good, in seconds.').exactOptional(),
  readS: z.number().nonnegative().describe('Typical time of one read, in seconds.').exactOptional(),
  setS: z.number().nonnegative().describe('Typical time of one set, without settling, in seconds.').exactOptional(),
  maxRateHz: z.number().positive().describe('How often it may be read, per second.').exactOptional(),
  uncertainty: z
    .strictObject({
      absolute: z.number().nonnegative().describe("In the signal's unit.").exactOptional(),
      relative: z.number().nonnegative().describe('As a share of the value.').exactOptional(),
    })
    .describe('Standard uncertainty of one reading: both parts are added in quadrature.')
    .exactOptional(),
}

/** The schema of {@link SignalSpec}. */
export const signalSpecSchema = z.strictObject({
  name: identifier,
  title: z.string().exactOptional(),
  unit,
  dtype,
  shape: z.array(z.int().nonnegative()).max(4),
  kind: z.enum(['reading', 'configuration']),
  access,
  limits: limitsSchema.exactOptional(),
  values: z.array(z.string()).exactOptional(),
  ...numberSchemas,
}) satisfies z.ZodType<SignalSpec>

/** The schema of {@link ActionSpec}. */
export const actionSpecSchema = z.strictObject({
  name: identifier,
  title: z.string().exactOptional(),
  arguments: z.record(identifier, parameterSpecSchema),
  typicalS: z.number().nonnegative().exactOptional(),
}) satisfies z.ZodType<ActionSpec>

/** The schema of {@link InstrumentSpec}. */
export const instrumentSpecSchema = z.strictObject({
  name: z.string(),
  driver: z.string(),
  model: z.string().exactOptional(),
  signals: z.array(signalSpecSchema),
  actions: z.array(actionSpecSchema),
  labServer: z.literal(true).exactOptional(),
  camera: z
    .strictObject({ width: z.int().positive(), height: z.int().positive(), rateHz: z.number().positive() })
    .exactOptional(),
}) satisfies z.ZodType<InstrumentSpec>

/** The schema of {@link PartRequirement}. */
export const partRequirementSchema = z.strictObject({
  title: textSchema.describe('What people call the part, in one language or in several.').exactOptional(),
  signals: z
    .record(
      identifier,
      z.strictObject({
        unit: unit.describe(
          'In UCUM spelling: V, mA, Ohm, uF, Hz, Cel, s; "1" for plain numbers, true or false, and text.',
        ),
        access: access.describe('What is done with it: read, set, or both (read-set).'),
        dtype: dtype.describe('What it holds, where it must be just that.').exactOptional(),
      }),
    )
    .describe('The signals that are needed, by name.'),
  actions: z.array(identifier).describe('The actions that are needed, by name.').exactOptional(),
  labServer: z
    .boolean()
    .describe("Whether the part is a laboratory's own server, which session.server hands sessions to. Default: false.")
    .exactOptional(),
  camera: z.boolean().describe('Whether the part must be a camera. Default: false.').exactOptional(),
}) satisfies z.ZodType<PartRequirement>

/** Bounds that keep all of the given ones. */
export function narrowest(all: readonly (Limits | undefined)[]): Limits {
  const low = Math.max(...all.map((limits) => limits?.low ?? -Infinity))
  const high = Math.min(...all.map((limits) => limits?.high ?? Infinity))
  return { ...(Number.isFinite(low) ? { low } : {}), ...(Number.isFinite(high) ? { high } : {}) }
}

/** What the instrument lacks to serve as a part; empty when it serves. Paths are `signals.voltage`, `actions`. */
export function missingFrom(requirement: PartRequirement, instrument: InstrumentSpec): Issue[] {
  const issues: Issue[] = []
  for (const [name, wanted] of Object.entries(requirement.signals)) {
    const path = `signals.${name}`
    const signal = instrument.signals.find((candidate) => candidate.name === name)
    if (signal === undefined) {
      issues.push({ path, message: `${instrument.name} has no signal ${name}` })
      continue
    }
    if (!sameDimension(signal.unit, wanted.unit)) {
      issues.push({ path, message: `${instrument.name}.${name} is in ${signal.unit}, not in ${wanted.unit}` })
    }
    if (signal.access !== 'read-set' && signal.access !== wanted.access) {
      const verb = wanted.access === 'read-set' ? 'both set and read' : wanted.access === 'set' ? 'set' : 'read'
      issues.push({ path, message: `${instrument.name}.${name} cannot be ${verb}` })
    }
    if (wanted.dtype !== undefined && wanted.dtype !== signal.dtype) {
      issues.push({ path, message: `${instrument.name}.${name} is of type ${signal.dtype}, not ${wanted.dtype}` })
    }
  }
  for (const name of requirement.actions ?? []) {
    if (!instrument.actions.some((action) => action.name === name)) {
      issues.push({ path: 'actions', message: `${instrument.name} has no action ${name}` })
    }
  }
  if (requirement.labServer === true && instrument.labServer !== true) {
    issues.push({ path: 'labServer', message: `${instrument.name} is not a laboratory's own server` })
  }
  if (requirement.camera === true && instrument.camera === undefined) {
    issues.push({ path: 'camera', message: `${instrument.name} is not a camera` })
  }
  return issues
}
