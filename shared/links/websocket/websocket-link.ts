/**
 * A link over a WebSocket of Node, at either end: JSON in text messages, CBOR in binary ones.
 *
 * INVARIANTS: frames go past the library to the socket at once, so that they stand between those of the library, which
 * answers pings and closes.
 */
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { WebSocket } from 'ws'
import type { Clock } from '../../primitives/clock.ts'
import { LabError } from '../../primitives/lab-error.ts'
import { isRecord, linkEnded } from '../../rpc/errors.ts'
import type { Format, Frame } from '../../rpc/formats.ts'
import { defaultLimits, PIECE_BYTES } from '../../rpc/limits.ts'
import type { Link, LinkListener } from '../../rpc/link.ts'
import { TurnWriter } from '../turn-writer.ts'
import { whyUnreachable } from '../why-unreachable.ts'
import { closeReason } from './close-reason.ts'
import { maskedFrame, plainFrame, plainHeader } from './message-frame.ts'
import { subprotocolOf } from './subprotocol-of.ts'
import { formatOfSubprotocol } from './subprotocols.ts'

const CLOSE_MS = 1000
/** RFC 6455, section 7.4.1: done with. */
const NORMAL = 1000
const UNSUPPORTED = 1003
/** Of the body of an answer that opens no WebSocket, and of what is told of it. */
const MOST_REFUSAL_BYTES = 16 * 1024
const MOST_REFUSAL_CHARS = 500

/**
 * How a server takes WebSockets: nothing is compressed, which would cost memory for each, and nothing is longer than a
 * piece with its number: a character of text has up to 3 bytes for each of its units.
 */
export const webSocketSettings = {
  perMessageDeflate: false,
  maxPayload: 3 * PIECE_BYTES + 64,
  skipUTF8Validation: false,
} as const

export interface ConnectWebSocketOptions {
  readonly url: string
  readonly format: Format
  readonly clock: Clock
  readonly signal: AbortSignal
  /** PEM of an authority to trust besides the system's. */
  readonly ca?: string
  /** Sent when it is opened, as `authorization`. */
  readonly headers?: Readonly<Record<string, string>>
}

/** Rejects with `link-unreachable`, or the signal's reason. */
export function connectWebSocket({
  url,
  format,
  clock,
  signal,
  ca,
  headers = {},
}: ConnectWebSocketOptions): Promise<Link> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason)
    const socket = new WebSocket(url, [subprotocolOf(format)], {
      ...webSocketSettings,
      maxPayload: defaultLimits.messageBytes,
      ...(ca === undefined ? {} : { ca }),
      headers: { ...headers },
    })
    let wire: Duplex | undefined
    socket.once('upgrade', (response) => {
      wire = response.socket
    })
    const forget = () => {
      signal.removeEventListener('abort', abort)
      socket.off('open', ready)
      socket.off('error', fail)
    }
    const abort = () => {
      forget()
      socket.on('error', () => {}) // of a connection that nobody wants
      socket.terminate()
      reject(signal.reason)
    }
    const fail = (cause: Error) => {
      forget()
      const message = whyUnreachable(url, cause)
      reject(new LabError({ code: 'link-unreachable', kind: 'link', retry: 'later', message, cause }))
    }
    const ready = () => {
      forget()
      resolve(new WebSocketLink({ socket, wire: wire as Duplex, masks: true, format, clock }))
    }
    signal.addEventListener('abort', abort, { once: true })
    socket.once('open', ready)
    socket.once('error', fail)
    socket.once('unexpected-response', (_request, response) => {
      void wordsOf(response, clock).then((words) => {
        if (signal.aborted) return
        fail(new Error(words))
        socket.on('error', () => {}) // of a connection that nobody wants
        socket.terminate()
      })
    })
  })
}

