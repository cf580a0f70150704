/** Frames of CBOR; apart, as its library tries what the policy of a page refuses. */
import { addExtension, Decoder, Encoder } from 'cbor-x'
import { joinedBytes } from '../primitives/joined-bytes.ts'
import { LabError } from '../primitives/lab-error.ts'
import { scanCbor } from './cbor-scan.ts'
import { unreadable } from './errors.ts'
import { type Format, jsonFormat, requireSize, WrittenAnswer } from './formats.ts'
import type { RpcLimits } from './limits.ts'
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
    const { id, result } = message as { readonly id?: unknown; readonly result?: unknown }
    const bytes =
      result instanceof WrittenAnswer
        ? answerBytes(id, result, limits)
        : encoder.encode(writeValue(message, { form: 'binary', limits, keep }).value)
    requireSize(bytes, limits)
    return bytes
  },
  members: (values, limits) => {
    const list = encoder.encode(writeValue(values, { form: 'binary', limits }).value)
    return list.subarray(listHead(values.length).length)
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

const MAP_OF_2 = 0xa2
const LIST = 0x80

/** What stands before so many members of a list: RFC 8949, section 3. */
function listHead(length: number): Uint8Array {
  if (length < 24) return Uint8Array.of(LIST | length)
  if (length < 0x100) return Uint8Array.of(LIST | 24, length)
  if (length < 0x10000) return Uint8Array.of(LIST | 25, length >> 8, length & 0xff)
  return Uint8Array.of(LIST | 26, length >>> 24, (length >> 16) & 0xff, (length >> 8) & 0xff, length & 0xff)
}

/** `{id, result: {results, errors}}` */
function answerBytes(id: unknown, { parts, length, errors }: WrittenAnswer, limits: RpcLimits): Uint8Array {
  const plain = (value: unknown) => encoder.encode(writeValue(value, { form: 'binary', limits }).value)
  const map = Uint8Array.of(MAP_OF_2)
  const before = [map, plain('id'), plain(id), plain('result'), map, plain('results'), listHead(length)]
  return joinedBytes([...before, ...(parts as readonly Uint8Array[]), plain('errors'), plain(errors)])
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
