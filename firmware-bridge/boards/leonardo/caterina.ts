/** A boot loader's side of AVR109 for an emulated ATmega32U4: the commands that Arduino's Caterina answers. Pure. */

export interface CaterinaParts {
  readonly flash: Uint8Array
  readonly eeprom: Uint8Array
  readonly signature: readonly [number, number, number]
}

export interface CaterinaAnswer {
  readonly bytes: readonly number[]
  /** Pages of flash that were written. */
  readonly pages: number
  /** `exit`: the firmware is to start; `stay`: it has something to do with memory, and waits on. */
  readonly does?: 'exit' | 'stay'
}

export interface Caterina {
  /** Takes a byte; the answer, once it completes a command. */
  receive(byte: number): CaterinaAnswer | undefined
}

const PAGE_BYTES = 128
const DONE = [0x0d] as const
const [YES, UNKNOWN] = ['Y'.charCodeAt(0), '?'.charCodeAt(0)]
const ESCAPE = 0x1b

/** Bytes of a command after its letter; a block's data come besides. */
const ARGUMENTS: Readonly<Record<string, number>> = { A: 2, T: 1, x: 1, y: 1, l: 1, B: 3, g: 3 }

/** What is always answered alike. */
const FIXED: Readonly<Record<string, readonly number[]>> = {
  S: [...Buffer.from('CATERIN')],
  V: [...Buffer.from('10')],
  p: [...Buffer.from('S')],
  a: [YES],
  b: [YES, PAGE_BYTES >> 8, PAGE_BYTES & 0xff],
  // The device code of a chip that avrdude takes for any.
  t: [0x44, 0],
  F: [0xd8],
  N: [0xd8],
  Q: [0xcb],
  r: [0x2f],
  P: DONE,
  L: DONE,
  T: DONE,
  x: DONE,
  y: DONE,
  E: DONE,
  l: DONE,
}

export function createCaterina({ flash, eeprom, signature }: CaterinaParts): Caterina {
  let command: number[] = []
  /** In bytes; of EEPROM, twice that. */
  let address = 0

  const block = (letter: string): CaterinaAnswer => {
    const [, high = 0, low = 0, kind, ...data] = command
    const isFlash = kind === 'F'.charCodeAt(0)
    if (!isFlash && kind !== 'E'.charCodeAt(0)) return { bytes: [UNKNOWN], pages: 0 }
    const length = (high << 8) | low
    const memory = isFlash ? flash : eeprom
    const start = isFlash ? address : address >> 1
    address += isFlash ? length : 2 * length
    if (letter === 'g') return { bytes: [...memory.subarray(start, start + length)], pages: 0, does: 'stay' }
    if (isFlash) flash.fill(0xff, start & -PAGE_BYTES, (start & -PAGE_BYTES) + PAGE_BYTES)
    memory.set(data.slice(0, Math.max(0, memory.length - start)), start)
    return { bytes: DONE, pages: isFlash ? 1 : 0, does: 'stay' }
  }

  const perform = (letter: string): CaterinaAnswer => {
    if (letter === 'B' || letter === 'g') return block(letter)
    if (letter === 's') return { bytes: [...signature].reverse(), pages: 0 }
    if (letter === 'A') {
      address = (((command[1] ?? 0) << 8) | (command[2] ?? 0)) * 2
      return { bytes: DONE, pages: 0, does: 'stay' }
    }
    if (letter === 'e') {
      flash.fill(0xff)
      return { bytes: DONE, pages: flash.length / PAGE_BYTES, does: 'stay' }
    }
    const bytes = FIXED[letter] ?? [UNKNOWN]
    return letter === 'E' ? { bytes, pages: 0, does: 'exit' } : { bytes, pages: 0 }
  }

  const wanted = () => {
    const letter = String.fromCharCode(command[0] ?? 0)
    const data = letter === 'B' && command.length >= 3 ? ((command[1] ?? 0) << 8) | (command[2] ?? 0) : 0
    return 1 + (ARGUMENTS[letter] ?? 0) + data
  }

  return {
    receive: (byte) => {
      if (command.length === 0 && byte === ESCAPE) return undefined
      command.push(byte)
      if (command.length < wanted()) return undefined
      const answer = perform(String.fromCharCode(command[0] ?? 0))
      command = []
      return answer
    },
  }
}
