/**
 * A link inside one process: messages go as copies, without bytes.
 *
 * INVARIANTS: an end hears of nothing within its own `send` or `close`; after LONGEST_TURN_MS of messages the machine gets time
 * for timers and sockets, so that two ends which answer each other at once do not keep it from them.
 */

import { linkEnded } from '../../rpc/errors.ts'
import { type Frame, objectsFormat } from '../../rpc/formats.ts'
import type { Link, LinkListener } from '../../rpc/link.ts'

const LONGEST_TURN_MS = 2
/** The time is looked at once in so many messages. */
const MESSAGES_BETWEEN_LOOKS = 64

/** Two ends of one link. */
export function localLinks(): [Link, Link] {
  const turns = new Turns()
  const ends: [End, End] = [new End(turns), new End(turns)]
  ends[0].other = ends[1]
  ends[1].other = ends[0]
  return ends
}

/** Its reactions cost a fraction of Node's `queueMicrotask`. */
const now = Promise.resolve()

class Turns {
  #left = MESSAGES_BETWEEN_LOOKS
  #began = 0

  next(work: () => void): void {
    if (this.#left-- > 0) return void now.then(work)
    this.#left = MESSAGES_BETWEEN_LOOKS
    if (performance.now() - this.#began < LONGEST_TURN_MS) return void now.then(work)
    setImmediate(() => {
      this.#began = performance.now()
      work()
    })
  }
}

class End implements Link {
  readonly kind = 'in-process'
  readonly format = objectsFormat
  readonly pendingBytes = 0
  other: End | undefined
  readonly #turns: Turns
  #listener: LinkListener | undefined
  #arrived: Frame[] = []
  #isDue = false
  #ended = false
  #farewell: string | undefined

  constructor(turns: Turns) {
    this.#turns = turns
  }

  send(frame: Frame): void {
    if (!this.#ended) this.other?.arrive(frame)
  }

  listen(listener: LinkListener): void {
    this.#listener = listener
    if (this.#arrived.length > 0 || this.#ended) this.#due()
  }

  async close(why = 'it was closed'): Promise<void> {
    this.bye(why)
    this.other?.bye(why)
  }

  arrive(frame: Frame): void {
    if (this.#ended) return
    this.#arrived.push(frame)
    this.#due()
  }

  bye(why: string): void {
    if (this.#ended) return
    this.#ended = true
    this.#farewell = why
    this.#due()
  }

  #due(): void {
    if (this.#isDue || this.#listener === undefined) return
    this.#isDue = true
    this.#turns.next(this.#deliver)
  }

  readonly #deliver = (): void => {
    this.#isDue = false
    const frames = this.#arrived
    this.#arrived = []
    for (const frame of frames) this.#listener?.frame(frame)
    if (this.#arrived.length > 0) return void this.#due()
    if (this.#farewell === undefined) return
    const why = this.#farewell
    this.#farewell = undefined
    this.#listener?.ended(linkEnded(why))
  }
}
