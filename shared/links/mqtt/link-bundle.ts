/**
 * Links that share one way which may lose messages and never reorders them: topics of a broker.
 *
 * INVARIANTS: a link of which a frame was lost ends at both ends, and so do all when the way breaks: nothing is delivered
 * after a gap; at most WINDOW_BYTES of a link's frames are on their way or wait at the other end, the rest waits at the
 * sender, which its `pendingBytes` says; a link that is held says nothing more to the other end until it is let go.
 */
import type { Clock } from '../../primitives/clock.ts'
import { LabError } from '../../primitives/lab-error.ts'
import { formatNamed } from '../../rpc/cbor-format.ts'
import { linkEnded } from '../../rpc/errors.ts'
import { type Format, type Frame, frameBytes } from '../../rpc/formats.ts'
import { HIGH_WATER_BYTES, type Link, type LinkListener } from '../../rpc/link.ts'
import { type BundleMessage, readMessage, writeMessage } from './bundle-messages.ts'

/** Of the two ends, the one that opens links and the one that takes them. */
export interface LinkBundleOptions {
  /** Hands a message to the way; what it can't take now is lost. */
  readonly send: (message: Uint8Array) => void
  /** Takes a link that the other end opened; without, none is. */
  readonly accept?: (link: BundledLink) => void
  readonly most?: number
  /** So much of a link goes out until the other end has said something on it, WINDOW_BYTES unless given. */
  readonly firstBytes?: number
  readonly clock: Clock
}

/** A link of which frames can be held back, where they are handed on to something slower. */
export interface BundledLink extends Link {
  /** Once it has ended, why, in the words of the end that ended it. */
  readonly why: string | undefined
  /** While it is held, what comes counts as not taken: the other end sends WINDOW_BYTES at most. */
  hold(isHeld: boolean): void
}

export const WINDOW_BYTES = 512 * 1024
/** What was taken is told in steps of this. */
const STEP_BYTES = WINDOW_BYTES / 4
const MOST_LINKS = 600
const CLOSE_MS = 1000
const COUNT = 2 ** 32

export class LinkBundle {
  readonly #options: LinkBundleOptions
  readonly #links = new Map<number, End>()
  #last = 0

  constructor(options: LinkBundleOptions) {
    this.#options = options
  }

  get size(): number {
    return this.#links.size
  }

