/**
 * The description of an instrument model: what a lab builder writes (YAML) to teach Fernlab a SCPI instrument. Texts in
 * braces are replaced: `{value}` in `set`, a setting's name anywhere, an argument's name in an action's commands.
 */
import {
  type ActionSpec,
  identifierSchema,
  limitsSchema,
  numberSchemas,
  parameterSpecSchema,
  type SignalSpec,
  unitSchema,
} from '@fernlab/shared/capabilities/signals'
import { type Finding, readFileAs } from '@fernlab/shared/contracts/yaml-file'
import type { Issue } from '@fernlab/shared/primitives/lab-error'
import { patternProblem } from '@fernlab/shared/protocol/parameters'
import * as z from 'zod'
import { isOneArgument, placeholders } from './templates.ts'

/** Printable ASCII, one line: a template cannot smuggle in a second message by a line feed. */
const template = z.string().regex(/^[\x20-\x7e]{1,200}$/, 'must be one line of printable ASCII')
const scalar = z.union([z.number(), z.string(), z.boolean()])

const signalSchema = z
  .strictObject({
    title: z.string().exactOptional(),
    unit: unitSchema.default('1'),
    dtype: z.enum(['number', 'integer', 'boolean', 'string']).default('number'),
    kind: z.enum(['reading', 'configuration']).exactOptional(),
    /** Command that sets it, with `{value}`. */
    set: template.exactOptional(),
    /** Question that reads it. Signals with the same question are read in one exchange. */
    query: template.exactOptional(),
    /** Which element of a comma-separated reply, from 0; without, the whole reply. */
    field: z.int().nonnegative().exactOptional(),
    /** Fixed digits after the point in `{value}`; without, up to 9 significant digits in E notation. */
    decimals: z.int().min(0).max(12).exactOptional(),
    /** The instrument's number times this is the signal's value: 1000 where it answers in k. */
    scale: z.number().exactOptional(),
    /** For booleans and strings: the value and the instrument's word for it; the first of several replies is sent. */
    words: z.record(z.string(), z.union([z.string(), z.array(z.string()).min(1)])).exactOptional(),
    /** Mode that the instrument must be in to read it. */
    mode: z.string().exactOptional(),
    timeoutMs: z.int().positive().exactOptional(),
    limits: limitsSchema.exactOptional(),
    ...numberSchemas,
  })
  .refine((signal) => signal.set !== undefined || signal.query !== undefined, { error: 'needs set or query' })

const descriptionSchema = z.strictObject({
  title: z.string(),
  /** Where the commands come from: manual, edition, pages. */
  source: z.string(),
  /** RE2 pattern that the answer to `*IDN?` must match. */
  identity: z.string().min(1).max(200),
  settings: z.record(identifierSchema, parameterSpecSchema).default({}),
  connection: z
    .strictObject({
      terminator: z.enum(['lf', 'crlf', 'cr']).default('lf'),
      timeoutMs: z.int().min(10).max(120_000).default(1000),
      synchroniseBy: z.enum(['event-mask', 'identity']).default('event-mask'),
      quietMs: z.int().min(1).max(10_000).default(200),
    })
    .prefault({}),
  errors: z
    .strictObject({ query: template.default('SYST:ERR?'), afterSet: z.boolean().default(true) })
    .or(z.literal('none'))
    .prefault({}),
  /** Sent after each connection, the identity checked. */
  initialise: z.array(template).default([]),
  /** Sent when the node lets go of the instrument. */
  shutdown: z.array(template).default([]),
  modes: z.record(z.string(), z.array(template).min(1)).default({}),
  signals: z.record(identifierSchema, signalSchema),
  actions: z
    .record(
      identifierSchema,
      z.strictObject({
        title: z.string().exactOptional(),
        arguments: z.record(identifierSchema, parameterSpecSchema).default({}),
        commands: z.array(template).min(1),
        timeoutMs: z.int().positive().exactOptional(),
        typicalS: z.number().nonnegative().exactOptional(),
      }),
    )
    .default({}),
  /** Limits that depend on a setting; the first whose settings all match holds. */
  variants: z
    .array(z.strictObject({ when: z.record(z.string(), scalar), limits: z.record(z.string(), limitsSchema) }))
    .default([]),
})

export type ScpiDescription = z.infer<typeof descriptionSchema>
export type ScpiSignal = ScpiDescription['signals'][string]

/** Reads a description file; with issues (each with file, line, column and path) there is none. */
export function parseDescription(
  text: string,
  options: { file?: string } = {},
): { description?: ScpiDescription; issues: Issue[] } {
  const { value, yaml, issues } = readFileAs(text, descriptionSchema, options)
  if (value === undefined || yaml === undefined) return { issues }
  const findings = consistencyFindings(value)
  if (findings.length > 0) return { issues: findings.map(yaml.place) }
  return { description: value, issues: [] }
}

/** JSON Schema of a description file, for editors. */
export const descriptionJsonSchema = (): object =>
  z.toJSONSchema(descriptionSchema, { io: 'input', unrepresentable: 'any' })

