/** The line of esptool-js over a transport of ours: it was made for the serial ports of browsers. */
import type { Clock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { Transport as EspTransport } from 'esptool-js'
import type { ModemLines } from '../../emulated/wire-device.ts'
import type { Transport } from '../../transports/transport.ts'
import { SlipReader, slipFrame } from './slip.ts'

/**
 * INVARIANTS: the transport stays open, and belongs to whoever opened it; from the signal's abort or the line's end on,
 * every call rejects at once, so that what is under way ends soon.
 */
export class PortTransport extends EspTransport {
  readonly #port: Transport
  readonly #clock: Clock
  readonly #signal: AbortSignal
  readonly #slip = new SlipReader()
  #messages: Uint8Array[] = []
  #ended: Error | undefined
  #notice = () => {}

  constructor(port: Transport, clock: Clock, signal: AbortSignal) {
    super(undefined)
    this.#port = port
    this.#clock = clock
    this.#signal = signal
    port.onData((bytes) => {
      this.#messages.push(...this.#slip.take(bytes))
      this.#notice()
    })
    port.onClose((reason) => {
      this.#ended = reason ?? closed()
      this.#notice()
    })
  }

  /** What it would write to the console. */
  override trace(): void {}

  override getInfo(): string {
    return ''
  }

  override getVid(): undefined {}

  override getPid(): undefined {}

  override async write(data: Uint8Array): Promise<void> {
    this.#throwIfOver()
    await this.#port.write(slipFrame(data))
  }

  /** The next message; rejects when none comes in time. */
  override async read(timeoutMs: number): Promise<Uint8Array> {
    this.#throwIfOver()
    if (this.#messages.length === 0) await this.#noticed(timeoutMs)
    this.#throwIfOver()
    const message = this.#messages.shift()
    if (message === undefined) throw unanswered(timeoutMs)
    return message
  }

  override async readLoop(): Promise<void> {}

  override flushInput(): void {
    this.#messages = []
    this.#slip.clear()
  }

  override async drainInput(quietMs = 100): Promise<void> {
    await this.#clock.sleep(quietMs, this.#signal)
    this.flushInput()
  }

  override inWaiting(): number {
    return 0
  }

  override peek(): Uint8Array {
    return new Uint8Array(0)
  }

  override async setRTS(rts: boolean): Promise<void> {
    await this.#setLines({ rts })
  }

  override async setDTR(dtr: boolean): Promise<void> {
    await this.#setLines({ dtr })
  }

  override async setSignals(dtr = false, rts = false): Promise<void> {
    await this.#setLines({ dtr, rts })
  }

  override async connect(baudRate = this.baudrate): Promise<void> {
    await this.changeBaudrate(baudRate)
  }

  /** Resolves with false: the port was not closed for it. */
  override async changeBaudrate(baudRate: number): Promise<boolean> {
    this.#throwIfOver()
    await this.#port.setBaudRate?.(baudRate)
    this.baudrate = baudRate
    return false
  }

  override async disconnect(): Promise<void> {}

  /** A line without modem lines leaves the chip as it is; somebody has to hold its BOOT button then. */
  async #setLines(lines: ModemLines): Promise<void> {
    this.#throwIfOver()
    try {
      await this.#port.setLines?.(lines)
    } catch (thrown) {
      if (!(thrown instanceof LabError) || thrown.code !== 'modem-lines-refused') throw thrown
    }
  }

  #throwIfOver(): void {
    this.#signal.throwIfAborted()
    if (this.#ended !== undefined) throw this.#ended
  }

  /** Resolves when a message has come, the line or the work has ended, or the time is over. */
  #noticed(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const settle = () => {
        cancel()
        this.#signal.removeEventListener('abort', settle)
        this.#notice = () => {}
        resolve()
      }
      const cancel = this.#clock.after(ms, settle)
      this.#signal.addEventListener('abort', settle, { once: true })
      this.#notice = () => {
        if (this.#messages.length > 0 || this.#ended !== undefined) settle()
      }
    })
  }
}

function unanswered(ms: number): LabError {
  return new LabError({
    code: 'board-unanswered',
    kind: 'instrument',
    retry: 'later',
    message: `the boot loader did not answer within ${ms} ms`,
  })
}

function closed(): LabError {
  return new LabError({ code: 'transport-closed', kind: 'link', retry: 'later', message: 'the connection closed' })
}
