/**
 * The serial protocol of Espressif's boot loaders in ROM, and of the stub that flashing tools load into RAM (esptool's
 * documentation, "Serial Protocol"). What is loaded into RAM is not run: once the entry is called that lies in it, the
 * answers are those of Espressif's stub. Pure: messages in, messages out.
 */
import { createHash } from 'node:crypto'
import { constants, inflateSync } from 'node:zlib'
import type { EspChip } from './esp-chips.ts'
import type { EspFlash } from './esp-memory.ts'
import { EspRegisters } from './esp-registers.ts'

const OP = {
  flashBegin: 0x02,
  flashData: 0x03,
  flashEnd: 0x04,
  memBegin: 0x05,
  memEnd: 0x06,
  memData: 0x07,
  sync: 0x08,
  writeReg: 0x09,
  readReg: 0x0a,
  spiSetParams: 0x0b,
  spiAttach: 0x0d,
  changeBaud: 0x0f,
  deflateBegin: 0x10,
  deflateData: 0x11,
  deflateEnd: 0x12,
  flashMd5: 0x13,
  securityInfo: 0x14,
  eraseFlash: 0xd0,
  eraseRegion: 0xd1,
} as const

/** Second byte of a status whose first is 1. */
const ERROR = { invalid: 0x05, failed: 0x06, checksum: 0x07, flashWrite: 0x08, deflate: 0x0b } as const
const CHECKSUM_SEED = 0xef
/** What a ROM answers to SYNC beside its status; the stub answers 0. */
const ROM_SYNC = 0x20120707
const HEAD_BYTES = 16

export interface Answer {
  readonly messages: readonly Uint8Array[]
  /** Bytes of flash that were erased or written for it. */
  readonly worked: number
  /** The speed of the line from now on, in bits per second. */
  readonly baudRate?: number
  /** The chip starts what is in its flash. */
  readonly restarts?: boolean
}

interface Said {
  readonly value?: number
  readonly data?: Uint8Array
  readonly error?: number
  readonly worked?: number
  readonly baudRate?: number
  readonly restarts?: boolean
  /** The stub's greeting follows. */
  readonly stub?: boolean
}

const NOTHING: Answer = { messages: [], worked: 0 }
const DONE: Said = {}
const failed = (error: number): Said => ({ error })

export class EspLoader {
  readonly #chip: EspChip
  readonly #flash: EspFlash
  readonly #registers: EspRegisters
  #isStub = false
  #ram: { from: number; to: number }[] = []
  #loading = 0
  #writing = { address: 0, left: 0 }
  #packed: Uint8Array | undefined
  #unpacked = 0

  constructor(chip: EspChip, flash: EspFlash) {
    this.#chip = chip
    this.#flash = flash
    this.#registers = new EspRegisters(chip, flash)
  }

  /** Answers one message of a tool; what is no request is passed over. */
  answer(message: Uint8Array): Answer {
    const view = new DataView(message.buffer, message.byteOffset, message.byteLength)
    if (message.length < 8 || message[0] !== 0 || view.getUint16(2, true) !== message.length - 8) return NOTHING
    const op = message[1] ?? 0
    const said = this.#perform(op, message.subarray(8), view.getUint32(4, true))
    const once = this.#response(op, said)
    const messages = op === OP.sync && !this.#isStub ? Array<Uint8Array>(8).fill(once) : [once]
    if (said.stub === true) {
      this.#isStub = true
      messages.push(new TextEncoder().encode('OHAI'))
    }
    const { worked = 0, baudRate, restarts } = said
    return {
      messages,
      worked,
      ...(baudRate === undefined ? {} : { baudRate }),
      ...(restarts === undefined ? {} : { restarts }),
    }
  }

  #response(op: number, { value = 0, data = new Uint8Array(0), error }: Said): Uint8Array {
    const status = [error === undefined ? 0 : 1, error ?? 0]
    if (!this.#isStub) status.push(0, 0)
    const response = new Uint8Array(8 + data.length + status.length)
    const view = new DataView(response.buffer)
    response.set([1, op])
    view.setUint16(2, data.length + status.length, true)
    view.setUint32(4, value, true)
    response.set(data, 8)
    response.set(status, 8 + data.length)
    return response
  }

