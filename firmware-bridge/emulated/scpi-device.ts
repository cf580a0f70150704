/**
 * An emulated SCPI instrument: keeps IEEE 488.2 status and error queue, answers after its latency; its state outlives
 * connections.
 */
import type { Clock } from '@fernlab/shared/primitives/clock'
import { type CommandTable, HeaderTree, numberArgument, ScpiFault, splitMessage } from './command-table.ts'
import { cutLines } from './cut-lines.ts'
import type { Fault, Wire, WireDevice, WireEnd } from './wire-device.ts'
import { WireServer } from './wire-server.ts'

export interface ScpiDeviceOptions {
  readonly name: string
  /** What `*IDN?` answers: maker, model, serial number, version. */
  readonly identity: string
  readonly clock: Clock
  /** Time to take a message; 0 answers at once. */
  readonly latencyMs: number
  /** Nothing takes time. */
  readonly instant: boolean
  readonly commands: CommandTable
  /** `*RST`. */
  readonly reset: () => void
}

const MAX_LINE = 4096
const MAX_QUEUE = 20

export class ScpiDevice implements WireDevice {
  readonly name: string
  readonly #options: ScpiDeviceOptions
  readonly #tree: HeaderTree
  readonly #server: WireServer<string>
  readonly #errors: ScpiFault[] = []
  #standardEvents = 128
  #eventMask = 0
  #serviceMask = 0

  constructor(options: ScpiDeviceOptions) {
    this.name = options.name
    this.#options = options
    this.#tree = new HeaderTree({ ...this.#commonCommands(), ...options.commands })
    const overrun = () => this.#queueError(new ScpiFault(-363, 'Input buffer overrun'))
    this.#server = new WireServer({
      ...options,
      cutter: () => cutLines(MAX_LINE, overrun),
      handle: (line) => this.#handle(line),
    })
  }

  setFault(fault: Fault | undefined): void {
    this.#server.setFault(fault)
  }

  hangUp(): void {
    this.#server.hangUp()
  }

  connect(end: WireEnd): Wire {
    return this.#server.connect(end)
  }

  async #handle(line: string): Promise<Uint8Array | undefined> {
    const answers: string[] = []
    for (const unit of splitMessage(line)) {
      try {
        const handler = this.#tree.find(unit.header)
        if (handler === undefined) throw new ScpiFault(-113, 'Undefined header')
        const answer = await handler({ args: unit.args, spend: (ms) => this.#server.spend(ms) })
        if (answer !== undefined) answers.push(answer)
      } catch (error) {
        // A slip of the emulation shows in the error queue, as a real instrument's would.
        this.#queueError(error instanceof ScpiFault ? error : new ScpiFault(-310, `System error; ${String(error)}`))
      }
    }
    return answers.length === 0 ? undefined : new TextEncoder().encode(`${answers.join(';')}\n`)
  }

  #queueError(fault: ScpiFault): void {
    // Bit 5 command, 4 execution, 3 device, 2 query error (IEEE 488.2 clause 11.5.1).
    const bit = fault.code <= -400 ? 4 : fault.code <= -300 ? 8 : fault.code <= -200 ? 16 : 32
    this.#standardEvents |= bit
    if (this.#errors.length >= MAX_QUEUE) this.#errors[MAX_QUEUE - 1] = new ScpiFault(-350, 'Queue overflow')
    else this.#errors.push(fault)
  }

  #commonCommands(): CommandTable {
    const takeError = () => {
      const error = this.#errors.shift()
      return error === undefined ? '0,"No error"' : `${error.code},"${error.text}"`
    }
    return {
      '*IDN?': () => this.#options.identity,
      '*CLS': () => {
        this.#errors.length = 0
        this.#standardEvents = 0
        return undefined
      },
      '*RST': () => {
        this.#options.reset()
        return undefined
      },
      '*ESE': (message) => {
        this.#eventMask = Math.round(numberArgument(message, 0, 255))
        return undefined
      },
      '*ESE?': () => String(this.#eventMask),
      '*ESR?': () => {
        const events = this.#standardEvents
        this.#standardEvents = 0
        return String(events)
      },
      '*SRE': (message) => {
        this.#serviceMask = Math.round(numberArgument(message, 0, 255)) & ~64
        return undefined
      },
      '*SRE?': () => String(this.#serviceMask),
      '*STB?': () => {
        const summary = (this.#standardEvents & this.#eventMask) !== 0 ? 32 : 0
        return String(summary | (this.#errors.length > 0 ? 4 : 0))
      },
      '*OPC': () => {
        this.#standardEvents |= 1
        return undefined
      },
      '*OPC?': () => '1',
      '*TST?': () => '0',
      '*WAI': () => undefined,
      'SYSTem:ERRor[:NEXT]?': takeError,
      'SYSTem:VERSion?': () => '1999.0',
      'SYSTem:REMote': () => undefined,
      'SYSTem:LOCal': () => undefined,
    }
  }
}
