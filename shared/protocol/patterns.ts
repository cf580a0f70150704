/** Patterns that people write. They run on RE2, whose time is linear: none can keep a process busy by going back and forth. */
import { RE2JS } from 're2js'
import type { PatternMatcher } from './parameter-values.ts'

/** Instructions of a compiled pattern: each meets each character once. */
const MAX_PROGRAM = 300

/** True when the text holds a match; a pattern that RE2 does not know, or that is too large, matches nothing. */
export const matchesPattern: PatternMatcher = (pattern, text) => {
  try {
    const compiled = RE2JS.compile(pattern)
    return compiled.programSize() <= MAX_PROGRAM && compiled.matcher(text).find()
  } catch {
    return false
  }
}

/** Why the pattern cannot be used, or undefined. */
export function patternProblem(pattern: string): string | undefined {
  try {
    const size = RE2JS.compile(pattern).programSize()
    return size > MAX_PROGRAM ? 'is too large: repeat fewer times' : undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

/** What a pattern finds: its group `value`, else its first group, else the whole match; undefined where it does not match. */
export type Finder = (text: string) => string | undefined

/** Compiles a pattern in which `patternProblem` found none. */
export function finderOf(pattern: string): Finder {
  const compiled = RE2JS.compile(pattern)
  const groups = compiled.namedGroups()
  const group = Object.hasOwn(groups, 'value') ? Number(groups.value) : Math.min(compiled.groupCount(), 1)
  return (text) => {
    const matcher = compiled.matcher(text)
    return matcher.find() ? (matcher.group(group) ?? '') : undefined
  }
}
