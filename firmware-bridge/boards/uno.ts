/**
 * An emulated Arduino Uno: the chip, its boot loader, and what is wired to its pins, in board time that passes only in
 * `advance`. Flash, EEPROM and the circuit stay over resets, as on a real board.
 */
import { type FirmwareImage, fileWrong, hex } from '../flashing/intel-hex.ts'
import { Atmega328p, CLOCK_HZ, FLASH_BYTES, PAGE_BYTES, type PortName } from './atmega328p/chip.ts'
import { BootAnswers } from './boot-answers.ts'
import { type BoardCircuit, noCircuit, type UnoPin } from './circuits/board-circuit.ts'

export interface UnoOptions {
  /** What runs at first; blank when not given. */
  readonly firmware?: FirmwareImage
  /** A boot loader in flash; without one the board itself answers STK500v1 after an external reset. */
  readonly bootLoader?: FirmwareImage
  readonly circuit?: BoardCircuit
}

/** ATmega328P. */
const SIGNATURE = [0x1e, 0x95, 0x0f] as const
const PINS: Readonly<Record<PortName, readonly (UnoPin | undefined)[]>> = {
  B: ['D8', 'D9', 'D10', 'D11', 'D12', 'D13'],
  C: ['A0', 'A1', 'A2', 'A3', 'A4', 'A5'],
  D: ['D0', 'D1', 'D2', 'D3', 'D4', 'D5', 'D6', 'D7'],
}
const PLACES = new Map(
  (Object.keys(PINS) as PortName[]).flatMap((port) =>
    PINS[port].flatMap((pin, bit) => (pin === undefined ? [] : [[pin, { port, bit }] as const])),
  ),
)

export class Uno {
  readonly #chip: Atmega328p
  readonly #circuit: BoardCircuit
  readonly #bootParts
  readonly #ownResponder: boolean
  #boot: BootAnswers | undefined
  #outgoing: number[] = []
  #timeS = 0
  /** Board time that passed while the chip stood still, with the board answering for it. */
  #stoodStillS = 0

  constructor({ firmware, bootLoader, circuit = noCircuit }: UnoOptions = {}) {
    this.#circuit = circuit
    this.#chip = new Atmega328p({
      volts: (channel) => (channel > 5 ? 0 : (circuit.volts(`A${channel}`, this.#chipS()) ?? 0)),
      pinDriven: (port, bit, high) => {
        const pin = PINS[port][bit]
        if (pin !== undefined) circuit.driven(pin, high, this.#chipS())
      },
      byteSent: (value) => this.#outgoing.push(value),
      i2c: circuit.i2c,
    })
    this.#bootParts = { flash: this.#chip.flash, pageBytes: PAGE_BYTES, signature: SIGNATURE }
    this.#ownResponder = bootLoader === undefined
    for (const image of [firmware, bootLoader]) if (image !== undefined) this.#load(image)
    if (bootLoader !== undefined) this.#chip.resetVector = bootLoader.parts[0]?.address ?? 0
    this.#chip.reset('power-on')
  }

  /** Seconds since the board got power. */
  get timeS(): number {
    return this.#timeS
  }

  get flash(): Uint8Array {
    return this.#chip.flash
  }

  get resets(): number {
    return this.#chip.resets
  }

  /** Pulls the reset pin, as DTR does through its capacitor: what was on the line is lost. */
  reset(): void {
    this.#circuit.released(this.#timeS)
    this.#chip.reset('external')
    this.#outgoing = []
    if (this.#ownResponder) this.#boot = new BootAnswers(this.#bootParts, this.#timeS)
  }

  /** Puts bytes on the line to the board. */
  receive(bytes: Uint8Array): void {
    if (this.#boot === undefined) this.#chip.line.send(bytes)
    else this.#boot.receive(bytes, this.#timeS)
  }

  /** Lets `seconds` pass on the board; gives what it has sent meanwhile. */
  advance(seconds: number): Uint8Array {
    this.#timeS += seconds
    if (this.#boot !== undefined) this.#answer(this.#boot)
    if (this.#boot === undefined) this.#chip.run(Math.round((this.#timeS - this.#stoodStillS) * CLOCK_HZ))
    this.#circuit.passed(this.#chipS())
    const sent = Uint8Array.from(this.#outgoing)
    this.#outgoing = []
    return sent
  }

  /** Whether firmware drives the pin high; undefined while it is an input. */
  driven(pin: UnoPin): boolean | undefined {
    const { port, bit } = placeOf(pin)
    return this.#chip.driven(port, bit)
  }

  /** Puts a level on a pin, as a button does; undefined lets it go. */
  drive(pin: UnoPin, high: boolean | undefined): void {
    const { port, bit } = placeOf(pin)
    this.#chip.drive(port, bit, high)
  }

  #load(image: FirmwareImage): void {
    if (image.end > FLASH_BYTES)
      throw fileWrong(`the firmware ends at ${hex(image.end)}, beyond the Uno's 32 KiB of flash`)
    for (const { address, data } of image.parts) this.#chip.flash.set(data, address)
  }

  #chipS(): number {
    return this.#chip.cycles / CLOCK_HZ + this.#stoodStillS
  }

  /** The chip stands still while the board answers in its place. */
  #answer(boot: BootAnswers): void {
    this.#outgoing.push(...boot.advance(this.#timeS))
    if (boot.overS === undefined) return
    this.#boot = undefined
    this.#stoodStillS = boot.overS - this.#chip.cycles / CLOCK_HZ
    this.#chip.line.send(boot.left)
  }
}

function placeOf(pin: UnoPin): { readonly port: PortName; readonly bit: number } {
  const place = PLACES.get(pin)
  if (place === undefined) throw fileWrong(`an Uno has no pin ${pin}`)
  return place
}
