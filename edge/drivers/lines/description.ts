/**
 * The description of an instrument that speaks lines of its own kind: what a lab builder writes (YAML). Texts in braces are
 * replaced: `{value}` in `set`, a setting's name anywhere, an argument's name in an action's commands. Bytes are written in
 * hexadecimal and are sent as they are.
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

const hexSchema = z
  .string()
  .regex(/^[0-9A-Fa-f]{2}( ?[0-9A-Fa-f]{2}){0,255}$/, 'must be bytes in hexadecimal, as in "FF 01 86"')
const pattern = z.string().min(1).max(500)

/** A text, to which the terminator is added, or bytes. */
const messageSchema = z.union([templateSchema, z.strictObject({ hex: hexSchema })], {
  error: 'must be one line of printable ASCII, or {hex: "FF 01"}',
})

/** What an instrument says once it has taken a message. */
const acknowledgementSchema = z.strictObject({
  pattern,
  /** What it says instead when it refuses; the pattern's group is the reason. */
  refused: pattern.exactOptional(),
})
const answerSchema = z.union([z.literal('none'), acknowledgementSchema], {
  error: 'must be none, or {pattern: …, refused: …}',
})

/** A message with an answer of its own; without, that of `acknowledge`. */
const commandSchema = z.union(
  [
    templateSchema,
    z.strictObject({ send: templateSchema, answer: answerSchema.exactOptional() }),
    z.strictObject({
      hex: hexSchema,
      answer: answerSchema.exactOptional(),
      /** The answer is so many bytes; patterns see their hexadecimal digits in small letters. */
      bytes: z.int().min(1).max(1024).exactOptional(),
    }),
  ],
  { error: 'must be one line of printable ASCII, {send: …} or {hex: …}' },
)

const signalSchema = z
  .strictObject({
    ...signalShape,
    /** Message that sets it, with `{value}`. */
    set: templateSchema.exactOptional(),
    /** What is said to `set`; without, what `acknowledge` says. */
    answer: answerSchema.exactOptional(),
    /** Question that reads it. Signals with the same question are read in one exchange. */
    query: messageSchema.exactOptional(),
    /** RE2 pattern of lines that it says by itself, in place of `query` and `pattern`; they are never answers. */
    says: pattern.exactOptional(),
    /** How long what it says is good for, in seconds; 10 unless said. */
    staleS: z
      .union([z.literal('never'), z.number().positive().max(86_400)], { error: 'must be seconds, or never' })
      .exactOptional(),
    /** RE2 pattern for the answer; its group `value`, else its first group, else all that matches is the value. */
    pattern: pattern.exactOptional(),
    /** The answer is so many bytes; the pattern sees their hexadecimal digits in small letters. */
    bytes: z.int().min(1).max(1024).exactOptional(),
    /** A check byte in an answer of bytes: the byte `at`, of those from `from` up to it. */
    checksum: z
      .strictObject({
        kind: z.enum(['sum', 'negated-sum', 'xor']),
        from: z.int().nonnegative().default(0),
        at: z.int().positive(),
      })
      .exactOptional(),
    /** How the number is written in what the pattern finds; `count`: how often it was said since the port was opened. */
    number: z.enum(['decimal', 'hex', 'signed-hex', 'count']).default('decimal'),
  })
  .refine((signal) => signal.set !== undefined || signal.query !== undefined || signal.says !== undefined, {
    error: 'needs set, query or says',
  })

const endSchema = z.union([z.enum(['lf', 'crlf', 'cr']), z.strictObject({ hex: hexSchema })], {
  error: 'must be lf, crlf, cr or {hex: …}',
})

