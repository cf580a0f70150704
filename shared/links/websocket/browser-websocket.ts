/** A link over the WebSocket of browsers, which says nothing when there is room again: it is asked while somebody waits. */
import type { Clock } from '../../primitives/clock.ts'
import { LabError } from '../../primitives/lab-error.ts'
import { linkEnded } from '../../rpc/errors.ts'
import type { Format, Frame } from '../../rpc/formats.ts'
import { HIGH_WATER_BYTES, type Link, type LinkListener } from '../../rpc/link.ts'
import { closeReason } from './close-reason.ts'
import { subprotocolOf } from './subprotocol-of.ts'

/** What is used of the class that browsers have. */
export interface BrowserSocket {
  binaryType: string
  readonly bufferedAmount: number
  readonly readyState: number
  send(data: string | Uint8Array<ArrayBuffer>): void
  close(code?: number, reason?: string): void
  addEventListener(type: 'open' | 'error', listener: () => void): void
  addEventListener(type: 'message', listener: (event: { readonly data: unknown }) => void): void
  addEventListener(type: 'close', listener: (event: { readonly code: number; readonly reason: string }) => void): void
}

export interface ConnectBrowserWebSocketOptions {
  readonly url: string
  readonly format: Format
  readonly clock: Clock
  readonly signal: AbortSignal
  readonly WebSocket: new (url: string, protocols: string[]) => BrowserSocket
}

const OPEN = 1
const CLOSED = 3
const NORMAL = 1000
const CLOSE_MS = 1000
const ASK_MS = 5

/** Rejects with `link-unreachable` (a browser does not say why), or the signal's reason. */
export function connectBrowserWebSocket(options: ConnectBrowserWebSocketOptions): Promise<Link> {
  const { url, format, clock, signal, WebSocket } = options
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason)
    const socket = new WebSocket(url, [subprotocolOf(format)])
    socket.binaryType = 'arraybuffer'
    const link = new BrowserLink(socket, format, clock)
    const abort = () => {
      socket.close(NORMAL)
      reject(signal.reason)
    }
    signal.addEventListener('abort', abort, { once: true })
    socket.addEventListener('open', () => {
      signal.removeEventListener('abort', abort)
      resolve(link)
    })
    socket.addEventListener('close', () => {
      signal.removeEventListener('abort', abort)
      const message = `nobody answers at ${url}`
      reject(new LabError({ code: 'link-unreachable', kind: 'link', retry: 'later', message }))
    })
  })
}

class BrowserLink implements Link {
  readonly kind = 'websocket'
  readonly format: Format
  readonly #socket: BrowserSocket
  readonly #clock: Clock
  #listener: LinkListener | undefined
  #early: Frame[] | undefined = []
  #why: string | undefined
  #closing: Promise<void> | undefined
  #ended = false
  #isAsking = false
  #onClosed: (() => void)[] = []

  constructor(socket: BrowserSocket, format: Format, clock: Clock) {
    this.#socket = socket
    this.format = format
    this.#clock = clock
    socket.addEventListener('error', () => {}) // a close follows, and says no less
    socket.addEventListener('message', ({ data }) => this.#take(data))
    socket.addEventListener('close', ({ code, reason }) => {
      this.#why ??= reason === '' ? `the other end closed it with code ${code}` : reason
      for (const done of this.#onClosed.splice(0)) done()
      this.#end()
    })
  }

  get pendingBytes(): number {
    return this.#socket.bufferedAmount
  }

  listen(listener: LinkListener): void {
    this.#listener = listener
    queueMicrotask(() => {
      const early = this.#early ?? []
      this.#early = undefined
      for (const frame of early) listener.frame(frame)
      if (this.#socket.readyState === CLOSED) this.#end()
    })
  }

  send(frame: Frame): void {
    if (this.#socket.readyState !== OPEN) return
    this.#socket.send(frame as string | Uint8Array<ArrayBuffer>)
    if (this.#socket.bufferedAmount > HIGH_WATER_BYTES) this.#ask()
  }

  async close(why = 'it was closed'): Promise<void> {
    if (this.#socket.readyState === CLOSED) return
    this.#why ??= why
    this.#closing ??= new Promise<void>((resolve) => {
      // A browser ends a connection that does not answer in a time of its own: nobody waits for that.
      const cancel = this.#clock.after(CLOSE_MS, () => {
        this.#end()
        resolve()
      })
      this.#onClosed.push(() => {
        cancel()
        resolve()
      })
      this.#socket.close(NORMAL, closeReason(why))
    })
    await this.#closing
  }

  #take(data: unknown): void {
    if (this.#ended) return
    const frame = data instanceof ArrayBuffer ? new Uint8Array(data) : (data as string)
    if (this.#early !== undefined) this.#early.push(frame)
    else this.#listener?.frame(frame)
  }

  #ask(): void {
    if (this.#isAsking) return
    this.#isAsking = true
    this.#clock.after(ASK_MS, () => {
      this.#isAsking = false
      if (this.#ended) return
      if (this.#socket.bufferedAmount > HIGH_WATER_BYTES / 2) this.#ask()
      else this.#listener?.drained()
    })
  }

  #end(): void {
    if (this.#ended || this.#listener === undefined) return
    this.#ended = true
    this.#listener.ended(linkEnded(this.#why ?? 'the connection broke'))
  }
}
