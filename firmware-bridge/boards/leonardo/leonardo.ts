/**
 * An emulated board with an ATmega32U4 at its USB port. It is written like a real one, and what was written is not run.
 *
 * INVARIANTS: one connection at a time, as a serial port; the board is off the bus while it goes from firmware to boot
 * loader or back, and what was connected is hung up on; with blank flash it stays in its boot loader.
 */
import type { Clock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import type { Fault, ModemLines, WireDevice, WireEnd } from '../../emulated/wire-device.ts'
import { type Caterina, createCaterina } from './caterina.ts'

export interface LeonardoOptions {
  /** Of its port, in messages. */
  readonly name: string
  readonly clock: Clock
  /** Its memory, 28 KiB without the boot loader; blank unless given. */
  readonly flash?: Uint8Array
  readonly signature?: readonly [number, number, number]
  /** Answers take no time, and neither does the host that looks for it. */
  readonly instant?: boolean
}

const TOUCH_BAUD = 1200
/** The watchdog by which firmware restarts the chip (Arduino's CDC.cpp), and the boot loader's own at its end. */
const WATCHDOG_MS = 120
const EXIT_MS = 500
/** Until the host has the other device. */
const AWAY_MS = 300
/** Without a word about memory, the boot loader starts the firmware. */
const PATIENCE_MS = 8000
/** A page is erased and written (DS40002056A, table 28-13: 4.5 ms each). */
const PAGE_MS = 9

export function createLeonardo(options: LeonardoOptions): WireDevice {
  const board = new Leonardo(options)
  const { name } = options
  return {
    name,
    connect: (end) => {
      board.attach(end)
      const ifMine = (work: () => void) => {
        if (board.holder === end) work()
      }
      return {
        receive: (bytes) => ifMine(() => board.receive(bytes)),
        setLines: (lines) => ifMine(() => board.setLines(lines)),
        setBaudRate: (baudRate) => ifMine(() => board.setBaudRate(baudRate)),
        close: () => ifMine(() => board.detach()),
      }
    },
    setFault: (fault) => board.setFault(fault),
    hangUp: () => board.holder?.hangUp(),
  }
}

class Leonardo {
  readonly #options: LeonardoOptions
  readonly #flash: Uint8Array
  readonly #eeprom = new Uint8Array(1024).fill(0xff)
  holder: WireEnd | undefined
  #mode: 'firmware' | 'loader' | 'away' = 'away'
  #loader: Caterina | undefined
  #baudRate = 9600
  #leaves = false
  #cancelPatience = () => {}
  #readyMs = 0
  #fault: Fault | undefined
  #faultLeft = 0

  constructor(options: LeonardoOptions) {
    this.#options = options
    this.#flash = options.flash ?? new Uint8Array(28 * 1024).fill(0xff)
    this.#begin(this.#isBlank() ? 'loader' : 'firmware')
  }

  /** Throws `transport-unreachable` while it is off the bus, or somebody else has the port. */
  attach(end: WireEnd): void {
    const { name } = this.#options
    if (this.#leaves || this.#mode === 'away') throw unreachable(`the emulated ${name} is not on the bus; it restarts`)
    if (this.holder !== undefined)
      throw unreachable(`the port of the emulated ${name} is in use; a serial port has one user at a time`)
    this.holder = end
    this.#baudRate = 9600
  }

  /** Nobody holds DTR any more. */
  detach(): void {
    this.setLines({ dtr: false })
    this.holder = undefined
  }

  setBaudRate(baudRate: number): void {
    this.#baudRate = baudRate
  }

  setLines({ dtr }: ModemLines): void {
    if (dtr === false && this.#baudRate === TOUCH_BAUD && this.#mode === 'firmware') this.#leave('loader', WATCHDOG_MS)
  }

  setFault(fault: Fault | undefined): void {
    this.#fault = fault
    this.#faultLeft = fault === undefined ? 0 : (fault.answers ?? Number.POSITIVE_INFINITY)
  }

  receive(bytes: Uint8Array): void {
    for (const byte of bytes) {
      const answer = this.#loader?.receive(byte)
      if (answer === undefined) continue
      if (answer.does === 'stay') this.#wait()
      this.#send(Uint8Array.from(answer.bytes), answer.pages)
      if (answer.does === 'exit') this.#leave('firmware', EXIT_MS)
    }
  }

  #isBlank(): boolean {
    return this.#flash[0] === 0xff && this.#flash[1] === 0xff
  }

  #after(ms: number, work: () => void): () => void {
    return this.#options.clock.after(this.#options.instant === true ? 0 : ms, work)
  }

  #leave(next: 'firmware' | 'loader', ms: number): void {
    if (this.#leaves) return
    this.#leaves = true
    this.#options.clock.after(ms, () => {
      this.#leaves = false
      this.#cancelPatience()
      this.#loader = undefined
      this.#mode = 'away'
      this.holder?.hangUp()
      this.holder = undefined
      this.#after(AWAY_MS, () => this.#begin(this.#isBlank() ? 'loader' : next))
    })
  }

  #begin(mode: 'firmware' | 'loader'): void {
    this.#mode = mode
    if (mode === 'firmware') return
    const { signature = [0x1e, 0x95, 0x87] } = this.#options
    this.#loader = createCaterina({ flash: this.#flash, eeprom: this.#eeprom, signature })
    this.#wait()
  }

  #wait(): void {
    this.#cancelPatience()
    if (this.#isBlank()) return
    this.#cancelPatience = this.#options.clock.after(PATIENCE_MS, () => this.#leave('firmware', 0))
  }

  #send(bytes: Uint8Array, pages: number): void {
    const fault = this.#faultLeft > 0 ? this.#fault : undefined
    if (fault !== undefined) this.#faultLeft -= 1
    if (fault?.kind === 'silent') return
    const { clock } = this.#options
    const nowMs = clock.monotonic()
    this.#readyMs = Math.max(nowMs, this.#readyMs) + pages * PAGE_MS + (fault?.kind === 'slow' ? fault.ms : 0)
    const end = this.holder
    this.#after(this.#readyMs - nowMs, () => {
      if (this.holder !== end) return
      if (fault?.kind === 'disconnect') end?.hangUp()
      else if (fault?.kind === 'garbage') end?.data(bytes.map((byte) => byte ^ 0x55))
      else if (fault?.kind === 'truncated') end?.data(bytes.subarray(0, Math.floor(bytes.length / 2)))
      else end?.data(bytes)
    })
  }
}

function unreachable(message: string): LabError {
  return new LabError({ code: 'transport-unreachable', kind: 'link', retry: 'later', message })
}
