import * as z from 'zod'
import { NAME_PATTERN } from '../primitives/ids.ts'

/** A name that may stand in a topic level, a file path and an address. */
export const nameSchema = z
  .string()
  .regex(NAME_PATTERN, 'use lower-case letters, digits, - and _ (at most 63, starting with a letter or digit)')

/** True of text without control characters but tabs and line breaks, and without what turns the direction of what follows. */
export const isPlain = (text: string): boolean => !/[^\P{Cc}\t\n\r]|[\u202a-\u202e\u2066-\u2069]/u.test(text)

/** What a person writes for others to read, in so many characters. */
export const writtenText = (most: number) =>
  z.string().trim().max(most).refine(isPlain, 'must not hold control characters')

export const runIdSchema = z.string().regex(/^[0-9a-z]{26}$/, 'a run id has 26 characters')

/** RFC 3339 in UTC with milliseconds. */
export const timeSchema = z.iso.datetime()

export const issueSchema = z.object({
  path: z.string(),
  message: z.string(),
  file: z.string().optional(),
  line: z.number().optional(),
  column: z.number().optional(),
})

export const labErrorSchema = z.object({
  code: z.string(),
  kind: z.enum(['caller', 'configuration', 'instrument', 'link', 'bug']),
  message: z.string(),
  studentMessage: z.string(),
  retry: z.enum(['never', 'later', 'now']),
  issues: z.array(issueSchema).optional(),
  details: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])).optional(),
})

/** A parameter's value after checking: in the declared unit. */
export const parameterValueSchema = z.union([z.number(), z.string(), z.boolean()])
export const parametersSchema = z.record(z.string(), parameterValueSchema)
export type ParameterValues = z.infer<typeof parametersSchema>

/** A parameter as a person sends it: a number in the declared unit, or with a unit of their own. */
export const parameterInputSchema = z.union([parameterValueSchema, z.object({ value: z.number(), unit: z.string() })])

/** An output of a run, or why it is missing. */
export const outputSchema = z.object({
  value: z.number(),
  unit: z.string(),
  uncertainty: z.number().optional(),
})
export type Output = z.infer<typeof outputSchema>

/** Text in one language, or in several: `{en: …, es: …}`. */
export const textSchema = z.union([z.string(), z.record(z.string(), z.string())])
export type Text = z.infer<typeof textSchema>

/** The text for a language, falling back to English, then to whatever there is. */
export function textIn(text: Text | undefined, language: string): string {
  if (text === undefined) return ''
  if (typeof text === 'string') return text
  const short = language.split('-')[0] ?? language
  return text[language] ?? text[short] ?? text.en ?? Object.values(text)[0] ?? ''
}