  /** Opens a link; whether somebody takes it shows when it is used. Throws `link-busy`. */
  open(format: Format): BundledLink {
    if (this.#links.size >= (this.#options.most ?? MOST_LINKS)) {
      const message = `${this.#links.size} links are open already, and at most so many may be`
      throw new LabError({ code: 'link-busy', kind: 'link', retry: 'later', message })
    }
    do this.#last = (this.#last + 1) % COUNT
    while (this.#links.has(this.#last))
    this.#say({ kind: 'open', link: this.#last, format: format.name })
    return this.#add(this.#last, format)
  }

  /** Takes a message of the other end; what is none is dropped, and so ends the link that misses it. */
  take(bytes: Uint8Array): void {
    const message = readMessage(bytes)
    if (message === undefined) return
    const end = this.#links.get(message.link)
    if (message.kind === 'open') this.#opened(message.link, message.format)
    else if (end !== undefined) end.take(message)
    // It was ended here: the other end does not know yet, or missed it.
    else if (message.kind === 'frame') this.#say({ kind: 'close', link: message.link, why: 'there is no such link' })
  }

  /** The way has broken, or the other end has begun anew. */
  lost(why: string): void {
    for (const end of [...this.#links.values()]) end.end(why)
  }

  #opened(link: number, name: string): void {
    const { accept, most = MOST_LINKS } = this.#options
    const refuse = (why: string) => this.#say({ kind: 'close', link, why })
    const format = ['cbor', 'json'].includes(name) ? formatNamed(name) : undefined
    // The other end has begun anew, and this one was not told.
    this.#links.get(link)?.end('the other end began anew')
    if (accept === undefined || format === undefined) refuse('no links of that kind are taken here')
    else if (this.#links.size >= most) refuse('too many links are open')
    else accept(this.#add(link, format))
  }

  #add(link: number, format: Format): End {
    const end = new End({
      link,
      format,
      say: (message) => this.#say(message),
      forget: () => this.#links.delete(link),
      clock: this.#options.clock,
      firstBytes: this.#options.firstBytes ?? WINDOW_BYTES,
    })
    this.#links.set(link, end)
    return end
  }

  #say(message: BundleMessage): void {
    this.#options.send(writeMessage(message))
  }
}

interface EndOptions {
  readonly link: number
  readonly format: Format
  readonly say: (message: BundleMessage) => void
  readonly forget: () => void
  readonly clock: Clock
  readonly firstBytes: number
}

class End implements BundledLink {
  readonly kind = 'mqtt'
  readonly format: Format
  readonly #link: number
  readonly #say: (message: BundleMessage) => void
  readonly #forget: () => void
  readonly #clock: Clock
  readonly #firstBytes: number
  #isAnswered = false
  #listener: LinkListener | undefined
  #early: Frame[] | undefined = []
  #ended: string | undefined
  #sent = 0
  #received = 0
  /** Bytes of frames that were sent and not taken yet. */
  #open = 0
  readonly #waiting: { readonly frame: string | Uint8Array; readonly bytes: number }[] = []
  #waitingBytes = 0
  #wasHigh = false
  #taken = 0
  #told = 0
  #isHeld = false
  #theirs = 0
  #farewell: string | undefined
  #closing: Promise<void> | undefined
  #onEnd: (() => void) | undefined

  constructor({ link, format, say, forget, clock, firstBytes }: EndOptions) {
    this.#link = link
    this.format = format
    this.#say = say
    this.#forget = forget
    this.#clock = clock
    this.#firstBytes = firstBytes
  }

  get why(): string | undefined {
    return this.#ended
  }

  get pendingBytes(): number {
    return this.#waitingBytes
  }

  listen(listener: LinkListener): void {
    this.#listener = listener
    queueMicrotask(() => {
      const early = this.#early ?? []
      this.#early = undefined
      for (const frame of early) this.#deliver(frame)
      if (this.#ended !== undefined) listener.ended(linkEnded(this.#ended))
    })
  }

  send(frame: Frame): void {
    if (this.#ended !== undefined || this.#farewell !== undefined) return
    const bytes = frameBytes(frame)
    this.#waiting.push({ frame: frame as string | Uint8Array, bytes })
    this.#waitingBytes += bytes
    this.#flush()
    if (this.#waitingBytes > HIGH_WATER_BYTES) this.#wasHigh = true
  }

  async close(why = 'it was closed'): Promise<void> {
    if (this.#ended !== undefined) return
    this.#closing ??= new Promise((resolve) => {
      const cancel = this.#clock.after(CLOSE_MS, () => this.end(why))
      this.#onEnd = () => {
        cancel()
        resolve()
      }
      this.#farewell = why
      this.#flush()
    })
    await this.#closing
  }

  hold(isHeld: boolean): void {
    this.#isHeld = isHeld
    if (!isHeld) this.#tell()
  }

  take(message: Exclude<BundleMessage, { kind: 'open' }>): void {
    if (message.kind === 'close') this.end(message.why)
    else if (message.kind === 'taken') this.#theyTook(message.bytes)
    else this.#arrived(message.count, message.frame)
  }

  #arrived(count: number, frame: Frame): void {
    this.#received = (this.#received + 1) % COUNT
    if (count !== this.#received) {
      const why = 'a message was lost on the way'
      this.#say({ kind: 'close', link: this.#link, why })
      this.end(why)
      return
    }
    if (this.#early !== undefined) this.#early.push(frame)
    else this.#deliver(frame)
    if (this.#isAnswered || this.#ended !== undefined) return
    this.#isAnswered = true
    this.#goOn()
  }

  end(why: string): void {
    if (this.#ended !== undefined) return
    // A close that could not wait for the rest, too.
    if (this.#farewell !== undefined) this.#say({ kind: 'close', link: this.#link, why: this.#farewell })
    this.#ended = why
    this.#waiting.length = 0
    this.#waitingBytes = 0
    this.#forget()
    this.#onEnd?.()
    if (this.#early === undefined) queueMicrotask(() => this.#listener?.ended(linkEnded(why)))
  }

  #deliver(frame: Frame): void {
    this.#taken += frameBytes(frame)
    this.#listener?.frame(frame)
    this.#tell()
  }

  #tell(): void {
    if (this.#isHeld || this.#ended !== undefined || this.#taken - this.#told < STEP_BYTES) return
    this.#told = this.#taken
    this.#say({ kind: 'taken', link: this.#link, bytes: this.#taken % COUNT })
  }

  #theyTook(bytes: number): void {
    const more = (bytes - this.#theirs + COUNT) % COUNT
    // Never more than was sent, whatever they say.
    this.#theirs = bytes
    this.#open = Math.max(0, this.#open - more)
    this.#goOn()
  }

  #goOn(): void {
    this.#flush()
    if (!this.#wasHigh || this.#waitingBytes > HIGH_WATER_BYTES / 2) return
    this.#wasHigh = false
    this.#listener?.drained()
  }

  /** A single frame that is larger than the window goes by itself, once the other end has said something. */
  #mayGo(bytes: number): boolean {
    if (!this.#isAnswered && this.#firstBytes < WINDOW_BYTES) return this.#open + bytes <= this.#firstBytes
    return this.#open === 0 || this.#open + bytes <= WINDOW_BYTES
  }

  #flush(): void {
    while (this.#waiting.length > 0 && this.#mayGo(this.#waiting[0]?.bytes ?? 0)) {
      const next = this.#waiting.shift()
      if (next === undefined) return
      this.#waitingBytes -= next.bytes
      this.#open += next.bytes
      this.#sent = (this.#sent + 1) % COUNT
      this.#say({ kind: 'frame', link: this.#link, count: this.#sent, frame: next.frame })
    }
    if (this.#waiting.length === 0 && this.#farewell !== undefined) this.end(this.#farewell)
  }
}
