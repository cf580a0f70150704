/** What a host tells a Firmata board, cut from its bytes (firmata/protocol, protocol.md). */
import { COMMAND, END_SYSEX, START_SYSEX } from '../../firmata/messages.ts'

export interface HostCommand {
  /** The first byte, without a channel or port. */
  readonly command: number
  readonly channel: number
  readonly data: readonly number[]
}

/** Bytes of data that follow; a sysex has an end instead. */
const LENGTHS: ReadonlyMap<number, number> = new Map([
  [COMMAND.digital, 2],
  [COMMAND.analog, 2],
  [COMMAND.reportAnalog, 1],
  [COMMAND.reportDigital, 1],
  [COMMAND.pinMode, 2],
  [COMMAND.version, 0],
  [COMMAND.systemReset, 0],
])

/** For one connection: pieces of bytes to whole commands; what is none is left out. */
export function cutCommands(): (bytes: Uint8Array) => HostCommand[] {
  let begun: { readonly command: number; readonly channel: number } | undefined
  let data: number[] = []
  return (bytes) => {
    const found: HostCommand[] = []
    const end = () => {
      if (begun !== undefined) found.push({ ...begun, data })
      begun = undefined
      data = []
    }
    for (const byte of bytes) {
      if (byte === END_SYSEX && begun?.command === START_SYSEX) end()
      else if (byte >= 0x80) {
        begun = byte < 0xf0 ? { command: byte & 0xf0, channel: byte & 0x0f } : { command: byte, channel: 0 }
        data = []
        if (LENGTHS.get(begun.command) === 0) end()
      } else if (begun !== undefined) {
        data.push(byte)
        if (data.length === LENGTHS.get(begun.command)) end()
      }
    }
    return found
  }
}
