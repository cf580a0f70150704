/** Modbus RTU frames as a device sees them (Modbus over Serial Line V1.02, 2.5.1.2; the CRC after its appendix B). */

/** CRC-16/MODBUS, bit by bit. */
export function crcOf(bytes: Uint8Array): number {
  let crc = 0xffff
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >> 1) ^ 0xa001 : crc >> 1
  }
  return crc
}

/** A frame with its CRC. */
export function framed(bytes: readonly number[]): Uint8Array {
  const crc = crcOf(Uint8Array.from(bytes))
  return Uint8Array.from([...bytes, crc & 0xff, crc >> 8])
}

/** Cuts requests out of bytes; what does not begin a request with a right CRC is dropped. */
export function cutRequests(): (bytes: Uint8Array) => Buffer[] {
  let buffer = Buffer.alloc(0)
  return (bytes) => {
    buffer = Buffer.concat([buffer, bytes])
    const requests: Buffer[] = []
    for (let at = 0; at < buffer.length; ) {
      const length = requestBytes(buffer.subarray(at))
      if (length === undefined || at + length > buffer.length) {
        buffer = buffer.subarray(at)
        return requests
      }
      const frame = buffer.subarray(at, at + length)
      if (crcOf(frame.subarray(0, -2)) === frame.readUInt16LE(length - 2)) {
        requests.push(frame.subarray(0, -2))
        at += length
      } else at += 1
    }
    buffer = Buffer.alloc(0)
    return requests
  }
}

/** Length of the request that begins here; undefined while that is not known. */
function requestBytes(buffer: Buffer): number | undefined {
  const code = buffer[1]
  if (code === undefined) return undefined
  if (code !== 15 && code !== 16) return 8
  const count = buffer[6]
  return count === undefined ? undefined : 9 + count
}
