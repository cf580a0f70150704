/** Files with firmware, as the tools of each kind of board write them. */
import type { BoardKind } from './board-kinds.ts'
import { checkImage } from './check-image.ts'
import { readEspBin } from './esp/check-esp.ts'
import { type FirmwareImage, readIntelHex } from './intel-hex.ts'
import { readUf2 } from './uf2/uf2.ts'

/**
 * Reads a file for a board and checks it; throws `firmware-file-wrong` for what is damaged, too large, or plainly for
 * another chip. `name` is what the message calls the file.
 */
export function readFirmware(bytes: Uint8Array, board: BoardKind, name: string): FirmwareImage {
  if (board.method === 'uf2') return readUf2(bytes, board, name)
  const isHex = board.method !== 'esptool' || name.toLowerCase().endsWith('.hex')
  const image = isHex ? readIntelHex(Buffer.from(bytes).toString('latin1'), name) : readEspBin(bytes, name)
  checkImage(image, board, name)
  return image
}
