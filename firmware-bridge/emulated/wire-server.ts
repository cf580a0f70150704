/**
 * What every emulated device does alike: takes bytes, does its work after its latency, answers, has faults.
 *
 * INVARIANTS: messages run one after the other in the order of arrival, whatever connection they came by; each takes the
 * device's own time from its arrival, not that of a process that is late; an answer goes to the connection that asked, and
 * nowhere once that is closed.
 */
import type { Clock } from '@fernlab/shared/primitives/clock'
import type { Fault, Wire, WireDevice, WireEnd } from './wire-device.ts'

export interface WireServerOptions<M> {
  readonly name: string
  readonly clock: Clock
  /** Time to take a message; 0 answers at once. */
  readonly latencyMs: number
  /** Nothing takes time. */
  readonly instant: boolean
  /** Makes, for a connection, what cuts its bytes into messages. */
  readonly cutter: () => (bytes: Uint8Array) => M[]
  /** What a message is answered with, if at all. */
  readonly handle: (message: M) => Promise<Uint8Array | undefined>
}

interface Work<M> {
  readonly message: M
  readonly receivedMs: number
  readonly answer: (bytes: Uint8Array) => void
  readonly hangUp: () => void
}

export class WireServer<M> implements WireDevice {
  readonly name: string
  readonly #options: WireServerOptions<M>
  readonly #work: Work<M>[] = []
  readonly #ends = new Set<WireEnd>()
  #working = false
  /** Up to when the device has worked. */
  #timeMs = 0
  #fault: Fault | undefined
  #faultLeft = Number.POSITIVE_INFINITY

  constructor(options: WireServerOptions<M>) {
    this.name = options.name
    this.#options = options
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
    const cut = this.#options.cutter()
    let open = true
    const answer = (bytes: Uint8Array) => {
      if (open) end.data(bytes)
    }
    const hangUp = () => {
      if (open) end.hangUp()
    }
    return {
      receive: (bytes) => {
        if (!open) return
        const receivedMs = this.#options.clock.monotonic()
        for (const message of cut(bytes)) this.#work.push({ message, receivedMs, answer, hangUp })
        void this.#run()
      },
      close: () => {
        open = false
        this.#ends.delete(end)
      },
    }
  }

  /** Sends to all that are connected, unasked; a fault that is about what an answer is like holds for it, too. */
  say(bytes: Uint8Array): void {
    const kind = this.#faultLeft > 0 ? this.#fault?.kind : undefined
    if (kind === 'silent') return
    const said = kind === 'garbage' ? garbled(bytes) : kind === 'truncated' ? half(bytes) : bytes
    for (const end of this.#ends) end.data(said)
  }

  /** Lets the device work for so long; gives the moment at which it is done, ms of the clock's monotonic time. */
  async spend(ms: number): Promise<number> {
    const { clock, instant } = this.#options
    if (instant) return clock.monotonic()
    this.#timeMs += ms
    const leftMs = this.#timeMs - clock.monotonic()
    if (leftMs > 0) await clock.sleep(leftMs)
    return this.#timeMs
  }

  async #run(): Promise<void> {
    if (this.#working) return
    this.#working = true
    for (let next = this.#work.shift(); next !== undefined; next = this.#work.shift()) {
      this.#timeMs = Math.max(this.#timeMs, next.receivedMs)
      await this.spend(this.#options.latencyMs)
      const reply = await this.#options.handle(next.message)
      if (reply !== undefined) await this.#answer(reply, next)
    }
    this.#working = false
  }

  async #answer(reply: Uint8Array, { answer, hangUp }: Work<M>): Promise<void> {
    const fault = this.#faultLeft > 0 ? this.#fault : undefined
    if (fault !== undefined) this.#faultLeft -= 1
    switch (fault?.kind) {
      case undefined:
        answer(reply)
        return
      case 'silent':
        return
      case 'slow':
        await this.spend(fault.ms)
        answer(reply)
        return
      case 'garbage':
        answer(garbled(reply))
        return
      case 'truncated':
        answer(half(reply))
        return
      case 'disconnect':
        hangUp()
    }
  }
}

const half = (reply: Uint8Array): Uint8Array => reply.subarray(0, Math.ceil(reply.length / 2))

/** Noise around the reply turned round; what ends it stays its end. */
const garbled = (reply: Uint8Array): Uint8Array =>
  Uint8Array.of(0x07, 0x7e, 0x3f, ...reply.slice(0, -1).reverse(), 0x23, 0x21, ...reply.slice(-1))
