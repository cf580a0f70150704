/** A UF2 file as Raspberry Pi's tools make it: pages of 256 bytes from the start of flash on. */
export function uf2Of(data: Uint8Array, family: number, start = 0x10000000): Uint8Array {
  const count = Math.ceil(data.length / 256)
  const file = new Uint8Array(count * 512)
  const view = new DataView(file.buffer)
  for (let number = 0; number < count; number++) {
    const at = number * 512
    const words = [0x0a324655, 0x9e5d5157, 0x2000, start + 256 * number, 256, number, count, family]
    for (const [i, word] of words.entries()) view.setUint32(at + 4 * i, word, true)
    file.set(data.subarray(number * 256, number * 256 + 256), at + 32)
    view.setUint32(at + 508, 0x0ab16f30, true)
  }
  return file
}

/** Bytes that look like no others, the same each time. */
export const firmwareBytes = (count: number): Uint8Array =>
  Uint8Array.from({ length: count }, (_, i) => (i * 31 + (i >> 8) * 7 + 3) & 0xff)
