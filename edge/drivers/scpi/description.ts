/**
 * The description of an instrument model: what a lab builder writes (YAML) to teach Fernlab a SCPI instrument. Texts in
 * braces are replaced: `{value}` in `set`, a setting's name anywhere, an argument's name in an action's commands.
 */
import { identifierSchema } from '@fernlab/shared/capabilities/signals'
import { type Finding, type Path, readFileAs } from '@fernlab/shared/contracts/yaml-file'
import type { Issue } from '@fernlab/shared/primitives/lab-error'
import { patternProblem } from '@fernlab/shared/protocol/patterns'
import * as z from 'zod'
import {
  actionShape,
  openTextFindings,
  settingSpecsSchema,
  signalShape,
  templateFindings,
  templateSchema,
  variantFindings,
  variantsSchema,
  wordFindings,
} from '../described/specs.ts'
import { placeholders } from '../described/templates.ts'

const signalSchema = z
  .strictObject({
    ...signalShape,
    /** Command that sets it, with `{value}`. */
    set: templateSchema.exactOptional(),
    /** Question that reads it. Signals with the same question are read in one exchange. */
    query: templateSchema.exactOptional(),
    /** Which element of a comma-separated reply, from 0; without, the whole reply. */
    field: z.int().nonnegative().exactOptional(),
    /** Mode that the instrument must be in to read it. */
    mode: z.string().exactOptional(),
  })
  .refine((signal) => signal.set !== undefined || signal.query !== undefined, { error: 'needs set or query' })

const descriptionSchema = z.strictObject({
  title: z.string(),
  /** Where the commands come from: manual, edition, pages. */
  source: z.string(),
  /** RE2 pattern that the answer to `*IDN?` must match. */
  identity: z.string().min(1).max(200),
  settings: settingSpecsSchema,
  connection: z
    .strictObject({
      terminator: z.enum(['lf', 'crlf', 'cr']).default('lf'),
      timeoutMs: z.int().min(10).max(120_000).default(1000),
      synchroniseBy: z.enum(['event-mask', 'identity']).default('event-mask'),
      quietMs: z.int().min(1).max(10_000).default(200),
    })
    .prefault({}),
  errors: z
    .strictObject({ query: templateSchema.default('SYST:ERR?'), afterSet: z.boolean().default(true) })
    .or(z.literal('none'))
    .prefault({}),
  /** Sent after each connection, the identity checked. */
  initialise: z.array(templateSchema).default([]),
  /** Sent when the node lets go of the instrument. */
  shutdown: z.array(templateSchema).default([]),
  modes: z.record(z.string(), z.array(templateSchema).min(1)).default({}),
  signals: z.record(identifierSchema, signalSchema),
  actions: z
    .record(identifierSchema, z.strictObject({ ...actionShape, commands: z.array(templateSchema).min(1) }))
    .default({}),
  variants: variantsSchema,
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
  const checkAll = (texts: readonly string[], path: Path, known: readonly string[]) => {
    texts.forEach((text, i) => {
      findings.push(...templateFindings(text, [...path, i], known))
    })
  }
  const problem = patternProblem(description.identity)
  if (problem !== undefined) findings.push({ path: ['identity'], message: problem })
  checkAll(description.initialise, ['initialise'], settings)
  checkAll(description.shutdown, ['shutdown'], settings)
  for (const [name, commands] of Object.entries(description.modes)) checkAll(commands, ['modes', name], settings)
  for (const [name, signal] of Object.entries(description.signals)) {
    findings.push(...signalFindings(name, signal, description))
  }
  for (const [name, action] of Object.entries(description.actions)) {
    checkAll(action.commands, ['actions', name, 'commands'], [...settings, ...Object.keys(action.arguments)])
    findings.push(...openTextFindings(action.arguments, ['actions', name, 'arguments']))
  }
  findings.push(...openTextFindings(description.settings, ['settings']))
  findings.push(...variantFindings(description))
  return findings
}

function signalFindings(name: string, signal: ScpiSignal, description: ScpiDescription): Finding[] {
  const path = ['signals', name]
  const findings: Finding[] = []
  const settings = Object.keys(description.settings)
  if (signal.mode !== undefined && description.modes[signal.mode] === undefined) {
    findings.push({ path: [...path, 'mode'], message: `there is no mode ${signal.mode}` })
  }
  findings.push(...wordFindings(name, signal))
  if (signal.set !== undefined) {
    findings.push(...templateFindings(signal.set, [...path, 'set'], [...settings, 'value']))
    if (!placeholders(signal.set).includes('value')) {
      findings.push({ path: [...path, 'set'], message: 'lacks {value}' })
    }
  }
  if (signal.query !== undefined) findings.push(...templateFindings(signal.query, [...path, 'query'], settings))
  return findings
}
