/** What a described instrument announces, and what is wrong in any description whatever its driver. */
import {
  type ActionSpec,
  identifierSchema,
  type Limits,
  limitsSchema,
  numberSchemas,
  type ParameterSpec,
  parameterSpecSchema,
  type SignalSpec,
  unitSchema,
} from '@fernlab/shared/capabilities/signals'
import type { Finding, Path } from '@fernlab/shared/contracts/yaml-file'
import * as z from 'zod'
import { isOneArgument, placeholders } from './templates.ts'

/** Printable ASCII, one line: a template cannot smuggle in a second message by a line feed. */
export const templateSchema = z.string().regex(/^[\x20-\x7e]{1,200}$/, 'must be one line of printable ASCII')
const scalar = z.union([z.number(), z.string(), z.boolean()])

/** What a described signal has whatever its driver. */
export const signalShape = {
  title: z.string().exactOptional(),
  unit: unitSchema.default('1'),
  dtype: z.enum(['number', 'integer', 'boolean', 'string']).default('number'),
  kind: z.enum(['reading', 'configuration']).exactOptional(),
  /** Fixed digits after the point in `{value}`; without, up to 9 significant digits in E notation. */
  decimals: z.int().min(0).max(12).exactOptional(),
  /** The instrument's number times this is the signal's value: 1000 where it answers in k. */
  scale: z.number().exactOptional(),
  /** For booleans and strings: the value and the instrument's word for it; the first of several replies is sent. */
  words: z.record(z.string(), z.union([z.string(), z.array(z.string()).min(1)])).exactOptional(),
  timeoutMs: z.int().positive().exactOptional(),
  limits: limitsSchema.exactOptional(),
  ...numberSchemas,
}

/** What a described action has whatever its driver. */
export const actionShape = {
  title: z.string().exactOptional(),
  arguments: z.record(identifierSchema, parameterSpecSchema).default({}),
  timeoutMs: z.int().positive().exactOptional(),
  typicalS: z.number().nonnegative().exactOptional(),
}

export const settingSpecsSchema = z.record(identifierSchema, parameterSpecSchema).default({})

/** Limits that depend on a setting; the first whose settings all match holds. */
export const variantsSchema = z
  .array(z.strictObject({ when: z.record(z.string(), scalar), limits: z.record(z.string(), limitsSchema) }))
  .default([])

/** A described signal as far as all drivers read it. */
export interface DescribedSignal extends Omit<SignalSpec, 'name' | 'dtype' | 'shape' | 'kind' | 'access' | 'values'> {
  readonly dtype: 'number' | 'integer' | 'boolean' | 'string'
  readonly kind?: SignalSpec['kind']
  readonly set?: unknown
  readonly query?: unknown
  /** Its value comes by itself. */
  readonly says?: unknown
  readonly words?: Readonly<Record<string, string | readonly string[]>>
}

interface Described {
  readonly signals: Readonly<Record<string, DescribedSignal>>
  readonly settings: Readonly<Record<string, ParameterSpec>>
  readonly variants: z.infer<typeof variantsSchema>
}

/** The signals as the node announces them. */
export function signalSpecs(
  { signals, variants }: Omit<Described, 'settings'>,
  settings: Readonly<Record<string, unknown>>,
): SignalSpec[] {
  const variant = variants.find(({ when }) => Object.entries(when).every(([name, value]) => settings[name] === value))
  return Object.entries(signals).map(([name, signal]) => signalSpec(name, signal, variant?.limits[name]))
}

