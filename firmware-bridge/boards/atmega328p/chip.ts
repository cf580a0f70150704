/**
 * An ATmega328P at 16 MHz: avr8js's core and peripherals, with what it lacks: self-programming (SPM), sleep, buffered
 * serial lines, and resets that reset everything. Time is counted in cycles, and passes only in `run`.
 */
import {
  ADCMuxInputType,
  AVRADC,
  AVRClock,
  AVREEPROM,
  AVRIOPort,
  AVRTimer,
  AVRTWI,
  AVRWatchdog,
  adcConfig,
  avrInstruction,
  CPU,
  EEPROMMemoryBackend,
  eepromConfig,
  PinState,
  portBConfig,
  portCConfig,
  portDConfig,
  timer0Config,
  timer1Config,
  timer2Config,
  twiConfig,
  watchdogConfig,
} from 'avr8js'
import { type ChipsByAddress, connectI2c } from '../i2c/i2c-bus.ts'
import { createSelfProgramming, type SelfProgramming } from './self-programming.ts'
import { createSerialLine, type SerialLine } from './serial-line.ts'

export const CLOCK_HZ = 16_000_000
export const FLASH_BYTES = 32 * 1024
export const PAGE_BYTES = 128
const SRAM_BYTES = 2048
const EEPROM_BYTES = 1024

export type ResetCause = 'power-on' | 'external' | 'watchdog'
/** Bits of MCUSR (DS40002061B, 11.9.1). */
const CAUSE: Readonly<Record<ResetCause, number>> = { 'power-on': 0x01, external: 0x02, watchdog: 0x08 }
const MCUSR = 0x54
const WDTCSR = 0x60
const SMCR = 0x53
const SLEEP = 0x9588
const SPM = 0x95e8
const SEI = 0x9478

export type PortName = 'B' | 'C' | 'D'

/** What is wired to the chip. */
export interface ChipSurroundings {
  /** Volts at an ADC input, 0 to 7. */
  volts(channel: number): number
  /** A pin that firmware drives has another level now. */
  pinDriven(port: PortName, bit: number, high: boolean): void
  /** Firmware sent a byte. */
  byteSent(value: number): void
  readonly i2c: ChipsByAddress
}

interface CpuInside {
  readonly nextClockEvent: { readonly cycles: number } | null
  readonly nextInterrupt: number
}

export class Atmega328p {
  readonly flash = new Uint8Array(FLASH_BYTES).fill(0xff)
  readonly eeprom = new EEPROMMemoryBackend(EEPROM_BYTES)
  /** Where execution starts after a reset, in bytes. */
  resetVector = 0
  readonly #program = new Uint16Array(this.flash.buffer)
  readonly #surroundings: ChipSurroundings
  readonly #inputs: Record<PortName, Map<number, boolean>> = { B: new Map(), C: new Map(), D: new Map() }
  /** Cycles that had passed at the last reset. */
  #before = 0
  #resetWanted: ResetCause | undefined
  #cpu!: CPU
  #ports!: Record<PortName, AVRIOPort>
  #spm!: SelfProgramming
  #line!: SerialLine
  #resets = 0

  constructor(surroundings: ChipSurroundings) {
    this.#surroundings = surroundings
    this.#powerUp('power-on')
  }

  /** Cycles since power came on. */
  get cycles(): number {
    return this.#before + this.#cpu.cycles
  }

  /** How often the chip has been reset since power came on. */
  get resets(): number {
    return this.#resets
  }

  get line(): SerialLine {
    return this.#line
  }

  /** Pulls the reset pin: RAM and peripherals are lost, flash and EEPROM stay. */
  reset(cause: ResetCause): void {
    this.#resets += 1
    this.#before = this.cycles
    this.#powerUp(cause)
  }

  /** The level that the world puts on a pin; undefined lets it go, so that a pull-up shows. */
  drive(port: PortName, bit: number, high: boolean | undefined): void {
    if (high === undefined) this.#inputs[port].delete(bit)
    else this.#inputs[port].set(bit, high)
    this.#ports[port].setPin(bit, high ?? this.#ports[port].pinState(bit) === PinState.InputPullUp)
  }

  /** Whether firmware drives the pin high; undefined while it is an input. */
  driven(port: PortName, bit: number): boolean | undefined {
    const state = this.#ports[port].pinState(bit)
    return state === PinState.High ? true : state === PinState.Low ? false : undefined
  }