/** What a server says that opens no WebSocket: the detail of its problem+json, as a hub has one, else its status. */
async function wordsOf(response: IncomingMessage, clock: Clock): Promise<string> {
  const status = `Unexpected server response: ${response.statusCode}`
  const pieces: Buffer[] = []
  let bytes = 0
  const cancel = clock.after(CLOSE_MS, () => response.destroy())
  try {
    for await (const piece of response as AsyncIterable<Buffer>) {
      bytes += piece.length
      if (bytes > MOST_REFUSAL_BYTES) return status
      pieces.push(piece)
    }
    const said: unknown = JSON.parse(Buffer.concat(pieces).toString())
    return isRecord(said) && typeof said.detail === 'string' ? said.detail.slice(0, MOST_REFUSAL_CHARS) : status
  } catch {
    // Cut off, too long on its way, or no JSON: then the status is all that it says.
    return status
  } finally {
    cancel()
  }
}

/**
 * The link of a WebSocket that a server has taken, and of the connection that carries it; undefined, and it is closed, when
 * the ends agreed on no format.
 */
export function acceptedWebSocket(socket: WebSocket, wire: Duplex, clock: Clock): Link | undefined {
  const format = formatOfSubprotocol(socket.protocol)
  if (format !== undefined) return new WebSocketLink({ socket, wire, masks: false, format, clock })
  socket.on('error', () => {}) // of a connection that nobody wants
  socket.close(UNSUPPORTED, 'offer fernlab.rpc.1.cbor or .json')
  return undefined
}

interface WebSocketLinkOptions {
  readonly socket: WebSocket
  readonly wire: Duplex
  /** As clients do. */
  readonly masks: boolean
  readonly format: Format
  readonly clock: Clock
}

class WebSocketLink implements Link {
  readonly kind = 'websocket'
  readonly format: Format
  readonly #socket: WebSocket
  readonly #wire: Duplex
  readonly #masks: boolean
  readonly #clock: Clock
  readonly #writer: TurnWriter
  #listener: LinkListener | undefined
  #why: string | undefined
  #closing: Promise<void> | undefined
  #ended = false

  constructor({ socket, wire, masks, format, clock }: WebSocketLinkOptions) {
    this.#socket = socket
    this.#wire = wire
    this.#masks = masks
    this.format = format
    this.#clock = clock
    this.#writer = new TurnWriter(wire, () => this.#listener?.drained())
    socket.on('error', (error) => {
      this.#why ??= error.message
    })
    socket.on('close', (code, reason) => {
      this.#why ??= reason.length > 0 ? reason.toString() : `the other end closed it with code ${code}`
      this.#end()
    })
    socket.pause()
  }

  get pendingBytes(): number {
    return this.#writer.pendingBytes
  }

  listen(listener: LinkListener): void {
    this.#listener = listener
    this.#socket.on('message', (data: Buffer, isBinary) => {
      this.#writer.heard()
      listener.frame(isBinary ? data : data.toString())
    })
    queueMicrotask(() => {
      if (this.#socket.readyState === WebSocket.CLOSED) this.#end()
      else this.#socket.resume()
    })
  }

  send(frame: Frame): void {
    if (!this.#isOpen()) return
    const data = frame as string | Uint8Array
    this.#writer.write(this.#masks ? maskedFrame(data) : plainFrame(data))
  }

  sendParts(head: Uint8Array, body: Uint8Array): void {
    if (!this.#isOpen()) return
    if (this.#masks) this.#writer.write(maskedFrame(body, head))
    else this.#writer.writeParts(plainHeader(head, body), body)
  }

  async close(why = 'it was closed'): Promise<void> {
    if (this.#socket.readyState === WebSocket.CLOSED) return
    this.#why ??= why
    this.#closing ??= new Promise<void>((resolve) => {
      const cancel = this.#clock.after(CLOSE_MS, () => this.#socket.terminate())
      this.#socket.once('close', () => {
        cancel()
        resolve()
      })
      this.#socket.resume()
      this.#socket.close(NORMAL, closeReason(why))
    })
    await this.#closing
  }

  #isOpen(): boolean {
    return this.#socket.readyState === WebSocket.OPEN && !this.#wire.destroyed
  }

  #end(): void {
    if (this.#ended || this.#listener === undefined) return
    this.#ended = true
    this.#listener.ended(linkEnded(this.#why ?? 'the connection broke'))
  }
}
