/** CBOR (RFC 8949) for sync messages: plain maps and typed arrays (RFC 8746), readable by any language's library. */
import { Decoder, Encoder } from 'cbor-x'
import { LabError } from '../primitives/lab-error.ts'

// useRecords off: cbor-x's records are an extension that others can't read. int64AsNumber: seq and times are safe integers.
const settings = { useRecords: false, mapsAsObjects: true, tagUint8Array: false, int64AsNumber: true } as const
const encoder = new Encoder(settings)
const decoder = new Decoder(settings)

/** Encodes to bytes that own their memory. */
export function encode(value: unknown): Uint8Array {
  return encoder.encode(value)
}

/** Decodes one value; throws a link-kind LabError with code `message-unreadable`. */
export function decode(bytes: Uint8Array): unknown {
  try {
    return decoder.decode(bytes)
  } catch (cause) {
    throw new LabError({
      code: 'message-unreadable',
      kind: 'link',
      message: `a message of ${bytes.byteLength} bytes is not CBOR: ${cause instanceof Error ? cause.message : String(cause)}`,
      cause,
    })
  }
}
