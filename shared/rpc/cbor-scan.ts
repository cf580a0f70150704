/**
 * Looks through CBOR (RFC 8949) before a decoder allocates for it: a few bytes may claim to be thousands of millions of
 * elements, or nest until the stack ends.
 *
 * INVARIANTS: no recursion, no memory but one list of `depth` numbers; what passes is one well-formed value of definite
 * lengths, with text for names of members, no integers beyond 2^53, no tags but those of little-endian typed arrays
 * (RFC 8746) around byte strings of whole elements.
 */
import { unreadable } from './errors.ts'
import type { RpcLimits } from './limits.ts'

/** Bytes of an element by tag: uint8, clamped, int8; uint16 … int64; float32, float64. */
const elementBytes = new Map([
  [64, 1],
  [68, 1],
  [72, 1],
  [69, 2],
  [70, 4],
  [71, 8],
  [77, 2],
  [78, 4],
  [79, 8],
  [85, 4],
  [86, 8],
])

const DOLLAR = 36

/** True when a name of a member begins with `$`, so that there may be something special in it. Throws `rpc-unreadable`. */
export function scanCbor(bytes: Uint8Array, limits: RpcLimits): boolean {
  const left: number[] = []
  const inMap: boolean[] = []
  let at = 0
  let special = false
  let values = 0
  let element = 0
  let pending = 1
  let map = false
  for (;;) {
    // The byte string of a typed array counts with its tag.
    while (pending === 0 && element === 0) {
      if (left.length === 0) {
        if (at !== bytes.length) throw unreadable('something follows its end')
        return special
      }
      pending = left.pop() as number
      map = inMap.pop() as boolean
    }
    const isName = map && element === 0 && pending % 2 === 0
    if (element === 0) pending--
    const head = bytes[at++]
    if (head === undefined) throw cut()
    const major = head >> 5
    let argument = head & 31
    if (argument > 23) {
      if (argument > 27) throw unreadable('it has parts of indefinite length, or of a length that is none')
      const size = 1 << (argument - 24)
      if (at + size > bytes.length) throw cut()
      if (major === 7) {
        if (size === 1) throw unreadable('it has a simple value that means nothing')
        if (isName) throw unreadable('a member has a name that is no text')
        if (element !== 0) throw unreadable('a typed array has no whole number of elements')
        at += size
        continue
      }
      argument = 0
      for (let i = 0; i < size; i++) argument = argument * 256 + (bytes[at++] as number)
      if (argument > Number.MAX_SAFE_INTEGER) throw unreadable('it has an integer beyond 2^53')
    } else if (major === 7 && (argument < 20 || argument > 23))
      throw unreadable('it has a simple value that means nothing')
    if (isName && major !== 3) throw unreadable('a member has a name that is no text')
    if (element !== 0 && (major !== 2 || argument % element !== 0))
      throw unreadable('a typed array has no whole number of elements')
    if (major === 2 || major === 3) {
      if (isName && bytes[at] === DOLLAR) special = true
      at += argument
      if (at > bytes.length) throw cut()
      element = 0
    } else if (major === 4 || major === 5) {
      const members = major === 4 ? argument : argument * 2
      if (members > bytes.length - at) throw cut()
      values += argument
      if (values > limits.values) throw unreadable(`it has more than ${limits.values} values`)
      if (left.length >= limits.depth) throw unreadable(`it is nested more than ${limits.depth} deep`)
      left.push(pending)
      inMap.push(map)
      pending = members
      map = major === 5
    } else if (major === 6) {
      const size = elementBytes.get(argument)
      if (size === undefined) throw unreadable(`it has a tag ${argument}, which no message has`)
      element = size
    }
  }
}

const cut = () => unreadable('it ends too early')
