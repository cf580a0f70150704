/**
 * STK500v1 (Atmel AVR061) as Arduino's boot loaders speak it: one command at a time, each answered by INSYNC, data, OK.
 *
 * INVARIANTS: nothing but SYNC is sent before the boot loader has answered, and never twice without waiting for it: a
 * boot loader that is still blinking holds three bytes, and what it loses puts it out of step; it starts the old firmware
 * then. A command that fails is not repeated, since nobody knows how much of it was taken: the whole attempt is.
 */
import type { Clock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import type { Transport } from '../../transports/transport.ts'
import { ByteReader } from '../byte-reader.ts'
import { outOfStep, unanswered } from '../loader-errors.ts'
import type { PagedLoader } from '../paged.ts'

const IN_SYNC = 0x14
const OK = 0x10
const END = 0x20
const GET_SYNC = 0x30
const ENTER = 0x50
const LEAVE = 0x51
const LOAD_ADDRESS = 0x55
const PROGRAM_PAGE = 0x64
const READ_PAGE = 0x74
const READ_SIGNATURE = 0x75
const FLASH_MEMORY = 'F'.charCodeAt(0)

/** While reset is held, and until the boot loader listens. */
const RESET_MS = 50
const BOOT_MS = 50
/** A boot loader that blinks first takes 0.4 s, and gives up after a second without a word. */
const SYNC_MS = 600
const LATE_MS = 300
const SYNC_TRIES = 3
const ANSWER_MS = 1000
/** Answers to what was sent before reset, and noise of the line, have come by then. */
const QUIET_MS = 20

export interface Stk500Options {
  readonly transport: Transport
  readonly clock: Clock
  readonly signal: AbortSignal
  /** What messages call the port. */
  readonly place: string
}

export class Stk500 implements PagedLoader {
  readonly #options: Stk500Options
  readonly #reader: ByteReader

  constructor(options: Stk500Options) {
    this.#options = options
    this.#reader = new ByteReader(options.transport, options.clock)
  }

  /** Resets the board where the transport can, and waits for its boot loader; rejects with `board-silent`. */
  async connect(): Promise<void> {
    const { clock, signal, place } = this.#options
    await this.#reset()
    await clock.sleep(BOOT_MS, signal)
    this.#reader.clear()
    for (let sent = 1; sent <= SYNC_TRIES; sent++) {
      await this.#write([GET_SYNC, END])
      if (!(await this.#reader.until(endsInSync, SYNC_MS, signal))) continue
      // An answer that comes late would be taken for that of the next command.
      if (sent > 1) await this.#reader.until((bytes) => bytes.length >= 2 * sent, LATE_MS, signal)
      const { length } = this.#reader.waiting
      const more = await this.#reader.until((bytes) => bytes.length > length, QUIET_MS, signal)
      if (more && !endsInSync(this.#reader.waiting)) continue
      this.#reader.clear()
      return
    }
    throw silent(place)
  }

  /** Opening the port has reset the board already where its line does; there is nothing to reset where there are no lines. */
  async #reset(): Promise<void> {
    const { transport, clock, signal } = this.#options
    if (transport.setLines === undefined) return
    try {
      await transport.setLines({ dtr: false, rts: false })
      await clock.sleep(RESET_MS, signal)
      await transport.setLines({ dtr: true, rts: true })
    } catch (thrown) {
      if (!(thrown instanceof LabError) || thrown.code !== 'modem-lines-refused') throw thrown
    }
  }

  async signature(): Promise<readonly [number, number, number]> {
    const [a = 0, b = 0, c = 0] = await this.#ask([READ_SIGNATURE], 3, 'the signature')
    return [a, b, c]
  }

  async enter(): Promise<void> {
    await this.#ask([ENTER], 0, 'the start of programming')
  }

  /** Erases the page at the address and writes it. */
  async writePage(address: number, data: Uint8Array): Promise<void> {
    const what = `page 0x${address.toString(16).padStart(4, '0')}`
    // The address and its page go out together: a boot loader answers the first while the second is on the line.
    const load = [...loadAddress(address), END]
    const answer = await this.#exchange(
      [...load, PROGRAM_PAGE, data.length >> 8, data.length & 0xff, FLASH_MEMORY, ...data, END],
      4,
      what,
    )
    if (answer[0] !== IN_SYNC || answer[1] !== OK || answer[2] !== IN_SYNC || answer[3] !== OK)
      throw outOfStep(this.#options.place, what)
  }

  async readPage(address: number, length: number): Promise<Uint8Array> {
    const what = `reading 0x${address.toString(16).padStart(4, '0')}`
    await this.#ask(loadAddress(address), 0, what)
    return await this.#ask([READ_PAGE, length >> 8, length & 0xff, FLASH_MEMORY], length, what)
  }

  /** The firmware starts. */
  async leave(): Promise<void> {
    await this.#ask([LEAVE], 0, 'the end of programming')
  }

  async #ask(command: readonly number[], length: number, what: string): Promise<Uint8Array> {
    const answer = await this.#exchange([...command, END], length + 2, what)
    if (answer[0] !== IN_SYNC || answer.at(-1) !== OK) throw outOfStep(this.#options.place, what)
    return answer.subarray(1, -1)
  }

  async #write(bytes: readonly number[]): Promise<void> {
    try {
      await this.#options.transport.write(Uint8Array.from(bytes))
    } catch (cause) {
      if (cause instanceof LabError) throw cause
      throw lost(this.#options.place, cause)
    }
  }

  async #exchange(bytes: readonly number[], count: number, what: string): Promise<Uint8Array> {
    const { signal, place } = this.#options
    signal.throwIfAborted()
    await this.#write(bytes)
    const answer = await this.#reader.take(count, ANSWER_MS, signal)
    if (answer === undefined) throw unanswered(place, what, ANSWER_MS)
    return answer
  }
}

const endsInSync = (bytes: Uint8Array) => bytes.at(-2) === IN_SYNC && bytes.at(-1) === OK

function loadAddress(address: number): number[] {
  // In words of two bytes.
  return [LOAD_ADDRESS, (address >> 1) & 0xff, (address >> 9) & 0xff]
}

function lost(place: string, cause: unknown): LabError {
  const message = `the connection to ${place} was lost (${cause instanceof Error ? cause.message : String(cause)})`
  return new LabError({ code: 'transport-closed', kind: 'link', retry: 'later', message, cause })
}

function silent(place: string): LabError {
  return new LabError({
    code: 'board-silent',
    kind: 'instrument',
    retry: 'later',
    message: `no boot loader answers at ${place}; check that the board is of the kind that was named, that it is the one at this port, and press its reset button`,
  })
}
