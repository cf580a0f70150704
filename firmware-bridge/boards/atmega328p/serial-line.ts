/**
 * The line at the chip's USART: bytes take their time at the speed that the firmware has set, in both directions.
 *
 * avr8js holds one byte each way. The chip has two buffers for what comes in, beside the one that is being shifted, and one
 * for what goes out (DS40002061B, 20.6 and 20.7): without them a firmware that keeps up on a real board would lose bytes
 * here, or leave gaps. What arrives while the receiver is off is lost, as on a wire. And it forgets that the data register
 * is empty once its interrupt is served: on the chip that stays until a byte is written (20.7.3), however often it is served.
 */
import { AVRUSART, type CPU, usart0Config } from 'avr8js'

const { UCSRA, UCSRB, UDR } = usart0Config
const RXC = 0x80
const DATA_OVERRUN = 0x08
const TXEN = 0x08
/** Bits on the wire while the receiver is off go by at the speed of the boot loader. */
const IDLE_BAUD = 115_200
const FLAGS_SET_BY_HARDWARE = 0xfc

/** What avr8js keeps to itself, and the transmit buffer needs. */
interface UsartInside {
  readonly UDRE: { constant?: boolean }
  readonly TXC: object
  readonly cyclesPerChar: number
}
interface CpuInside {
  setInterruptFlag(interrupt: object): void
  clearInterrupt(interrupt: object): void
}

export interface SerialLine {
  /** Puts bytes on the wire to the chip, after those that are on it. */
  send(bytes: Uint8Array): void
  /** Bytes that are on the wire, not yet at the chip. */
  readonly waiting: number
}

/** Connects a line to the chip's USART; `onByte` is called as each byte that the firmware sends has left. */
export function createSerialLine(cpu: CPU, frequencyHz: number, onByte: (value: number) => void): SerialLine {
  const usart = new AVRUSART(cpu, usart0Config, frequencyHz)
  const { UDRE, TXC } = usart as unknown as UsartInside
  UDRE.constant = true
  const cyclesPerByte = () => (usart as unknown as UsartInside).cyclesPerChar
  bufferTransmit(cpu, { UDRE, TXC, cyclesPerByte, onByte })

  const wire: number[] = []
  let head = 0
  let shifting = false
  let second: number | undefined
  const arrive = (value: number) => {
    if (!usart.rxEnable) return
    if (((cpu.data[UCSRA] ?? 0) & RXC) === 0) usart.writeByte(value, true)
    else if (second === undefined) second = value
    else cpu.data[UCSRA] = (cpu.data[UCSRA] ?? 0) | DATA_OVERRUN
  }
  const shift = () => {
    if (shifting || head >= wire.length) return
    shifting = true
    const cycles = usart.rxEnable ? cyclesPerByte() : (frequencyHz * 10) / IDLE_BAUD
    cpu.addClockEvent(() => {
      shifting = false
      arrive(wire[head++] ?? 0)
      if (head >= wire.length) {
        wire.length = 0
        head = 0
      }
      shift()
    }, cycles)
  }
  const read = cpu.readHooks[UDR]
  cpu.readHooks[UDR] = (address) => {
    const value = read?.(address) ?? 0
    cpu.data[UCSRA] = (cpu.data[UCSRA] ?? 0) & ~DATA_OVERRUN
    if (second !== undefined) {
      usart.writeByte(second, true)
      second = undefined
    }
    return value
  }
  const control = cpu.writeHooks[UCSRA]
  cpu.writeHooks[UCSRA] = (value, old, address, mask) => {
    const kept = (cpu.data[UCSRA] ?? 0) & FLAGS_SET_BY_HARDWARE
    control?.(value, old, address, mask)
    // avr8js forgets here what only hardware sets; TXC alone is cleared by writing a one.
    cpu.data[UCSRA] = ((cpu.data[UCSRA] ?? 0) & 0x03) | (kept & ~(value & 0x40))
    return true
  }
  return {
    send: (bytes) => {
      for (const byte of bytes) wire.push(byte)
      shift()
    },
    get waiting() {
      return wire.length - head
    },
  }
}

interface Transmit {
  readonly UDRE: object
  readonly TXC: object
  readonly cyclesPerByte: () => number
  readonly onByte: (value: number) => void
}

/** A byte that is written while another is shifted out waits in the buffer; only then is the register full. */
function bufferTransmit(cpu: CPU, { UDRE, TXC, cyclesPerByte, onByte }: Transmit): void {
  const inside = cpu as unknown as CpuInside
  let shifting = false
  let buffered: number | undefined
  const begin = (value: number) => {
    shifting = true
    cpu.addClockEvent(() => {
      onByte(value)
      shifting = false
      if (buffered === undefined) {
        inside.setInterruptFlag(TXC)
        return
      }
      const next = buffered
      buffered = undefined
      begin(next)
      inside.setInterruptFlag(UDRE)
    }, cyclesPerByte())
  }
  cpu.writeHooks[UDR] = (value) => {
    if (((cpu.data[UCSRB] ?? 0) & TXEN) === 0) return true
    inside.clearInterrupt(TXC)
    if (!shifting) {
      begin(value)
      // The byte moves to the shift register at once: the data register is empty again.
      inside.clearInterrupt(UDRE)
      inside.setInterruptFlag(UDRE)
    } else if (buffered === undefined) {
      buffered = value
      inside.clearInterrupt(UDRE)
    }
    return true
  }
}
