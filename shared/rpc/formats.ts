/** How a message becomes a frame of a link: JSON text, CBOR bytes (cbor-format.ts), or, inside one process, a copy. */
import { tooLarge, unreadable } from './errors.ts'
import { scanJson } from './json-scan.ts'
import type { RpcLimits } from './limits.ts'
import { type Callback, readValue, writeValue } from './values.ts'

/** Text of JSON, bytes of CBOR, or a message itself. */
export type Frame = string | Uint8Array | object

/** A part of a frame. */
export type Written = string | Uint8Array

/** The result of a batch, the results of its calls written already by {@link Format.members}; at least one of them. */
export class WrittenAnswer {
  readonly parts: readonly Written[]
  /** How many results the parts hold. */
  readonly length: number
  readonly errors: readonly unknown[]

  constructor(parts: readonly Written[], length: number, errors: readonly unknown[]) {
    this.parts = parts
    this.length = length
    this.errors = errors
  }
}

export interface Format {
  readonly name: 'json' | 'cbor' | 'objects'
  /** Throws `value-unwritable` or `message-too-large`. */
  write(message: object, limits: RpcLimits, keep?: (callback: Callback) => number): Frame
  /** Values as they stand in a list of a message that is written; not where a message is a copy. Throws as `write` does. */
  readonly members?: (values: readonly unknown[], limits: RpcLimits) => Written
  /** Throws `rpc-unreadable` or `message-too-large`, and nothing else. */
  read(frame: Frame, limits: RpcLimits, callback?: (id: number) => Callback): unknown
}

/** Bytes of a frame; of texts at least so many. */
export function frameBytes(frame: Frame): number {
  return typeof frame === 'string' ? frame.length : frame instanceof Uint8Array ? frame.byteLength : 0
}

/** Throws `message-too-large`. */
export function requireSize(frame: Frame, { messageBytes }: RpcLimits): void {
  const bytes = frameBytes(frame)
  if (bytes > messageBytes)
    throw tooLarge(`the message has ${bytes} bytes, and at most ${messageBytes} go in one`, messageBytes)
}

export const jsonFormat: Format = {
  name: 'json',
  write: (message, limits, keep) => {
    const plain = (value: unknown) => JSON.stringify(writeValue(value, { form: 'text', limits, keep }).value)
    const { id, result } = message as { readonly id?: unknown; readonly result?: unknown }
    const text =
      result instanceof WrittenAnswer
        ? `{"jsonrpc":"2.0","id":${plain(id)},"result":{"results":[${result.parts.join(',')}],"errors":${plain(result.errors)}}}`
        : `{"jsonrpc":"2.0",${plain(message).slice(1)}`
    requireSize(text, limits)
    return text
  },
  members: (values, limits) => JSON.stringify(writeValue(values, { form: 'text', limits }).value).slice(1, -1),
  read: (frame, limits, callback) => {
    if (typeof frame !== 'string') throw unreadable('it is not text')
    requireSize(frame, limits)
    scanJson(frame, limits)
    let message: unknown
    try {
      message = JSON.parse(frame)
    } catch (cause) {
      throw unreadable('it is not JSON', cause)
    }
    return readValue(message, { limits, callback })
  },
}

/** A copy in which something stands for a function, or a name was escaped. */
class SpecialCopy {
  readonly message: object

  constructor(message: object) {
    this.message = message
  }
}

/** Inside one process: nothing that was sent is shared. */
export const objectsFormat: Format = {
  name: 'objects',
  write: (message, limits, keep) => {
    const { value, special } = writeValue(message, { form: 'copy', limits, keep })
    return special ? new SpecialCopy(value as object) : (value as object)
  },
  read: (frame, limits, callback) => {
    if (frame instanceof SpecialCopy) return readValue(frame.message, { limits, callback })
    if (typeof frame !== 'object' || frame instanceof Uint8Array) throw unreadable('it is no message')
    return frame
  },
}
