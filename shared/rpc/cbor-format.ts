/** Frames of CBOR; apart, as its library tries what the policy of a page refuses. */
import { addExtension, Decoder, Encoder } from 'cbor-x'
import { LabError } from '../primitives/lab-error.ts'
import { scanCbor } from './cbor-scan.ts'
import { unreadable } from './errors.ts'
import { type Format, jsonFormat, requireSize } from './formats.ts'
import { arrayTags, type TypedArray } from './typed-arrays.ts'
import { readValue, writeValue } from './values.ts'

// useRecords off: cbor-x's records are an extension that others can't read. What is read has memory of its own.
const settings = {
  useRecords: false,
  mapsAsObjects: true,
  tagUint8Array: false,
  int64AsNumber: true,
  copyBuffers: true,
} as const
// The library copies each typed array twice. A byte string that has memory of its own is copied no more.
for (const [tag, kind] of arrayTags) {
  const decode = (bytes: Uint8Array) => {
    const isOwn = bytes.byteLength === bytes.buffer.byteLength
    return new kind((isOwn ? bytes : Uint8Array.prototype.slice.call(bytes)).buffer as ArrayBuffer)
  }
  // Without a class it is for reading alone, which its types do not know.
  addExtension({ tag, decode } as Parameters<typeof addExtension<TypedArray, Uint8Array>>[0])
}
const encoder = new Encoder(settings)
const decoder = new Decoder(settings)

export const cborFormat: Format = {
  name: 'cbor',
  write: (message, limits, keep) => {
    const bytes = encoder.encode(writeValue(message, { form: 'binary', limits, keep }).value)
    requireSize(bytes, limits)
    return bytes
  },
  read: (frame, limits, callback) => {
    if (!(frame instanceof Uint8Array)) throw unreadable('it is not bytes')
    requireSize(frame, limits)
    const special = scanCbor(frame, limits)
    let message: unknown
    try {
      // A Buffer of Node would give Buffers for byte strings.
      message = decoder.decode(
        frame.constructor === Uint8Array ? frame : new Uint8Array(frame.buffer, frame.byteOffset, frame.byteLength),
      )
    } catch (cause) {
      throw unreadable(`it is not CBOR: ${cause instanceof Error ? cause.message : 'it has no form'}`, cause)
    }
    return special ? readValue(message, { limits, callback }) : message
  },
}

/** The format of that name, as two ends agree on it when they connect. */
export function formatNamed(name: string): Format {
  if (name === 'cbor') return cborFormat
  if (name === 'json') return jsonFormat
  throw new LabError({
    code: 'format-unknown',
    kind: 'caller',
    message: `there is no format ${JSON.stringify(name)}: json or cbor`,
  })
}