function signalSpec(name: string, signal: DescribedSignal, narrowed: Limits | undefined): SignalSpec {
  const { title, unit, dtype, precision, settlingS, readS, setS, maxRateHz, uncertainty } = signal
  const limits = narrowed ?? signal.limits
  const values = dtype === 'string' && signal.set !== undefined ? Object.keys(signal.words ?? {}) : undefined
  const isRead = signal.query !== undefined || signal.says !== undefined
  const access = signal.set === undefined ? 'read' : isRead ? 'read-set' : 'set'
  return {
    name,
    ...(title === undefined ? {} : { title }),
    unit,
    dtype,
    shape: [],
    kind: signal.kind ?? (signal.set === undefined ? 'reading' : 'configuration'),
    access,
    ...(limits === undefined ? {} : { limits }),
    ...(values === undefined ? {} : { values }),
    ...(precision === undefined ? {} : { precision }),
    ...(signal.resolution === undefined ? {} : { resolution: signal.resolution }),
    ...(signal.minSetIntervalS === undefined ? {} : { minSetIntervalS: signal.minSetIntervalS }),
    ...(settlingS === undefined ? {} : { settlingS }),
    ...(readS === undefined ? {} : { readS }),
    ...(setS === undefined ? {} : { setS }),
    ...(maxRateHz === undefined ? {} : { maxRateHz }),
    ...(uncertainty === undefined ? {} : { uncertainty }),
  }
}

interface DescribedAction {
  readonly title?: string
  readonly arguments: Readonly<Record<string, ParameterSpec>>
  readonly typicalS?: number
}

/** The actions as the node announces them. */
export function actionSpecs(actions: Readonly<Record<string, DescribedAction>>): ActionSpec[] {
  return Object.entries(actions).map(([name, { title, arguments: args, typicalS }]) => ({
    name,
    ...(title === undefined ? {} : { title }),
    arguments: args,
    ...(typicalS === undefined ? {} : { typicalS }),
  }))
}

/** The names in a template that nothing gives a value. */
export function templateFindings(text: string, path: Path, known: readonly string[]): Finding[] {
  return placeholders(text)
    .filter((name) => !known.includes(name))
    .map((name) => ({ path, message: `{${name}} is neither a setting nor known here` }))
}

/** What is wrong with a signal's words, or with its having none. */
export function wordFindings(name: string, signal: DescribedSignal): Finding[] {
  const path = ['signals', name]
  const findings: Finding[] = []
  if (signal.dtype === 'string' && signal.set !== undefined && signal.words === undefined) {
    findings.push({ path, message: 'text that can be set needs words: no free text goes to an instrument' })
  }
  for (const [word, theirs] of Object.entries(signal.words ?? {})) {
    if ([theirs].flat().every(isOneArgument)) continue
    findings.push({ path: [...path, 'words', word], message: NOT_ONE_ARGUMENT })
  }
  if (signal.dtype !== 'boolean') return findings
  for (const word of Object.keys(signal.words ?? {})) {
    if (word !== 'true' && word !== 'false') {
      findings.push({ path: [...path, 'words', word], message: 'must be true or false' })
    }
  }
  return findings
}

/** Text in a command must come from a closed list, or a user could send commands of their own. */
export function openTextFindings(specs: Readonly<Record<string, ParameterSpec>>, path: Path): Finding[] {
  return Object.entries(specs).flatMap(([name, spec]): Finding[] => {
    if (spec.type !== 'string') return []
    if (spec.enum === undefined) return [{ path: [...path, name], message: 'text needs an enum' }]
    const unsafe = spec.enum.some((choice) => !isOneArgument(String(choice)))
    return unsafe ? [{ path: [...path, name, 'enum'], message: NOT_ONE_ARGUMENT }] : []
  })
}

/** Variants that name what is not there. */
export function variantFindings({ signals, settings, variants }: Described): Finding[] {
  return variants.flatMap((variant, i) => [
    ...Object.keys(variant.when)
      .filter((name) => settings[name] === undefined)
      .map((name) => ({ path: ['variants', i, 'when', name], message: 'is not a setting' })),
    ...Object.keys(variant.limits)
      .filter((name) => signals[name] === undefined)
      .map((name) => ({ path: ['variants', i, 'limits', name], message: 'is not a signal' })),
  ])
}

const NOT_ONE_ARGUMENT = 'must be printable ASCII without ";": a second command belongs into the template'
