/** AVR109 (Atmel application note, "Self-programming") as boot loaders on USB speak it: a letter, its data, an answer. */
import type { Clock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import type { Transport } from '../../transports/transport.ts'
import { ByteReader } from '../byte-reader.ts'
import { outOfStep, unanswered } from '../loader-errors.ts'
import type { PagedLoader } from '../paged.ts'

const DONE = 0x0d
/** What they are called; firmware that talks is not taken for one. */
const NAMES: readonly string[] = ['CATERIN', 'LUFACDC', 'AVRBOOT']
const CONNECT_TRIES = 3
const NAME_MS = 1000
const NAME_BYTES = 7
/** An answer to an earlier question has come by then. */
const LATE_MS = 300
const ANSWER_MS = 3000

export interface Avr109Options {
  readonly transport: Transport
  readonly clock: Clock
  readonly signal: AbortSignal
  /** What messages call the port. */
  readonly place: string
}

export class Avr109 implements PagedLoader {
  readonly #options: Avr109Options
  readonly #reader: ByteReader
  /** Where the next block goes, in words; reading and writing move it on. */
  #word: number | undefined

  constructor(options: Avr109Options) {
    this.#options = options
    this.#reader = new ByteReader(options.transport, options.clock)
  }

  async connect(): Promise<void> {
    const { place, signal } = this.#options
    for (let sent = 1; sent <= CONNECT_TRIES; sent++) {
      this.#reader.clear()
      const name = await this.#exchange('S', [], NAME_BYTES, NAME_MS)
      if (name === undefined || !NAMES.includes(Buffer.from(name).toString('latin1'))) continue
      // It would be taken for that to the next command.
      if (sent > 1) await this.#reader.until(({ length }) => length >= NAME_BYTES * (sent - 1), LATE_MS, signal)
      this.#reader.clear()
      await this.#ask('P', [], 'the start of programming')
      return
    }
    throw silent(place)
  }

  /** It sends the last byte first. */
  async signature(): Promise<readonly [number, number, number]> {
    const [c = 0, b = 0, a = 0] = await this.#take('s', [], 3, 'the signature')
    return [a, b, c]
  }

  /** Rejects with `board-out-of-step` for one that does not take blocks. */
  async enter(): Promise<void> {
    const [says] = await this.#take('b', [], 3, 'the size of blocks')
    if (says !== 'Y'.charCodeAt(0)) throw outOfStep(this.#options.place, 'the size of blocks')
  }

  async writePage(address: number, data: Uint8Array): Promise<void> {
    const what = `page 0x${address.toString(16).padStart(4, '0')}`
    await this.#moveTo(address, what)
    await this.#ask('B', [...blockOf(data.length), ...data], what)
    this.#movedBy(data.length)
  }

  async readPage(address: number, length: number): Promise<Uint8Array> {
    const what = `reading 0x${address.toString(16).padStart(4, '0')}`
    await this.#moveTo(address, what)
    const held = await this.#take('g', blockOf(length), length, what)
    this.#movedBy(length)
    return held
  }

  /** It takes itself off the bus half a second later, and starts the firmware. */
  async leave(): Promise<void> {
    await this.#ask('L', [], 'the end of programming')
    await this.#ask('E', [], 'the end of programming')
  }

  async #moveTo(address: number, what: string): Promise<void> {
    const word = address >> 1
    if (this.#word === word) return
    await this.#ask('A', [word >> 8, word & 0xff], what)
    this.#word = word
  }

  #movedBy(bytes: number): void {
    this.#word = (this.#word ?? 0) + (bytes >> 1)
  }

  async #ask(letter: string, data: readonly number[], what: string): Promise<void> {
    const [answer] = await this.#take(letter, data, 1, what)
    if (answer !== DONE) throw outOfStep(this.#options.place, what)
  }

  async #take(letter: string, data: readonly number[], count: number, what: string): Promise<Uint8Array> {
    const answer = await this.#exchange(letter, data, count, ANSWER_MS)
    if (answer === undefined) throw unanswered(this.#options.place, what, ANSWER_MS)
    return answer
  }

  async #exchange(letter: string, data: readonly number[], count: number, ms: number): Promise<Uint8Array | undefined> {
    const { signal, transport } = this.#options
    signal.throwIfAborted()
    await transport.write(Uint8Array.of(letter.charCodeAt(0), ...data))
    return await this.#reader.take(count, ms, signal)
  }
}

const blockOf = (length: number): readonly number[] => [length >> 8, length & 0xff, 'F'.charCodeAt(0)]

function silent(place: string): LabError {
  return new LabError({
    code: 'board-silent',
    kind: 'instrument',
    retry: 'later',
    message: `no boot loader answers at ${place}; check that the board is of the kind that was named, and press its reset button twice within half a second, which starts the boot loader for 8 s`,
  })
}
