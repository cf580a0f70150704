/** RFC 6455, sections 5.5 and 7.1.6: a reason has at most 123 bytes of UTF-8. */
const MOST_BYTES = 123

const utf8 = new TextEncoder()

/** As much of the text as the reason of a close may have, in whole characters. */
export function closeReason(text: string): string {
  let bytes = 0
  let reason = ''
  for (const character of text) {
    bytes += utf8.encode(character).length
    if (bytes > MOST_BYTES) return reason
    reason += character
  }
  return reason
}
