/**
 * An emulated SCPI instrument: takes bytes, keeps IEEE 488.2 status and error queue, answers after its latency.
 *
 * INVARIANTS: messages run one after the other in the order of arrival, whatever connection they came by; each takes the
 * instrument's own time from its arrival, not that of a process that is late; an answer goes
 * to the connection that asked, and nowhere once that is closed; state outlives connections.
 */
import type { Clock } from '@fernlab/shared/primitives/clock'
import { type CommandTable, HeaderTree, numberArgument, ScpiFault, splitMessage } from './command-table.ts'
import type { Fault, Wire, WireDevice, WireEnd } from './wire-device.ts'

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

interface Work {
  readonly line: string
  readonly receivedMs: number
  readonly answer: (text: string) => void
  readonly hangUp: () => void
}

const MAX_LINE = 4096
const MAX_QUEUE = 20

export class ScpiDevice implements WireDevice {
  readonly name: string
  readonly #options: ScpiDeviceOptions
  readonly #tree: HeaderTree
  readonly #errors: ScpiFault[] = []
  readonly #work: Work[] = []
  readonly #ends = new Set<WireEnd>()
  #working = false
  /** Up to when the instrument has worked. */
  #timeMs = 0
  #fault: Fault | undefined
  #faultLeft = Number.POSITIVE_INFINITY
  #standardEvents = 128
  #eventMask = 0
  #serviceMask = 0

  constructor(options: ScpiDeviceOptions) {
    this.name = options.name
    this.#options = options
    this.#tree = new HeaderTree({ ...this.#commonCommands(), ...options.commands })
  }

  setFault(fault: Fault | undefined): void {
    this.#fault = fault
    this.#faultLeft = fault?.answers ?? Number.POSITIVE_INFINITY
  }

  hangUp(): void {
    for (const end of [...this.#ends]) end.hangUp()
  }

  connect(end: WireEnd): Wire {
    this.#ends.add(end)
    const decoder = new TextDecoder('latin1')
    const encoder = new TextEncoder()
    let buffer = ''
    let open = true
    return {
      receive: (bytes) => {
        if (!open) return
        buffer += decoder.decode(bytes, { stream: true })
        for (let at = buffer.indexOf('\n'); at !== -1; at = buffer.indexOf('\n')) {
          const line = buffer.slice(0, at).replace(/\r$/, '')
          buffer = buffer.slice(at + 1)
          const answer = (text: string) => {
            if (open) end.data(encoder.encode(text))
          }
          const hangUp = () => {
            if (open) end.hangUp()
          }
          this.#work.push({ line, receivedMs: this.#options.clock.monotonic(), answer, hangUp })
        }
        if (buffer.length > MAX_LINE) {
          buffer = ''
          this.#queueError(new ScpiFault(-363, 'Input buffer overrun'))
        }
        void this.#run()
      },
      close: () => {
        open = false
        this.#ends.delete(end)
      },
    }
  }

  async #run(): Promise<void> {
    if (this.#working) return
    this.#working = true
    for (let next = this.#work.shift(); next !== undefined; next = this.#work.shift()) {
      this.#timeMs = Math.max(this.#timeMs, next.receivedMs)
      await this.#spend(this.#options.latencyMs)
      const answers: string[] = []
      for (const unit of splitMessage(next.line)) {
        try {
          const handler = this.#tree.find(unit.header)
          if (handler === undefined) throw new ScpiFault(-113, 'Undefined header')
          const answer = await handler({ args: unit.args, spend: (ms) => this.#spend(ms) })
          if (answer !== undefined) answers.push(answer)
        } catch (error) {
          // A slip of the emulation shows in the error queue, as a real instrument's would.
          this.#queueError(error instanceof ScpiFault ? error : new ScpiFault(-310, `System error; ${String(error)}`))
        }
      }
      if (answers.length > 0) await this.#answer(`${answers.join(';')}\n`, next.answer, next.hangUp)
    }
    this.#working = false
  }

  async #answer(text: string, send: (text: string) => void, hangUp: () => void): Promise<void> {
    const fault = this.#faultLeft > 0 ? this.#fault : undefined
    if (fault !== undefined) this.#faultLeft -= 1
    switch (fault?.kind) {
      case undefined:
        send(text)
        return
      case 'silent':
        return
      case 'slow':
        await this.#spend(fault.ms)
        send(text)
        return
      case 'garbage':
        send(`\u0007~?${text.slice(0, -1).split('').reverse().join('')}#!\n`)
        return
      case 'truncated':
        send(text.slice(0, Math.ceil(text.length / 2)))
        return
      case 'disconnect':
        hangUp()
    }
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

  async #spend(ms: number): Promise<number> {
    const { clock, instant } = this.#options
    if (instant) return clock.monotonic()
    this.#timeMs += ms
    const leftMs = this.#timeMs - clock.monotonic()
    if (leftMs > 0) await clock.sleep(leftMs)
    return this.#timeMs
  }
}
