/**
 * What modbus-serial takes for a port, over a transport: RTU frames on a line (Modbus over Serial Line V1.02, 2.5.1), or
 * frames with an MBAP header on a socket (Modbus Messaging on TCP/IP V1.0b, 3.1.3). The library checks CRC, unit, function
 * and length of what a port emits as `data`.
 *
 * INVARIANTS: bytes that come before a request is sent are none of its answer; the buffer does not outgrow a frame.
 */
import { EventEmitter } from 'node:events'
import crc16 from 'modbus-serial/utils/crc16.js'
import type { Transport } from '../transports/transport.ts'

const EXCEPTION = 0x80
const EXCEPTION_BYTES = 5
const LONGEST_FRAME = 256
const MBAP_BYTES = 6
const CRC_BYTES = 2

/** A port that is open as long as its transport is. */
export abstract class BridgePort extends EventEmitter {
  isOpen = true
  readonly #transport: Transport
  readonly #onFailure: (error: unknown) => void

  /** `onFailure` is told of a write that failed. */
  constructor(transport: Transport, onFailure: (error: unknown) => void) {
    super()
    this.#transport = transport
    this.#onFailure = onFailure
    transport.onData((bytes) => this.receive(bytes))
  }

  open(callback: (error?: Error) => void): void {
    callback()
  }

  close(callback: () => void): void {
    this.isOpen = false
    callback()
  }

  abstract write(request: Buffer): void
  protected abstract receive(bytes: Uint8Array): void

  protected send(bytes: Uint8Array): void {
    this.#transport.write(bytes).catch(this.#onFailure)
  }
}

/** Frames without header: an answer is found by unit and function and cut by the length that the request foretells. */
export class RtuPort extends BridgePort {
  #buffer = Buffer.alloc(0)
  #expected: { readonly unit: number; readonly code: number; readonly bytes: number } | undefined

  write(request: Buffer): void {
    this.#buffer = Buffer.alloc(0)
    this.#expected = { unit: request[0] ?? 0, code: request[1] ?? 0, bytes: answerBytes(request) }
    this.send(request)
  }

  protected receive(bytes: Uint8Array): void {
    const expected = this.#expected
    if (expected === undefined) return
    this.#buffer = Buffer.concat([this.#buffer, bytes]).subarray(-LONGEST_FRAME)
    for (let at = 0; at + EXCEPTION_BYTES <= this.#buffer.length; at++) {
      if (this.#buffer[at] !== expected.unit) continue
      const code = this.#buffer[at + 1]
      if (code !== expected.code && code !== (expected.code | EXCEPTION)) continue
      const length = code === expected.code ? expected.bytes : EXCEPTION_BYTES
      if (at + length > this.#buffer.length) return
      this.#expected = undefined
      this.emit('data', this.#buffer.subarray(at, at + length))
      return
    }
  }
}

/** Length of the answer to a request that succeeds. */
function answerBytes(request: Buffer): number {
  const count = request.readUInt16BE(4)
  switch (request[1]) {
    case 1:
    case 2:
      return 3 + Math.ceil(count / 8) + CRC_BYTES
    case 3:
    case 4:
      return 3 + 2 * count + CRC_BYTES
    default:
      return 6 + CRC_BYTES
  }
}

/** Frames with a header that names the transaction, so that a late answer is known for one. */
export class MbapPort extends BridgePort {
  /** The library counts and reads them. */
  _transactionIdRead = 1
  _transactionIdWrite = 1
  #buffer = Buffer.alloc(0)

  write(request: Buffer): void {
    const frame = Buffer.alloc(MBAP_BYTES + request.length - CRC_BYTES)
    frame.writeUInt16BE(this._transactionIdWrite, 0)
    frame.writeUInt16BE(request.length - CRC_BYTES, 4)
    request.copy(frame, MBAP_BYTES, 0, request.length - CRC_BYTES)
    this._transactionIdWrite = (this._transactionIdWrite + 1) & 0xffff
    this.send(frame)
  }

  protected receive(bytes: Uint8Array): void {
    this.#buffer = Buffer.concat([this.#buffer, bytes])
    while (this.#buffer.length >= MBAP_BYTES) {
      const length = this.#buffer.readUInt16BE(4)
      if (length > LONGEST_FRAME) {
        // Not Modbus; nothing tells where the next frame begins.
        this.#buffer = Buffer.alloc(0)
        return
      }
      if (this.#buffer.length < MBAP_BYTES + length) return
      const frame = Buffer.concat([this.#buffer.subarray(MBAP_BYTES, MBAP_BYTES + length), Buffer.alloc(CRC_BYTES)])
      frame.writeUInt16LE(crc16(frame.subarray(0, -CRC_BYTES)), length)
      this._transactionIdRead = this.#buffer.readUInt16BE(0)
      this.#buffer = this.#buffer.subarray(MBAP_BYTES + length)
      this.emit('data', frame)
    }
  }
}
