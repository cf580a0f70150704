import type { AvrBoard, BoardKind } from './board-kinds.ts'
import { checkEspImage } from './esp/check-esp.ts'
import { type FirmwareImage, fileWrong, hex } from './intel-hex.ts'

/** Fewer jumps at the start are no vector table. */
const LEAST_VECTORS = 15
const JMP = [0x0c, 0x94] as const

/** Throws `firmware-file-wrong` for firmware that does not fit the board, or is plainly for another chip. */
export function checkImage(image: FirmwareImage, board: BoardKind, name: string): void {
  // What a UF2 file says of itself is checked as it is read.
  if (board.method === 'uf2') return
  if (board.method === 'esptool') checkEspImage(image, board, name)
  else checkAvrImage(image, board, name)
}

function checkAvrImage(image: FirmwareImage, board: AvrBoard, name: string): void {
  const { chip, title, firmwareBytes, vectors } = board
  const start = image.parts[0]?.address ?? 0
  if (start >= firmwareBytes)
    throw fileWrong(
      `${name} starts at ${hex(start)}, where an ${chip} has no room for firmware; it is for another chip`,
    )
  const count = countVectors(image)
  if (count >= LEAST_VECTORS && count !== vectors)
    throw fileWrong(
      `${name} has ${count} interrupt vectors, and an ${chip} has ${vectors}; it was built for another chip than that of the ${title}`,
    )
  if (image.end > firmwareBytes)
    throw fileWrong(
      `${name} ends at ${hex(image.end)} (${image.end} bytes), and the ${title} has ${firmwareBytes} bytes for firmware`,
    )
}

/** Jumps from address 0 on, as compilers lay out the vector table of chips with more than 8 KiB. */
function countVectors({ parts }: FirmwareImage): number {
  const [first] = parts
  if (first?.address !== 0) return 0
  const { data } = first
  let count = 0
  while (data[count * 4] === JMP[0] && data[count * 4 + 1] === JMP[1]) count += 1
  return count
}
