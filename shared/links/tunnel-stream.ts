/**
 * Raw bytes over a WebSocket of their own, as a stream.
 *
 * INVARIANTS: whoever reads slowly stops the other end's writer: what waits in this process stays within a few messages;
 * each direction ends by itself, after everything written before; a connection that breaks before both have ended is an
 * error of the stream, never an end.
 */
import { Duplex } from 'node:stream'
import type { WebSocket } from 'ws'
import { LabError } from '../primitives/lab-error.ts'

/** Both ends refuse longer messages (`maxPayload`). */
export const MOST_TUNNEL_MESSAGE_BYTES = 64 * 1024

/** A message without bytes: no more come from whoever sent it. */
const END = Buffer.alloc(0)

/** One end of a tunnel. */
export class TunnelStream extends Duplex {
  #socket: WebSocket | undefined
  #bytes = 0
  #heardEnd = false

  /** Without a WebSocket, whoever extends this waits for one before it is constructed. */
  constructor(socket?: WebSocket) {
    super({ allowHalfOpen: true, readableHighWaterMark: MOST_TUNNEL_MESSAGE_BYTES })
    if (socket !== undefined) this.attach(socket)
  }

  /** Takes a WebSocket that is open and has not been listened to. */
  protected attach(socket: WebSocket): void {
    this.#socket = socket
    socket.on('message', (message: Buffer) => {
      if (this.destroyed) return
      this.#bytes += message.length
      if (message.length === 0) {
        this.#heardEnd = true
        this.push(null)
      } else if (!this.push(message)) socket.pause()
    })
    socket.on('error', (error) => this.destroy(broken(error.message, error)))
    socket.on('close', (code) => {
      // Once both have ended, what has arrived is still there for whoever reads slowly.
      const whole = this.#heardEnd && this.writableFinished
      if (!whole && !this.destroyed) this.destroy(broken(`it was closed with code ${code}`))
    })
  }

  /** How many have gone both ways. */
  get bytes(): number {
    return this.#bytes
  }

  override _read(): void {
    if (this.#socket?.isPaused) this.#socket.resume()
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#bytes += chunk.length
    const send = (from: number) => {
      const to = from + MOST_TUNNEL_MESSAGE_BYTES
      this.#socket?.send(chunk.subarray(from, to), { binary: true }, (error) => {
        if (error != null) done(broken(error.message, error))
        else if (to < chunk.length) send(to)
        else done()
      })
    }
    // A message without bytes would be taken for the end.
    if (chunk.length === 0) done()
    else send(0)
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#socket?.send(END, { binary: true }, (error) => done(error == null ? null : broken(error.message, error)))
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    // A paused one would not hear the other end's farewell.
    if (this.#socket?.isPaused) this.#socket.resume()
    if (error === null && this.readableEnded && this.writableFinished) this.#socket?.close()
    else this.#socket?.terminate()
    done(error)
  }
}

function broken(why: string, cause?: unknown): LabError {
  return new LabError({
    code: 'tunnel-broken',
    kind: 'link',
    retry: 'later',
    message: `the connection between hub and node broke: ${why}`,
    ...(cause === undefined ? {} : { cause }),
  })
}