  #perform(op: number, data: Uint8Array, checksum: number): Said {
    const word = (index: number) => littleEndian(data, index * 4)
    switch (op) {
      case OP.sync:
        return { value: this.#isStub ? 0 : ROM_SYNC }
      case OP.readReg:
        return { value: this.#registers.read(word(0)) }
      case OP.writeReg:
        this.#registers.write(word(0), word(1), word(2))
        return DONE
      case OP.spiSetParams:
      case OP.spiAttach:
        return DONE
      case OP.changeBaud:
        return { baudRate: word(0) }
      case OP.securityInfo:
        return this.#securityInfo()
      case OP.memBegin:
      case OP.memData:
      case OP.memEnd:
        return this.#memory(op, data, checksum)
      case OP.flashMd5:
        return this.#md5(word(0), word(1))
      case OP.eraseFlash:
        return this.#isStub ? this.#erase(0, this.#flash.bytes.length) : failed(ERROR.invalid)
      case OP.eraseRegion:
        return this.#isStub ? this.#erase(word(0), word(1)) : failed(ERROR.invalid)
      default:
        return this.#flashing(op, data, checksum)
    }
  }

  #flashing(op: number, data: Uint8Array, checksum: number): Said {
    const word = (index: number) => littleEndian(data, index * 4)
    switch (op) {
      case OP.flashBegin:
      case OP.deflateBegin:
        this.#writing = { address: word(3), left: word(0) }
        this.#packed = op === OP.deflateBegin ? new Uint8Array(0) : undefined
        this.#unpacked = 0
        return word(0) === 0 ? DONE : this.#erase(word(3), word(0))
      case OP.flashData:
        return this.#block(data, checksum, (block) => this.#write(block))
      case OP.deflateData:
        return this.#block(data, checksum, (block) => this.#inflate(block))
      case OP.flashEnd:
      case OP.deflateEnd:
        return word(0) === 0 ? { restarts: true } : DONE
      default:
        return failed(ERROR.invalid)
    }
  }

  #securityInfo(): Said {
    if (!this.#chip.tellsSecurity) return failed(ERROR.invalid)
    const data = new Uint8Array(20)
    new DataView(data.buffer).setUint32(12, this.#chip.chipId, true)
    return { data }
  }

  #memory(op: number, data: Uint8Array, checksum: number): Said {
    if (op === OP.memBegin) {
      const from = littleEndian(data, 12)
      this.#loading = littleEndian(data, 0)
      this.#ram.push({ from, to: from + this.#loading })
      return DONE
    }
    if (op === OP.memData)
      return this.#block(data, checksum, (block) => {
        if (block.length > this.#loading) return failed(ERROR.failed)
        this.#loading -= block.length
        return DONE
      })
    const entry = littleEndian(data, 4)
    const isLoaded = this.#loading === 0 && this.#ram.some(({ from, to }) => entry >= from && entry < to)
    return isLoaded ? { stub: true } : failed(ERROR.failed)
  }

  #block(data: Uint8Array, checksum: number, take: (block: Uint8Array) => Said): Said {
    const block = data.subarray(HEAD_BYTES)
    if (littleEndian(data, 0) !== block.length) return failed(ERROR.invalid)
    if (block.reduce((sum, byte) => sum ^ byte, CHECKSUM_SEED) !== (checksum & 0xff)) return failed(ERROR.checksum)
    return take(block)
  }

  #erase(address: number, length: number): Said {
    return this.#flash.erase(address, length) ? { worked: length } : failed(ERROR.failed)
  }

  #write(block: Uint8Array): Said {
    // Tools fill the last block of a file up.
    const wanted = block.subarray(0, Math.max(0, this.#writing.left))
    if (!this.#flash.write(this.#writing.address, wanted)) return failed(ERROR.flashWrite)
    this.#writing.address += wanted.length
    this.#writing.left -= wanted.length
    return { worked: wanted.length }
  }

  #inflate(block: Uint8Array): Said {
    if (this.#packed === undefined) return failed(ERROR.deflate)
    const packed = Buffer.concat([this.#packed, block])
    let plain: Uint8Array
    try {
      plain = inflateSync(packed, { finishFlush: constants.Z_SYNC_FLUSH })
    } catch {
      return failed(ERROR.deflate)
    }
    this.#packed = packed
    const fresh = plain.subarray(this.#unpacked)
    this.#unpacked = plain.length
    return this.#write(fresh)
  }

  #md5(address: number, length: number): Said {
    if (address + length > this.#flash.bytes.length) return failed(ERROR.failed)
    const digest = createHash('md5').update(this.#flash.bytes.subarray(address, address + length))
    return { data: this.#isStub ? digest.digest() : new TextEncoder().encode(digest.digest('hex')) }
  }
}

function littleEndian(data: Uint8Array, at: number): number {
  let value = 0
  for (let i = 3; i >= 0; i--) value = value * 256 + (data[at + i] ?? 0)
  return value
}
