declare const brand: unique symbol
type Id<Name extends string> = string & { readonly [brand]: Name }

export type RunId = Id<'RunId'>
export type LabId = Id<'LabId'>
export type BenchId = Id<'BenchId'>
export type NodeId = Id<'NodeId'>
export type PersonId = Id<'PersonId'>

const alphabet = '0123456789abcdefghjkmnpqrstvwxyz'

const tailLength = 8
/** Random bytes are cheap by the page and dear by the dozen; bytes are used once and in order. */
const pool = new Uint8Array(4096)
let used = pool.length

function randomBytes(length: number): Uint8Array {
  if (used + length > pool.length) {
    crypto.getRandomValues(pool)
    used = 0
  }
  used += length
  return pool.subarray(used - length, used)
}

function encode(value: number, length: number): string {
  let text = ''
  for (let rest = value, i = 0; i < length; i++) {
    text = (alphabet[rest % 32] ?? '0') + text
    rest = Math.floor(rest / 32)
  }
  return text
}

const countLength = 8
let lastMs = -1
/** Counts up within a millisecond from a random start, which leaves it more room than a millisecond can use. */
let count = 0

/**
 * 26 characters that sort by the order of making within this process: 48 bits of ms, 40 that begin at random and count up
 * within the ms, 40 random (Crockford base 32, lower case, as ULID).
 */
export function newId(nowMs: number): string {
  if (nowMs === lastMs) count++
  else {
    lastMs = nowMs
    count = randomBytes(4).reduce((sum, byte) => sum * 256 + byte, 0)
  }
  let tail = ''
  for (const byte of randomBytes(tailLength)) tail += alphabet[byte & 31]
  return encode(nowMs, 10) + encode(count, countLength) + tail
}

/** A secret of so many characters, 5 bits each, that nobody guesses. */
export function randomText(chars: number): string {
  let text = ''
  for (const byte of randomBytes(chars)) text += alphabet[byte & 31]
  return text
}

/** No id that was made at that time or later sorts before it. */
export const firstIdAt = (ms: number): string => encode(Math.max(0, ms), 10)

export const newRunId = (nowMs: number): RunId => newId(nowMs) as RunId

/** Names that appear in topics, files and addresses: `rc-circuit`, `bench_1`. No dots, slashes or wildcards. */
export const NAME_PATTERN = /^[a-z0-9][a-z0-9_-]{0,62}$/

/** True for a name that may stand in a topic level, a file path and an address. */
export const isName = (text: string): boolean => NAME_PATTERN.test(text)

/** `<node>.<bench>`: a bench is unique on its node, so its id within a site is the pair; names hold no dots. */
export const benchId = (node: string, bench: string): BenchId => `${node}.${bench}` as BenchId
