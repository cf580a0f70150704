/**
 * A boot loader's side of STK500v1 (Atmel AVR061) for an emulated board that has none in its flash: the subset that
 * optiboot answers, and like it without a word to a command that does not end in Sync_CRC_EOP.
 */

export const STK = {
  ok: 0x10,
  inSync: 0x14,
  endOfPacket: 0x20,
  getSync: 0x30,
  getParameter: 0x41,
  setDevice: 0x42,
  setDeviceExtended: 0x45,
  enterProgramming: 0x50,
  leaveProgramming: 0x51,
  loadAddress: 0x55,
  universal: 0x56,
  programPage: 0x64,
  readPage: 0x74,
  readSignature: 0x75,
} as const

export interface ResponderParts {
  readonly flash: Uint8Array
  readonly pageBytes: number
  readonly signature: readonly [number, number, number]
}

/** `leave`: the application is to start after the answer; `lost`: the sender is out of step. */
export interface Answer {
  readonly bytes: readonly number[]
  readonly ends?: 'leave' | 'lost'
  /** A page of flash was written. */
  readonly wrote: boolean
}

export interface Stk500Responder {
  /** Takes a byte; the answer, once it completes a command. */
  receive(byte: number): Answer | undefined
}

/** Bytes of a command after its first, without the end of packet; a page's data come besides. */
const ARGUMENTS: ReadonlyMap<number, number> = new Map([
  [STK.getParameter, 1],
  [STK.setDevice, 20],
  [STK.setDeviceExtended, 5],
  [STK.loadAddress, 2],
  [STK.universal, 4],
  [STK.programPage, 3],
  [STK.readPage, 3],
])

export function createStk500Responder({ flash, pageBytes, signature }: ResponderParts): Stk500Responder {
  let command: number[] = []
  let address = 0
  const wanted = () => {
    const fixed = 1 + (ARGUMENTS.get(command[0] ?? 0) ?? 0)
    const data = command[0] === STK.programPage && command.length >= 3 ? lengthOf(command) : 0
    return fixed + data + 1
  }
  const perform = (): readonly number[] => {
    const [code, first = 0, second = 0] = command
    if (code === STK.getParameter) return [first === 0x81 ? 4 : first === 0x82 ? 4 : 3]
    if (code === STK.universal) return [0]
    if (code === STK.readSignature) return signature
    if (code === STK.loadAddress) address = (first | (second << 8)) * 2
    if (code === STK.programPage) {
      const start = address & ~(pageBytes - 1) & (flash.length - 1)
      const data = command.slice(4, -1)
      flash.fill(0xff, start, start + pageBytes)
      flash.set(data.slice(0, pageBytes), start)
    }
    if (code === STK.readPage) return [...flash.subarray(address, address + lengthOf(command))]
    return []
  }
  return {
    receive: (byte) => {
      command.push(byte)
      if (command.length < wanted()) return undefined
      const inStep = byte === STK.endOfPacket
      const [code] = command
      const answer: Answer = inStep
        ? {
            bytes: [STK.inSync, ...perform(), STK.ok],
            wrote: code === STK.programPage,
            ...(code === STK.leaveProgramming ? { ends: 'leave' as const } : {}),
          }
        : { bytes: [], wrote: false, ends: 'lost' }
      command = []
      return answer
    },
  }
}

const lengthOf = (command: readonly number[]) => ((command[1] ?? 0) << 8) | (command[2] ?? 0)
