/**
 * An emulated instrument as a USB device of the class Test and Measurement, subclass USB488. Sources: USBTMC 1.0 and
 * USBTMC-USB488 1.0, which numbers of tables are of; USB 2.0 for the descriptors.
 */
import type { Wire, WireDevice } from '@fernlab/firmware-bridge/emulated/wire-device'
import type { ControlRequest, UsbDevice } from './usb-redirect.ts'

const bulkOut = 0x01
const bulkIn = 0x82
const maxPacket = 512
const headBytes = 12
const messageOut = 1
const requestIn = 2
const endOfMessage = 1
const newLine = 0x0a
/** Requests of the class (USBTMC table 15). */
const requests = { abortIn: 3, initiateClear: 5, checkClear: 6, capabilities: 7 } as const
const success = 1
const failed = 0x80
const notInProgress = 0x81

export interface UsbtmcOptions {
  readonly vendor: number
  readonly product: number
  readonly strings: { readonly maker: string; readonly model: string; readonly serial: string }
  readonly device: WireDevice
}

/** What the machine did to it. */
export interface UsbtmcSeen {
  /** Answers that were asked for though there was no question; an instrument calls that a query error (-420). */
  unasked: number
  clears: number
  /** Headers that are against the specification. */
  wrong: number
}

export class UsbtmcDevice implements UsbDevice {
  readonly vendor: number
  readonly product: number
  readonly interfaceClass = [0xfe, 3, 1] as const
  readonly endpoints = [
    { address: bulkOut, kind: 'bulk', maxPacket },
    { address: bulkIn, kind: 'bulk', maxPacket },
  ] as const
  readonly seen: UsbtmcSeen = { unasked: 0, clears: 0, wrong: 0 }
  /** The most bytes of an answer that it puts into one transfer. */
  pieceBytes = Number.POSITIVE_INFINITY
  /** It refuses a device clear, and keeps what it has to say until it is asked again. */
  isStubborn = false
  readonly #options: UsbtmcOptions
  #wire: Wire | undefined
  #answer: Buffer = Buffer.alloc(0)
  #questions = 0
  #requests: { readonly tag: number; readonly size: number }[] = []
  /** Of a message that goes on in the next packet. */
  #missing = 0
  #transfer: Buffer | undefined
  #readers: { readonly length: number; readonly answer: (bytes: Buffer) => void }[] = []
  #lastTag = 0

  constructor(options: UsbtmcOptions) {
    this.#options = options
    this.vendor = options.vendor
    this.product = options.product
  }

  control({ type, request, value, length }: ControlRequest): Buffer | undefined {
    if ((type & 0x60) === 0) return request === 6 ? this.#descriptor(value) : Buffer.alloc(type & 0x80 ? length : 0)
    switch (request) {
      case requests.capabilities: {
        const answer = Buffer.alloc(24)
        answer[0] = success
        answer.writeUInt16LE(0x0100, 2)
        answer.writeUInt16LE(0x0100, 12)
        // USB488 with SCPI, without trigger or remote control (USB488 table 8).
        answer[14] = 4
        answer[15] = 8
        return answer
      }
      case requests.initiateClear:
        if (this.isStubborn) return Buffer.of(failed)
        this.seen.clears += 1
        this.#forget()
        return Buffer.of(success)
      case requests.checkClear:
        return Buffer.of(success, 0)
      case requests.abortIn:
        return Buffer.of(notInProgress, 0)
      default:
        return undefined
    }
  }

