declare const brand: unique symbol
type Id<Name extends string> = string & { readonly [brand]: Name }

export type RunId = Id<'RunId'>
export type LabId = Id<'LabId'>
export type BenchId = Id<'BenchId'>
export type NodeId = Id<'NodeId'>
export type PersonId = Id<'PersonId'>

const alphabet = '0123456789abcdefghjkmnpqrstvwxyz'

const tailLength = 16
/** Random bytes are cheap by the page and dear by the dozen; bytes are used once and in order. */
const pool = new Uint8Array(4096)
let used = pool.length

/** 26 characters that sort by time of making (48 bits of ms, 80 random bits; Crockford base 32, lower case, as ULID). */
export function newId(nowMs: number): string {
  let time = ''
  for (let rest = nowMs, i = 0; i < 10; i++) {
    time = (alphabet[rest % 32] ?? '0') + time
    rest = Math.floor(rest / 32)
  }
  if (used + tailLength > pool.length) {
    crypto.getRandomValues(pool)
    used = 0
  }
  let tail = ''
  for (const end = used + tailLength; used < end; used++) tail += alphabet[(pool[used] ?? 0) & 31]
  return time + tail
}

export const newRunId = (nowMs: number): RunId => newId(nowMs) as RunId

/** Names that appear in topics, files and addresses: `rc-circuit`, `bench_1`. No dots, slashes or wildcards. */
export const NAME_PATTERN = /^[a-z0-9][a-z0-9_-]{0,62}$/

/** True for a name that may stand in a topic level, a file path and an address. */
export const isName = (text: string): boolean => NAME_PATTERN.test(text)

/** `<node>.<bench>`: a bench is unique on its node, so its id within a site is the pair; names hold no dots. */
export const benchId = (node: string, bench: string): BenchId => `${node}.${bench}` as BenchId