  /** Lets the chip work until so many cycles have passed since power came on. */
  run(untilCycles: number): void {
    while (this.cycles < untilCycles) {
      this.#runToReset(untilCycles - this.#before)
      if (this.#resetWanted !== undefined) this.reset(this.#resetWanted)
    }
  }

  #runToReset(end: number): void {
    const cpu = this.#cpu
    const program = this.#program
    while (cpu.cycles < end && this.#resetWanted === undefined) {
      if (cpu.pc >= program.length) cpu.pc %= program.length
      const opcode = program[cpu.pc] ?? 0
      // The instructions that avr8js lacks are all in this range.
      if ((opcode & 0xfe00) === 0x9400) this.#special(cpu, opcode, end)
      else {
        avrInstruction(cpu)
        cpu.tick()
      }
    }
  }

  #special(cpu: CPU, opcode: number, end: number): void {
    if (opcode === SLEEP && ((cpu.data[SMCR] ?? 0) & 1) !== 0) {
      this.#sleep(cpu, end)
      return
    }
    if (opcode === SPM) {
      this.#spm.execute()
      cpu.pc += 1
      cpu.cycles += 1
    } else {
      avrInstruction(cpu)
      // The instruction after SEI runs before any interrupt (DS40002061B, 7.7): a core that goes to sleep is not overtaken.
      if (opcode === SEI && this.#program[cpu.pc] === SLEEP) return
    }
    cpu.tick()
  }

  /** All sleep modes are treated as idle: time passes to the next thing that happens, until an interrupt wakes the core. */
  #sleep(cpu: CPU, end: number): void {
    const { nextInterrupt, nextClockEvent } = cpu as unknown as CpuInside
    if (nextInterrupt >= 0 && cpu.interruptsEnabled) cpu.cycles += 4
    else cpu.cycles = Math.max(cpu.cycles + 1, Math.min(nextClockEvent?.cycles ?? end, end))
    // An interrupt returns to the instruction after SLEEP; without one the core stays there.
    cpu.pc += 1
    const after = cpu.pc
    cpu.tick()
    if (cpu.pc === after) cpu.pc -= 1
  }

  #powerUp(cause: ResetCause): void {
    this.#resetWanted = undefined
    const cpu = new CPU(this.#program, SRAM_BYTES)
    this.#cpu = cpu
    this.#ports = {
      B: this.#port(cpu, 'B', portBConfig),
      C: this.#port(cpu, 'C', portCConfig),
      D: this.#port(cpu, 'D', portDConfig),
    }
    for (const config of [timer0Config, timer1Config, timer2Config]) new AVRTimer(cpu, config)
    const clock = new AVRClock(cpu, CLOCK_HZ)
    new AVREEPROM(cpu, this.eeprom, eepromConfig)
    this.#adc(cpu)
    connectI2c(new AVRTWI(cpu, twiConfig, CLOCK_HZ), cpu, this.#surroundings.i2c, CLOCK_HZ)
    new AVRWatchdog(cpu, watchdogConfig, clock)
    this.#line = createSerialLine(cpu, CLOCK_HZ, (value) => this.#surroundings.byteSent(value))
    this.#spm = createSelfProgramming(cpu, this.flash)
    // avr8js's watchdog resets the core alone.
    cpu.reset = () => {
      this.#resetWanted = 'watchdog'
    }
    cpu.pc = this.resetVector / 2
    cpu.data[MCUSR] = CAUSE[cause]
    if (cause === 'watchdog') {
      // WDRF keeps the watchdog on, at its shortest, until firmware clears both (11.9.2).
      cpu.writeData(WDTCSR, 0x18)
      cpu.writeData(WDTCSR, 0x08)
    }
  }

  #port(cpu: CPU, name: PortName, config: typeof portBConfig): AVRIOPort {
    const port = new AVRIOPort(cpu, config)
    const inputs = this.#inputs[name]
    for (const [bit, high] of inputs) port.setPin(bit, high)
    port.addListener((_value, _old) => {
      for (let bit = 0; bit < 8; bit++) {
        const state = port.pinState(bit)
        // A pull-up shows on a pin that nothing else holds.
        if (state > PinState.High && !inputs.has(bit)) port.setPin(bit, state === PinState.InputPullUp)
        else if (state <= PinState.High) this.#surroundings.pinDriven(name, bit, state === PinState.High)
      }
    })
    return port
  }

  #adc(cpu: CPU): void {
    const adc = new AVRADC(cpu, adcConfig)
    const convert = adc.onADCRead
    adc.onADCRead = (input) => {
      // The input is held at the start of the conversion.
      if (input.type === ADCMuxInputType.SingleEnded)
        adc.channelValues[input.channel] = this.#surroundings.volts(input.channel)
      convert(input)
    }
  }
}
