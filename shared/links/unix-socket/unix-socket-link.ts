/**
 * A link over a Unix socket, or any other stream of bytes between two programs of one machine. The end that connects says
 * first which format it speaks: `fernlab.rpc.1.cbor` and a line feed.
 *
 * INVARIANTS: what is not that line ends the connection, unanswered; a connection that says nothing is ended after
 * GREETING_MS.
 */
import type { Socket } from 'node:net'
import type { Clock } from '../../primitives/clock.ts'
import { formatNamed } from '../../rpc/cbor-format.ts'
import { linkEnded, thrownError } from '../../rpc/errors.ts'
import type { Format, Frame } from '../../rpc/formats.ts'
import { PIECE_BYTES } from '../../rpc/limits.ts'
import type { Link, LinkListener } from '../../rpc/link.ts'
import { TurnWriter } from '../turn-writer.ts'
import { LengthFrames, lengthFrame, lengthHeader } from './length-frames.ts'

/** Longer messages come in pieces; a character of JSON has up to 3 bytes. */
export const MOST_FRAME_BYTES = 3 * PIECE_BYTES + 64
export const GREETING_MS = 5000
const CLOSE_MS = 1000
const GREETING = /^fernlab\.rpc\.1\.(cbor|json)$/
const LONGEST_GREETING = 32

/** What the connecting end says first. */
export const greetingOf = (format: Format): string => `fernlab.rpc.1.${format.name}\n`

/** The link of a socket whose greeting has been sent, or read; `rest` came with it. */
export function socketLink(socket: Socket, format: Format, clock: Clock, rest?: Buffer): Link {
  return new SocketLink(socket, format, clock, rest)
}

/** Waits for the greeting; calls `ready` with the link, or ends the connection. */
export function greetedLink(socket: Socket, clock: Clock, ready: (link: Link) => void, withinMs = GREETING_MS): void {
  let greeting = Buffer.alloc(0)
  const forget = () => {
    cancel()
    socket.off('data', take)
    socket.off('error', refuse)
    socket.off('close', forget)
  }
  const refuse = () => {
    forget()
    // Whoever speaks something else is told nothing; what it still says of its end interests nobody.
    socket.on('error', () => {})
    socket.destroy()
  }
  const take = (chunk: Buffer) => {
    greeting = Buffer.concat([greeting, chunk])
    const end = greeting.indexOf(10)
    if (end < 0 && greeting.length <= LONGEST_GREETING) return
    const name = GREETING.exec(greeting.toString('latin1', 0, Math.max(0, end)))?.[1]
    if (name === undefined) return refuse()
    forget()
    socket.pause()
    ready(socketLink(socket, formatNamed(name), clock, greeting.subarray(end + 1)))
  }
  const cancel = clock.after(withinMs, refuse)
  socket.on('data', take)
  socket.on('error', refuse)
  socket.on('close', forget)
}

class SocketLink implements Link {
  readonly kind = 'unix-socket'
  readonly format: Format
  readonly #socket: Socket
  readonly #clock: Clock
  readonly #frames = new LengthFrames(MOST_FRAME_BYTES)
  readonly #rest: Buffer | undefined
  readonly #writer: TurnWriter
  #listener: LinkListener | undefined
  #why: string | undefined
  #closing: Promise<void> | undefined
  #ended = false

  constructor(socket: Socket, format: Format, clock: Clock, rest: Buffer | undefined) {
    this.#socket = socket
    this.format = format
    this.#clock = clock
    this.#rest = rest
    this.#writer = new TurnWriter(socket, () => this.#listener?.drained())
    socket.on('error', (error) => {
      this.#why ??= error.message
    })
    socket.on('close', () => this.#end())
    socket.on('end', () => {
      this.#why ??= 'the other end closed it'
      socket.end()
    })
  }

  get pendingBytes(): number {
    return this.#writer.pendingBytes
  }

  listen(listener: LinkListener): void {
    this.#listener = listener
    const take = (chunk: Buffer) => this.#take(chunk)
    queueMicrotask(() => {
      if (this.#rest !== undefined && this.#rest.length > 0) take(this.#rest)
      this.#socket.on('data', take)
      this.#socket.resume()
      if (this.#socket.destroyed) this.#end()
    })
  }

  send(frame: Frame): void {
    if (this.#isOpen()) this.#writer.write(lengthFrame(frame as string | Uint8Array))
  }

  sendParts(head: Uint8Array, body: Uint8Array): void {
    if (this.#isOpen()) this.#writer.writeParts(lengthHeader(head, body), body)
  }

  async close(why = 'it was closed'): Promise<void> {
    if (this.#ended) return
    this.#why ??= why
    this.#closing ??= new Promise<void>((resolve) => {
      const cancel = this.#clock.after(CLOSE_MS, () => this.#socket.destroy())
      this.#socket.once('close', () => {
        cancel()
        resolve()
      })
      this.#socket.resume()
      this.#socket.end(() => this.#socket.destroy())
    })
    await this.#closing
  }

  #isOpen(): boolean {
    return !this.#socket.destroyed && !this.#socket.writableEnded
  }

  #take(chunk: Buffer): void {
    if (this.#ended || this.#socket.destroyed) return
    this.#writer.heard()
    try {
      this.#frames.take(chunk, (bytes) => this.#listener?.frame(this.format.name === 'json' ? bytes.toString() : bytes))
    } catch (thrown) {
      this.#why ??= thrownError(thrown).message
      this.#socket.destroy()
    }
  }

  #end(): void {
    if (this.#ended || this.#listener === undefined) return
    this.#ended = true
    this.#listener.ended(linkEnded(this.#why ?? 'the connection broke'))
  }
}
