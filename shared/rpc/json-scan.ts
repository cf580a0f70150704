/**
 * Looks through JSON before a parser allocates for it: 64 MB of `[{},{},…]` are 22 million objects.
 *
 * INVARIANTS: one pass, no recursion, no memory; what passes has, as far as it is JSON, at most `values` members of lists
 * and objects, and none deeper than `depth`. Whether it is JSON is the parser's to say.
 */
import { unreadable } from './errors.ts'
import type { RpcLimits } from './limits.ts'

const QUOTE = 34
const COMMA = 44
const OPEN_LIST = 91
const BACKSLASH = 92
const CLOSE_LIST = 93
const OPEN_OBJECT = 123
const CLOSE_OBJECT = 125
/** What stands for a value that JSON has no form for, up to its second member: it counts as that value. */
const MARK = /"\$type":"[a-z0-9]{1,16}",/y

/** Throws `rpc-unreadable` for more values, or deeper ones, than a message may have. */
export function scanJson(text: string, { values: mostValues, depth: deepest }: RpcLimits): void {
  let depth = 0
  // The version that each message states is none of its values.
  let values = -1
  for (let at = 0; at < text.length; at++) {
    const char = text.charCodeAt(at)
    if (char === QUOTE) {
      at = endOfText(text, at)
      continue
    }
    if (char === CLOSE_LIST || char === CLOSE_OBJECT) depth--
    else if (char === COMMA) values++
    else if (char === OPEN_LIST || char === OPEN_OBJECT) {
      if (depth >= deepest) throw unreadable(`it is nested more than ${deepest} deep`)
      depth++
      MARK.lastIndex = at + 1
      if (char === OPEN_OBJECT && MARK.test(text)) at = MARK.lastIndex - 1
      else if (!isClosedAt(text, at + 1)) values++
    }
    if (values > mostValues) throw unreadable(`it has more than ${mostValues} values`)
  }
}

/** Where the text that begins at `from` has its last quote, or the end. */
function endOfText(text: string, from: number): number {
  for (let end = text.indexOf('"', from + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let before = end - 1
    while (text.charCodeAt(before) === BACKSLASH) before--
    if ((end - before) % 2 === 1) return end
  }
  return text.length
}

/** Whether nothing but white space (RFC 8259: these four) stands before the bracket that closes. */
function isClosedAt(text: string, from: number): boolean {
  for (let at = from; ; at++) {
    const char = text.charCodeAt(at)
    if (char === CLOSE_LIST || char === CLOSE_OBJECT) return true
    if (char !== 32 && char !== 9 && char !== 10 && char !== 13) return false
  }
}
