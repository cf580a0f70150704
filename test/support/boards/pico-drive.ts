/**
 * The drive of a Pico in its boot loader, as a folder: blocks are taken in any order as they are written, and with the
 * last of them the drive is gone (RP2040 datasheet, 2.8.4).
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface PicoDrive {
  readonly folder: string
  /** What it has in flash, from the first page that was written on. */
  flash(): Uint8Array
  /** The drive is gone, as when its plug is pulled; idempotent. */
  close(): void
}

const LOOK_MS = 5

export function picoDrive(boardId: string, families: readonly number[]): PicoDrive {
  const folder = mkdtempSync(join(tmpdir(), 'fernlab-pico-'))
  writeFileSync(join(folder, 'INFO_UF2.TXT'), `UF2 Bootloader v3.0\nModel: Raspberry Pi\nBoard-ID: ${boardId}\n`)
  const pages = new Map<number, Uint8Array>()
  const look = () => {
    const file = join(folder, 'firmware.uf2')
    if (!existsSync(file)) return
    const bytes = readFileSync(file)
    let count = Number.POSITIVE_INFINITY
    for (let at = 0; at + 512 <= bytes.length; at += 512) {
      const word = (i: number) => bytes.readUInt32LE(at + 4 * i)
      if (word(0) !== 0x0a324655 || word(127) !== 0x0ab16f30 || !families.includes(word(7))) continue
      count = word(6)
      pages.set(word(3), Uint8Array.from(bytes.subarray(at + 32, at + 32 + word(4))))
    }
    if (pages.size >= count) leave()
  }
  const looking = setInterval(look, LOOK_MS)
  const leave = () => {
    clearInterval(looking)
    rmSync(folder, { recursive: true, force: true })
  }
  return {
    folder,
    flash: () => Buffer.concat([...pages].sort(([a], [b]) => a - b).map(([, page]) => page)),
    close: leave,
  }
}