  write(_endpoint: number, bytes: Buffer): void {
    if (this.#missing > 0) this.#take(bytes)
    else this.#begin(bytes)
  }

  #begin(bytes: Buffer): void {
    const [kind = 0, tag = 0, inverse = 0] = bytes
    if (bytes.length < headBytes || inverse !== (tag ^ 255) || tag === 0 || tag === this.#lastTag) {
      this.seen.wrong += 1
      return
    }
    this.#lastTag = tag
    const size = bytes.readUInt32LE(4)
    if (kind === messageOut) {
      if (((bytes[8] ?? 0) & endOfMessage) === 0 || bytes.length % 4 !== 0) this.seen.wrong += 1
      this.#missing = size
      this.#take(bytes.subarray(headBytes))
    } else if (kind === requestIn) {
      if (this.#questions === 0) this.seen.unasked += 1
      this.#requests.push({ tag, size })
      if (this.#requests.length > 1) this.isStubborn = false
      this.#deliver()
    } else this.seen.wrong += 1
  }

  read(_endpoint: number, length: number, answer: (bytes: Buffer) => void): () => void {
    const reader = { length, answer }
    this.#readers.push(reader)
    this.#deliver()
    return () => {
      this.#readers = this.#readers.filter((each) => each !== reader)
    }
  }

  reset(): void {
    this.#forget()
    this.#readers = []
    this.#lastTag = 0
  }

  #take(bytes: Buffer): void {
    const own = bytes.subarray(0, this.#missing)
    this.#missing -= own.length
    if (own.includes('?')) this.#questions += 1
    this.#wire ??= this.#options.device.connect({
      data: (answer) => {
        this.#answer = Buffer.concat([this.#answer, answer])
        this.#deliver()
      },
      hangUp: () => {
        this.#wire = undefined
      },
    })
    this.#wire.receive(own)
  }

  /** A device clear: nothing that was asked before is answered any more. */
  #forget(): void {
    this.#wire?.close()
    this.#wire = undefined
    this.#answer = Buffer.alloc(0)
    this.#questions = 0
    this.#requests = []
    this.#missing = 0
    this.#transfer = undefined
  }

  #deliver(): void {
    for (;;) {
      this.#transfer ??= this.#nextTransfer()
      const reader = this.#readers[0]
      if (this.#transfer === undefined || reader === undefined) return
      this.#readers.shift()
      const piece = this.#transfer.subarray(0, reader.length)
      // A transfer ends by a packet that is not full, be it an empty one.
      this.#transfer = piece.length < reader.length ? undefined : this.#transfer.subarray(piece.length)
      reader.answer(Buffer.from(piece))
    }
  }

  /** What the pending request gets; nothing before there is a part of an answer. */
  #nextTransfer(): Buffer | undefined {
    const request = this.#requests[0]
    if (request === undefined || this.#answer.length === 0 || this.isStubborn) return undefined
    // What comes after a line's end is the answer to another question.
    const end = this.#questions > 1 ? this.#answer.indexOf(newLine) + 1 || this.#answer.length : this.#answer.length
    const own = this.#answer.subarray(0, Math.min(request.size, this.pieceBytes, end))
    this.#answer = this.#answer.subarray(own.length)
    this.#requests.shift()
    const ends = (this.#answer.length === 0 || this.#questions > 1) && own.at(-1) === newLine
    if (ends) this.#questions -= 1
    const head = Buffer.alloc(headBytes)
    head[0] = requestIn
    head[1] = request.tag
    head[2] = request.tag ^ 255
    head.writeUInt32LE(own.length, 4)
    head[8] = ends ? endOfMessage : 0
    return Buffer.concat([head, own, Buffer.alloc(-own.length & 3)])
  }

  #descriptor(value: number): Buffer | undefined {
    const index = value & 255
    switch (value >> 8) {
      case 1: {
        const numbers = [this.vendor, this.product, 0x0100].flatMap((word) => [word & 255, word >> 8])
        return Buffer.of(18, 1, 0, 2, 0, 0, 0, 64, ...numbers, 1, 2, 3, 1)
      }
      case 2: {
        const endpoints = this.endpoints.flatMap(({ address }) => [
          7,
          5,
          address,
          2,
          maxPacket & 255,
          maxPacket >> 8,
          0,
        ])
        const whole = [9, 4, 0, 0, this.endpoints.length, ...this.interfaceClass, 0, ...endpoints]
        return Buffer.of(9, 2, 9 + whole.length, 0, 1, 1, 0, 0xc0, 0, ...whole)
      }
      case 3: {
        if (index === 0) return Buffer.of(4, 3, 9, 4)
        const { maker, model, serial } = this.#options.strings
        const text = Buffer.from([maker, model, serial][index - 1] ?? '', 'utf16le')
        return Buffer.concat([Buffer.of(2 + text.length, 3), text])
      }
      default:
        return undefined
    }
  }
}
