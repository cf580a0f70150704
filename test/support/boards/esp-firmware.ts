/** Firmware for Espressif's chips as their tools lay it out; nothing in it is ever run. */
import { createHash } from 'node:crypto'

const SEED = 0xef

/** A whole image with a header, one segment, checksum and SHA-256. */
function image(chipId: number, segment: Uint8Array): Uint8Array {
  const header = new Uint8Array(32)
  const view = new DataView(header.buffer)
  header.set([0xe9, 1, 2, 0x20])
  view.setUint32(4, 0x40080400, true)
  header[8] = 0xee
  view.setUint16(12, chipId, true)
  view.setUint16(17, 0xffff, true)
  header[23] = 1
  // Where the chip maps constants from flash.
  view.setUint32(24, chipId === 0 ? 0x3f400020 : 0x3c000020, true)
  view.setUint32(28, segment.length, true)
  const length = Math.ceil((32 + segment.length + 1) / 16) * 16
  const plain = new Uint8Array(length)
  plain.set(header)
  plain.set(segment, 32)
  plain[length - 1] = segment.reduce((sum, byte) => sum ^ byte, SEED)
  return Buffer.concat([plain, createHash('sha256').update(plain).digest()])
}

/** Bytes that do not compress much, the same each time. */
function code(count: number): Uint8Array {
  let state = 1
  return Uint8Array.from({ length: count }, () => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0
    return state >>> 24
  })
}

/** An application that says this version as it starts. */
export function espApp(chipId: number, version: string, bytes = 20_000): Uint8Array {
  const segment = code(bytes)
  segment.fill(0, 0, 256)
  new DataView(segment.buffer).setUint32(0, 0xabcd5432, true)
  segment.set(new TextEncoder().encode(version), 16)
  segment.set(new TextEncoder().encode('fernlab-hello'), 48)
  return image(chipId, segment)
}

/** A whole flash: boot loader, partition table, application. */
export function espFlash(chipId: number, version: string, bytes = 20_000): Uint8Array {
  const app = espApp(chipId, version, bytes)
  const flash = new Uint8Array(0x10000 + app.length).fill(0xff)
  flash.set(image(chipId, code(4000)), chipId === 0 ? 0x1000 : 0)
  // nvs, phy_init, factory; then the end of the table.
  const partitions = [
    [1, 0x02, 0x9000, 0x6000, 'nvs'],
    [1, 0x01, 0xf000, 0x1000, 'phy_init'],
    [0, 0x00, 0x10000, 0x100000, 'factory'],
  ] as const
  for (const [i, [type, subtype, offset, size, label]] of partitions.entries()) {
    const entry = new Uint8Array(32)
    const view = new DataView(entry.buffer)
    entry.set([0xaa, 0x50, type, subtype])
    view.setUint32(4, offset, true)
    view.setUint32(8, size, true)
    entry.set(new TextEncoder().encode(label), 12)
    flash.set(entry, 0x8000 + 32 * i)
  }
  flash.set(app, 0x10000)
  return flash
}

/** What such an application says as it starts. */
export const espBanner = (version: string) => `App version:      ${version}\r\n`
