/** What a schema's bounds ask for, in plain words; without what was given. Pure. */
import type * as z from 'zod'

type Bounded = Pick<z.core.$ZodIssue, 'code'> & {
  readonly origin?: string
  readonly minimum?: number | bigint
  readonly maximum?: number | bigint
  readonly inclusive?: boolean
  readonly exact?: boolean
  readonly values?: readonly unknown[]
}

/** `must be 64 or more`, `must have 200 characters at most`, `must be one of up, gone`; undefined of all else. */
export function boundWords(issue: Bounded): string | undefined {
  const { code, origin = '', minimum, maximum, inclusive = true, values } = issue
  if (code === 'too_small' && minimum !== undefined) return smallWords(origin, minimum, inclusive)
  if (code === 'too_big' && maximum !== undefined) return bigWords(origin, maximum, inclusive)
  if (code === 'invalid_value' && values !== undefined) {
    return `must be ${values.length === 1 ? '' : 'one of '}${values.map(String).join(', ')}`
  }
  return undefined
}

const numbers: readonly string[] = ['number', 'int', 'bigint']

function smallWords(origin: string, least: number | bigint, inclusive: boolean): string | undefined {
  if (numbers.includes(origin)) return inclusive ? `must be ${least} or more` : `must be above ${least}`
  const what = counted(origin, least)
  if (what === undefined) return undefined
  return Number(least) === 1 ? 'must not be empty' : `must have ${what} or more`
}

function bigWords(origin: string, most: number | bigint, inclusive: boolean): string | undefined {
  if (numbers.includes(origin)) return inclusive ? `must be ${most} or less` : `must be below ${most}`
  const what = counted(origin, most)
  return what === undefined ? undefined : `must have ${what} at most`
}

function counted(origin: string, count: number | bigint): string | undefined {
  if (origin === 'string') return Number(count) === 1 ? '1 character' : `${count} characters`
  if (['array', 'set', 'map'].includes(origin)) return Number(count) === 1 ? '1 item' : `${count} items`
  return undefined
}