const descriptionSchema = z.strictObject({
  title: z.string(),
  /** Where the messages come from: manual, edition, pages. */
  source: z.string(),
  settings: settingSpecsSchema,
  connection: z
    .strictObject({
      /** What ends a message. */
      terminator: z.union([endSchema, z.literal('none')]).default('lf'),
      /** What ends an answer; without, what ends a message. */
      answerTerminator: endSchema.exactOptional(),
      timeoutMs: z.int().min(10).max(120_000).default(1000),
      quietMs: z.int().min(1).max(10_000).default(100),
      /** Least pause between two messages. */
      gapMs: z.int().min(0).max(10_000).default(0),
      /** Pause after the port was opened. */
      startMs: z.int().min(0).max(30_000).default(0),
      /** The instrument repeats each message before its answer. */
      echo: z.boolean().default(false),
      /** RE2 pattern of lines that are no answers. */
      ignore: pattern.exactOptional(),
    })
    .prefault({}),
  /** How to ask it who it is; the pattern keeps another instrument out. */
  identity: z
    .strictObject({ query: messageSchema, pattern, bytes: z.int().min(1).max(1024).exactOptional() })
    .exactOptional(),
  /** What it says to each message that is no question. */
  acknowledge: acknowledgementSchema.exactOptional(),
  /** Sent after each connection. */
  initialise: z.array(commandSchema).default([]),
  /** Sent when the node lets go of the instrument. */
  shutdown: z.array(commandSchema).default([]),
  signals: z.record(identifierSchema, signalSchema),
  actions: z
    .record(identifierSchema, z.strictObject({ ...actionShape, commands: z.array(commandSchema).min(1) }))
    .default({}),
  variants: variantsSchema,
})

export type LineDescription = z.infer<typeof descriptionSchema>
export type LineSignal = LineDescription['signals'][string]
export type LineCommand = z.infer<typeof commandSchema>
export type LineMessage = z.infer<typeof messageSchema>
export type LineAnswer = z.infer<typeof answerSchema>

/** Reads a description file; with issues (each with file, line, column and path) there is none. */
export function parseLineDescription(
  text: string,
  options: { file?: string } = {},
): { description?: LineDescription; issues: Issue[] } {
  const { value, yaml, issues } = readFileAs(text, descriptionSchema, options)
  if (value === undefined || yaml === undefined) return { issues }
  const findings = consistencyFindings(value)
  if (findings.length > 0) return { issues: findings.map(yaml.place) }
  return { description: value, issues: [] }
}

function consistencyFindings(description: LineDescription): Finding[] {
  const settings = Object.keys(description.settings)
  const { identity, connection, acknowledge, signals, actions } = description
  return [
    ...openTextFindings(description.settings, ['settings']),
    ...patternFindings(connection.ignore, ['connection', 'ignore']),
    ...patternFindings(identity?.pattern, ['identity', 'pattern']),
    ...messageFindings(identity?.query, ['identity', 'query'], settings),
    ...answerFindings(acknowledge, ['acknowledge']),
    ...description.initialise.flatMap((command, i) => commandFindings(command, ['initialise', i], settings)),
    ...description.shutdown.flatMap((command, i) => commandFindings(command, ['shutdown', i], settings)),
    ...Object.entries(signals).flatMap(([name, signal]) => signalFindings(name, signal, settings)),
    ...Object.entries(actions).flatMap(([name, action]) => [
      ...openTextFindings(action.arguments, ['actions', name, 'arguments']),
      ...action.commands.flatMap((command, i) =>
        commandFindings(command, ['actions', name, 'commands', i], [...settings, ...Object.keys(action.arguments)]),
      ),
    ]),
    ...variantFindings(description),
    ...sameQuestionFindings(description),
    ...unaskedFindings(description),
  ]
}

function signalFindings(name: string, signal: LineSignal, settings: readonly string[]): Finding[] {
  const path = ['signals', name]
  const findings = [
    ...wordFindings(name, signal),
    ...patternFindings(signal.pattern, [...path, 'pattern']),
    ...answerFindings(signal.answer, [...path, 'answer']),
    ...messageFindings(signal.query, [...path, 'query'], settings),
  ]
  if (signal.set !== undefined) {
    findings.push(...templateFindings(signal.set, [...path, 'set'], [...settings, 'value']))
    if (!placeholders(signal.set).includes('value')) {
      findings.push({ path: [...path, 'set'], message: 'lacks {value}' })
    }
  } else if (signal.answer !== undefined) {
    findings.push({ path: [...path, 'answer'], message: 'is what is said to set, which is missing' })
  }
  if (signal.query !== undefined && signal.pattern === undefined) {
    findings.push({ path, message: 'a signal that is read needs a pattern for the answer' })
  }
  if (signal.query === undefined && signal.pattern !== undefined) {
    findings.push({ path: [...path, 'pattern'], message: 'is for the answer to query, which is missing' })
  }
  const { checksum, bytes = 0 } = signal
  if (checksum !== undefined && (checksum.at >= bytes || checksum.from >= checksum.at)) {
    findings.push({
      path: [...path, 'checksum'],
      message: 'must lie in an answer of so many bytes, after those it is of',
    })
  }
  if (signal.number !== 'decimal' && signal.dtype !== 'number' && signal.dtype !== 'integer') {
    findings.push({ path: [...path, 'number'], message: `is for numbers, and the signal is a ${signal.dtype}` })
  }
  return findings
}

