/** An emulated board that answers STK500v1 by itself after a reset, each byte in its time, until its application is to start. */
import { type Answer, createStk500Responder, type ResponderParts, type Stk500Responder } from './stk500-responder.ts'

/** As optiboot's watchdog: silence for so long starts the application. */
const PATIENCE_S = 1
/** At 115200 baud. */
const BYTE_S = 10 / 115_200
/** A page of flash is erased and written. */
const PAGE_S = 0.008

export class BootAnswers {
  readonly #responder: Stk500Responder
  readonly #incoming: { readonly byte: number; readonly atS: number }[] = []
  #pending: { readonly answer: Answer; readonly dueS: number } | undefined
  /** When what was taken last has been dealt with. */
  #readyS: number
  #overS: number | undefined

  constructor(parts: ResponderParts, timeS: number) {
    this.#responder = createStk500Responder(parts)
    this.#readyS = timeS
  }

  /** When the application starts, and nothing is answered any more; undefined until that is known. */
  get overS(): number | undefined {
    return this.#overS
  }

  /** What came for the application before it had started. */
  get left(): Uint8Array {
    return Uint8Array.from(this.#incoming, ({ byte }) => byte)
  }

  receive(bytes: Uint8Array, timeS: number): void {
    for (const byte of bytes) this.#incoming.push({ byte, atS: timeS })
  }

  /** What the board has sent by that time. */
  advance(timeS: number): number[] {
    const sent: number[] = []
    while (this.#overS === undefined) {
      if (this.#pending !== undefined) {
        const { answer, dueS } = this.#pending
        if (dueS > timeS) break
        sent.push(...answer.bytes)
        this.#pending = undefined
        if (answer.ends !== undefined) this.#overS = dueS
        continue
      }
      const next = this.#incoming[0]
      const quietS = this.#readyS + PATIENCE_S
      const takenS = Math.max(this.#readyS, next?.atS ?? Number.POSITIVE_INFINITY) + BYTE_S
      if (timeS >= quietS && takenS > quietS) this.#overS = quietS
      if (next === undefined || takenS > Math.min(timeS, quietS)) break
      this.#incoming.shift()
      this.#readyS = takenS
      const answer = this.#responder.receive(next.byte)
      if (answer === undefined) continue
      this.#readyS += answer.bytes.length * BYTE_S + (answer.wrote ? PAGE_S : 0)
      this.#pending = { answer, dueS: this.#readyS }
    }
    return sent
  }
}
