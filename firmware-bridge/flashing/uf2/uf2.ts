/** UF2 (Microsoft's specification) as the boot loaders of Raspberry Pi's chips take it. Pure. */
import type { PicoBoard } from '../board-kinds.ts'
import { type FirmwareImage, fileWrong, hex } from '../intel-hex.ts'

const BLOCK_BYTES = 512
const MAGIC = [0x0a324655, 0x9e5d5157, 0x0ab16f30] as const
const MOST_PAYLOAD = 476
/** What the boot loaders take in one block, and write in one go. */
const PAGE_BYTES = 256
const NOT_FLASH = 0x0001
const HAS_FAMILY = 0x2000
/** A block of this family stands alone before the others, against the erratum E10 of the RP2350. */
const ABSOLUTE = 0xe48bff57
const FLASH_START = 0x10000000
const RAM_START = 0x20000000

interface Block {
  readonly address: number
  readonly data: Uint8Array
  readonly number: number
  readonly count: number
  readonly family: number
}

/**
 * Reads a UF2 file and checks it for the board; throws `firmware-file-wrong` with the block: what is no block, one that is
 * missing or there twice, another chip's family, an address outside of flash, a file that stops before its last block.
 * Addresses in the image begin at the start of flash.
 */
export function readUf2(file: Uint8Array, board: PicoBoard, name: string): FirmwareImage {
  const all = blocksOf(file, name)
  const blocks = all[0]?.family === ABSOLUTE ? all.slice(1) : all
  const [first] = blocks
  if (first === undefined) throw fileWrong(`${name} has no blocks`)
  if (!board.families.includes(first.family))
    throw fileWrong(
      `${name} is of the family ${hex(first.family, 8)}${familyName(first.family)}, and the ${board.title} takes ${board.families.map((family) => `${hex(family, 8)}${familyName(family)}`).join(', ')}`,
    )
  const parts: { address: number; data: Uint8Array }[] = []
  for (const [index, block] of blocks.entries()) {
    requireInOrder(block, first, index, name)
    requireInFlash(block, board, name)
    const last = parts.at(-1)
    const address = block.address - FLASH_START
    if (last !== undefined && address < last.address + last.data.length)
      throw fileWrong(`${name}: block ${index} has ${hex(block.address, 8)} a second time, or out of order`)
    if (last !== undefined && address === last.address + last.data.length)
      last.data = Buffer.concat([last.data, block.data])
    else parts.push({ address, data: block.data })
  }
  if (blocks.length !== first.count)
    throw fileWrong(`${name} has ${blocks.length} of its ${first.count} blocks; it is truncated`)
  const bytes = parts.reduce((sum, { data }) => sum + data.length, 0)
  const last = parts.at(-1)
  return { parts, bytes, end: last === undefined ? 0 : last.address + last.data.length, file }
}

function blocksOf(file: Uint8Array, name: string): Block[] {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength)
  const blocks: Block[] = []
  for (let at = 0; at < file.length; at += BLOCK_BYTES) {
    const index = at / BLOCK_BYTES
    const word = (i: number) => view.getUint32(at + 4 * i, true)
    if (at + BLOCK_BYTES > file.length) throw fileWrong(`${name} ends within its block ${index}; it is truncated`)
    if (word(0) !== MAGIC[0] || word(1) !== MAGIC[1] || word(127) !== MAGIC[2])
      throw fileWrong(`${name}: block ${index} has not the magic numbers of UF2; it is damaged, or no UF2 file`)
    const flags = word(2)
    const length = word(4)
    if ((flags & HAS_FAMILY) === 0) throw fileWrong(`${name}: block ${index} does not say for which chip it is`)
    if ((flags & NOT_FLASH) !== 0) continue
    if (length > MOST_PAYLOAD)
      throw fileWrong(`${name}: block ${index} says that it has ${length} bytes; it is damaged`)
    const data = file.slice(at + 32, at + 32 + length)
    blocks.push({ address: word(3), data, number: word(5), count: word(6), family: word(7) })
  }
  return blocks
}

function requireInOrder({ number, count, family }: Block, first: Block, index: number, name: string): void {
  if (family !== first.family) throw fileWrong(`${name}: block ${index} is of another family than those before it`)
  if (number !== index || count !== first.count)
    throw fileWrong(
      `${name}: where block ${index} of ${first.count} belongs is block ${number} of ${count}; blocks are missing`,
    )
}

function requireInFlash({ address, data, number }: Block, board: PicoBoard, name: string): void {
  if (address >= RAM_START)
    throw fileWrong(
      `${name} is for RAM (${hex(address, 8)}), and would be gone after the next reset; it is to be built for flash`,
    )
  if (data.length !== PAGE_BYTES || address % PAGE_BYTES !== 0)
    throw fileWrong(`${name}: block ${number} is no page of ${PAGE_BYTES} bytes; the boot loader would pass it over`)
  if (address < FLASH_START || address + data.length > FLASH_START + board.firmwareBytes)
    throw fileWrong(
      `${name}: block ${number} is at ${hex(address, 8)}, and flash is from ${hex(FLASH_START, 8)} to ${hex(FLASH_START + board.firmwareBytes, 8)}`,
    )
}

const names: Readonly<Record<number, string>> = {
  3834380118: 'RP2040',
  3834380121: 'RP2350, Arm',
  3834380122: 'RP2350, RISC-V',
  2913282112: 'nRF52840',
  1760373640: 'SAMD21',
  1427194976: 'SAMD51',
  475996592: 'ESP32',
  3218951918: 'ESP32-S2',
  3296614247: 'ESP32-S3',
}

const familyName = (family: number): string => (names[family] === undefined ? '' : ` (${names[family]})`)