/** What is said by itself has no question, and no answers of bytes beside it, in which a line could not be told. */
function unaskedFindings({ signals, identity, actions, initialise, shutdown }: LineDescription): Finding[] {
  const isUnasked = Object.values(signals).some(({ says }) => says !== undefined)
  const ofSignals = Object.entries(signals).flatMap(([name, signal]): Finding[] => {
    const path = ['signals', name]
    const { says, query, staleS, number } = signal
    if (says === undefined) {
      return [
        ...(staleS === undefined ? [] : [{ path: [...path, 'staleS'], message: 'is for what it says by itself' }]),
        ...(number === 'count' ? [{ path: [...path, 'number'], message: 'count is for what it says by itself' }] : []),
      ]
    }
    const both = 'has query, and says: a value is either asked for, or comes by itself'
    return [...patternFindings(says, [...path, 'says']), ...(query === undefined ? [] : [{ path, message: both }])]
  })
  if (!isUnasked) return ofSignals
  const counted: readonly (readonly [Path, object | string | undefined])[] = [
    ...Object.entries(signals).map(([name, signal]) => [['signals', name], signal] as const),
    [['identity'], identity],
    ...initialise.map((command, i) => [['initialise', i], command] as const),
    ...shutdown.map((command, i) => [['shutdown', i], command] as const),
    ...Object.entries(actions).flatMap(([name, { commands }]) =>
      commands.map((command, i) => [['actions', name, 'commands', i], command] as const),
    ),
  ]
  const ofBytes = counted.flatMap(([path, one]): Finding[] =>
    typeof one === 'object' && 'bytes' in one
      ? [{ path: [...path, 'bytes'], message: 'can not be told from lines that come unasked' }]
      : [],
  )
  return [...ofSignals, ...ofBytes]
}

/** Two signals read in one exchange expect one form of answer. */
function sameQuestionFindings({ signals }: LineDescription): Finding[] {
  const first = new Map<string, { readonly name: string; readonly bytes: number | undefined }>()
  return Object.entries(signals).flatMap(([name, { query, bytes }]) => {
    if (query === undefined) return []
    const key = JSON.stringify(query)
    const other = first.get(key)
    if (other === undefined) first.set(key, { name, bytes })
    if (other === undefined || other.bytes === bytes) return []
    return [
      { path: ['signals', name, 'bytes'], message: `differs from that of ${other.name}, which has the same query` },
    ]
  })
}

function commandFindings(command: LineCommand, path: Path, known: readonly string[]): Finding[] {
  if (typeof command === 'string') return templateFindings(command, path, known)
  const answer = answerFindings(command.answer, [...path, 'answer'])
  if ('send' in command) return [...templateFindings(command.send, [...path, 'send'], known), ...answer]
  if (command.bytes !== undefined && (command.answer === undefined || command.answer === 'none')) {
    answer.push({ path: [...path, 'bytes'], message: 'needs an answer with a pattern for the bytes' })
  }
  return answer
}

const messageFindings = (message: LineMessage | undefined, path: Path, known: readonly string[]): Finding[] =>
  typeof message === 'string' ? templateFindings(message, path, known) : []

function answerFindings(answer: LineAnswer | undefined, path: Path): Finding[] {
  if (answer === undefined || answer === 'none') return []
  return [
    ...patternFindings(answer.pattern, [...path, 'pattern']),
    ...patternFindings(answer.refused, [...path, 'refused']),
  ]
}

function patternFindings(text: string | undefined, path: Path): Finding[] {
  const problem = text === undefined ? undefined : patternProblem(text)
  return problem === undefined
    ? []
    : [{ path, message: `${problem} (patterns are RE2's: without look-around and back-references)` }]
}
