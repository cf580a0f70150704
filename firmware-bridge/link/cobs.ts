/** Consistent overhead byte stuffing (Cheshire, Baker, 1999): frames without a zero in them, so that a zero ends one. */

/** The bytes without zeros; at most one longer for each 254, and one more. */
export function cobsEncode(bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array(bytes.length + Math.floor(bytes.length / 254) + 1)
  let code = 0
  let at = 1
  for (const byte of bytes) {
    if (byte !== 0) out[at++] = byte
    if (byte === 0 || at - code === 255) {
      out[code] = at - code
      code = at++
    }
  }
  out[code] = at - code
  return out.subarray(0, at)
}

/** What was encoded; undefined for what no encoder makes. */
export function cobsDecode(bytes: Uint8Array): Uint8Array | undefined {
  if (bytes.length === 0) return undefined
  const out = new Uint8Array(bytes.length)
  let length = 0
  for (let at = 0; at < bytes.length; ) {
    const code = bytes[at] ?? 0
    const end = at + code
    if (code === 0 || end > bytes.length) return undefined
    for (at++; at < end; at++) {
      const byte = bytes[at] ?? 0
      if (byte === 0) return undefined
      out[length++] = byte
    }
    if (code < 255 && at < bytes.length) length++
  }
  return out.subarray(0, length)
}
