/**
 * An emulated board with one of Espressif's chips at a serial port. DTR and RTS are led over two transistors to the
 * chip's EN and GPIO0, as on Espressif's own boards: RTS alone holds EN low, DTR alone GPIO0, both together neither.
 */
import type { Clock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import type { Fault, ModemLines, WireDevice, WireEnd } from '../../emulated/wire-device.ts'
import { SlipReader, slipFrame } from '../../flashing/esp/slip.ts'
import { downloadLog, startLog } from './esp-boot.ts'
import type { EspChip } from './esp-chips.ts'
import { EspLoader } from './esp-loader.ts'
import { EspFlash } from './esp-memory.ts'

export interface EspBoardOptions {
  /** Of its port, in messages. */
  readonly name: string
  readonly chip: EspChip
  readonly clock: Clock
  readonly flashBytes?: number
  /** What it has in flash from its start on as it gets power. */
  readonly flash?: Uint8Array
  /** Addresses at which no bit becomes zero any more. */
  readonly worn?: readonly number[]
  /** Somebody has held its BOOT button down as it got power: it is in its boot loader until it is reset. */
  readonly startsInLoader?: boolean
  /** Answers take no time. */
  readonly instant?: boolean
}

const ROM_BAUD = 115_200
/** EN rises slowly, by its capacitor. */
const RISE_MS = 2
/** Of a 64 KiB block that is erased and written (W25Q32JV, rev. G, table 9.6). */
const WORK_MS_PER_BYTE = (150 + 256 * 0.4) / 65_536

/**
 * INVARIANTS: one connection at a time, as a serial port; it keeps power, and what runs, between connections. Opening
 * the port asserts both lines, which resets nothing.
 */
export function createEspBoard(options: EspBoardOptions): WireDevice {
  const { name } = options
  const flash = new EspFlash(options.flashBytes ?? 4 * 1024 * 1024, options.worn)
  if (options.flash !== undefined) flash.write(0, options.flash)
  const board = new EspBoard(options, flash)
  let holder: WireEnd | undefined
  return {
    name,
    connect: (end) => {
      if (holder !== undefined) throw busy(name)
      holder = end
      board.attach(end)
      const mine = () => holder === end
      return {
        receive: (bytes) => {
          if (mine()) board.receive(bytes)
        },
        setLines: (lines) => {
          if (mine()) board.setLines(lines)
        },
        close: () => {
          if (!mine()) return
          holder = undefined
          board.attach(undefined)
        },
      }
    },
    setFault: (fault) => board.setFault(fault),
    hangUp: () => holder?.hangUp(),
  }
}

class EspBoard {
  readonly #options: EspBoardOptions
  readonly #chip: EspChip
  readonly #flash: EspFlash
  readonly #slip = new SlipReader()
  #loader: EspLoader | undefined
  #end: WireEnd | undefined
  #lines = { dtr: true, rts: true }
  #cancelRise = () => {}
  #baudRate = ROM_BAUD
  #readyMs = 0
  /** What was sent before a reset never arrives after it. */
  #resets = 0
  #fault: Fault | undefined
  #faultLeft = 0

  constructor(options: EspBoardOptions, flash: EspFlash) {
    this.#options = options
    this.#chip = options.chip
    this.#flash = flash
    if (options.startsInLoader === true) this.#loader = new EspLoader(this.#chip, flash)
  }

  attach(end: WireEnd | undefined): void {
    this.#end = end
    this.#lines = { dtr: true, rts: true }
    this.#slip.clear()
  }

  setFault(fault: Fault | undefined): void {
    this.#fault = fault
    this.#faultLeft = fault === undefined ? 0 : (fault.answers ?? Number.POSITIVE_INFINITY)
  }

  setLines({ dtr = this.#lines.dtr, rts = this.#lines.rts }: ModemLines): void {
    const wasLow = this.#isResetLow()
    this.#lines = { dtr, rts }
    if (this.#isResetLow()) {
      this.#cancelRise()
      this.#loader = undefined
      this.#resets += 1
    } else if (wasLow) this.#cancelRise = this.#options.clock.after(RISE_MS, () => this.#start())
  }

  receive(bytes: Uint8Array): void {
    this.#takes(bytes.length, 0)
    if (this.#loader === undefined) return
    for (const message of this.#slip.take(bytes)) {
      const { messages, worked, baudRate, restarts } = this.#loader.answer(message)
      if (messages.length > 0) this.#send(Buffer.concat(messages.map(slipFrame)), worked)
      if (baudRate !== undefined) this.#baudRate = baudRate
      if (restarts === true) this.#start()
    }
  }

  #isResetLow(): boolean {
    return this.#lines.rts && !this.#lines.dtr
  }

  #start(): void {
    const isBoot = this.#lines.dtr && !this.#lines.rts
    this.#slip.clear()
    this.#baudRate = ROM_BAUD
    this.#loader = isBoot ? new EspLoader(this.#chip, this.#flash) : undefined
    const said = isBoot ? downloadLog(this.#chip) : startLog(this.#chip, this.#flash.bytes)
    this.#send(new TextEncoder().encode(said), 0)
  }

  /** The line is busy for so many bytes, and the chip with its flash. */
  #takes(count: number, worked: number): void {
    const { clock, instant = false } = this.#options
    const now = clock.monotonic()
    const ms = instant ? 0 : (count * 10_000) / this.#baudRate + worked * WORK_MS_PER_BYTE
    this.#readyMs = Math.max(now, this.#readyMs) + ms
  }

  #send(bytes: Uint8Array, worked: number): void {
    const fault = this.#faultLeft > 0 ? this.#fault : undefined
    if (fault !== undefined) this.#faultLeft -= 1
    if (fault?.kind === 'silent') return
    this.#takes(bytes.length, worked)
    const lateMs = fault?.kind === 'slow' ? fault.ms : 0
    const resets = this.#resets
    const end = this.#end
    const { clock } = this.#options
    clock.after(this.#readyMs - clock.monotonic() + lateMs, () => {
      if (this.#end !== end || this.#resets !== resets) return
      if (fault?.kind === 'disconnect') end?.hangUp()
      else if (fault?.kind === 'garbage') end?.data(bytes.map((byte) => byte ^ 0x55))
      else if (fault?.kind === 'truncated') end?.data(bytes.subarray(0, Math.floor(bytes.length / 2)))
      else end?.data(bytes)
    })
  }
}

function busy(name: string): LabError {
  return new LabError({
    code: 'transport-unreachable',
    kind: 'link',
    retry: 'later',
    message: `the port of the emulated ${name} is in use; a serial port has one user at a time`,
  })
}