function consistencyFindings(description: ScpiDescription): Finding[] {
  const findings: Finding[] = []
  const settings = Object.keys(description.settings)
  const checkTemplate = (text: string, path: (string | number)[], known: readonly string[]) => {
    for (const name of placeholders(text)) {
      if (!known.includes(name)) findings.push({ path, message: `{${name}} is neither a setting nor known here` })
    }
  }
  const checkAll = (texts: readonly string[], path: (string | number)[], known: readonly string[]) => {
    texts.forEach((text, i) => {
      checkTemplate(text, [...path, i], known)
    })
  }
  const problem = patternProblem(description.identity)
  if (problem !== undefined) findings.push({ path: ['identity'], message: problem })
  checkAll(description.initialise, ['initialise'], settings)
  checkAll(description.shutdown, ['shutdown'], settings)
  for (const [name, commands] of Object.entries(description.modes)) checkAll(commands, ['modes', name], settings)
  for (const [name, signal] of Object.entries(description.signals)) {
    findings.push(...signalFindings(name, signal, description))
    if (signal.set !== undefined) {
      checkTemplate(signal.set, ['signals', name, 'set'], [...settings, 'value'])
      if (!placeholders(signal.set).includes('value')) {
        findings.push({ path: ['signals', name, 'set'], message: 'lacks {value}' })
      }
    }
    if (signal.query !== undefined) checkTemplate(signal.query, ['signals', name, 'query'], settings)
  }
  for (const [name, action] of Object.entries(description.actions)) {
    checkAll(action.commands, ['actions', name, 'commands'], [...settings, ...Object.keys(action.arguments)])
    findings.push(...openTextFindings(action.arguments, ['actions', name, 'arguments']))
  }
  findings.push(...openTextFindings(description.settings, ['settings']))
  description.variants.forEach((variant, i) => {
    for (const name of Object.keys(variant.when)) {
      if (!settings.includes(name)) findings.push({ path: ['variants', i, 'when', name], message: 'is not a setting' })
    }
    for (const name of Object.keys(variant.limits)) {
      if (description.signals[name] === undefined) {
        findings.push({ path: ['variants', i, 'limits', name], message: 'is not a signal' })
      }
    }
  })
  return findings
}

function signalFindings(name: string, signal: ScpiSignal, description: ScpiDescription): Finding[] {
  const path = ['signals', name]
  const findings: Finding[] = []
  if (signal.mode !== undefined && description.modes[signal.mode] === undefined) {
    findings.push({ path: [...path, 'mode'], message: `there is no mode ${signal.mode}` })
  }
  if (signal.dtype === 'string' && signal.set !== undefined && signal.words === undefined) {
    findings.push({ path, message: 'text that can be set needs words: no free text goes to an instrument' })
  }
  for (const [word, theirs] of Object.entries(signal.words ?? {})) {
    if ([theirs].flat().every(isOneArgument)) continue
    findings.push({ path: [...path, 'words', word], message: NOT_ONE_ARGUMENT })
  }
  if (signal.dtype === 'boolean' && signal.words !== undefined) {
    for (const word of Object.keys(signal.words)) {
      if (word !== 'true' && word !== 'false') {
        findings.push({ path: [...path, 'words', word], message: 'must be true or false' })
      }
    }
  }
  return findings
}

/** Text in a command must come from a closed list, or a user could send commands of their own. */
function openTextFindings(specs: ActionSpec['arguments'], path: string[]): Finding[] {
  return Object.entries(specs).flatMap(([name, spec]): Finding[] => {
    if (spec.type !== 'string') return []
    if (spec.enum === undefined) return [{ path: [...path, name], message: 'text needs an enum' }]
    const unsafe = spec.enum.some((choice) => !isOneArgument(String(choice)))
    return unsafe ? [{ path: [...path, name, 'enum'], message: NOT_ONE_ARGUMENT }] : []
  })
}

const NOT_ONE_ARGUMENT = 'must be printable ASCII without ";": a second command belongs into the template'

/** The signals as the node announces them. */
export function signalSpecs(description: ScpiDescription, settings: Readonly<Record<string, unknown>>): SignalSpec[] {
  const variant = description.variants.find(({ when }) =>
    Object.entries(when).every(([name, value]) => settings[name] === value),
  )
  return Object.entries(description.signals).map(([name, signal]): SignalSpec => {
    const { title, unit, dtype, precision, settlingS, readS, setS, maxRateHz, uncertainty } = signal
    const limits = variant?.limits[name] ?? signal.limits
    const values = dtype === 'string' && signal.set !== undefined ? Object.keys(signal.words ?? {}) : undefined
    const access = signal.set === undefined ? 'read' : signal.query === undefined ? 'set' : 'read-set'
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
      ...(settlingS === undefined ? {} : { settlingS }),
      ...(readS === undefined ? {} : { readS }),
      ...(setS === undefined ? {} : { setS }),
      ...(maxRateHz === undefined ? {} : { maxRateHz }),
      ...(uncertainty === undefined ? {} : { uncertainty }),
    }
  })
}

/** The actions as the node announces them. */
export function actionSpecs(description: ScpiDescription): ActionSpec[] {
  return Object.entries(description.actions).map(([name, { title, arguments: args, typicalS }]) => ({
    name,
    ...(title === undefined ? {} : { title }),
    arguments: args,
    ...(typicalS === undefined ? {} : { typicalS }),
  }))
}
