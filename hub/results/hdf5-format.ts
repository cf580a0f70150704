/**
 * The head of an HDF5 file whose datasets lie one after the other behind it, so that the file can be sent while it is
 * made: everything that points into the data is known once the number of rows is.
 *
 * After the HDF5 File Format Specification, version 3.0: superblock 2 (II.B), object headers 2 (IV.A.1.b) with checksums,
 * links in the header of the root group (IV.A.2.g), contiguous layout (IV.A.2.i), text of attributes in a global heap
 * (III.E). Read by HDF5 1.8 (2008) and later.
 */

export type Hdf5Type = 'float64' | 'int8' | 'text64'

export interface Hdf5Dataset {
  readonly name: string
  readonly type: Hdf5Type
  readonly attributes: Readonly<Record<string, string>>
}

/** Bytes of one value. */
export const hdf5Size: Readonly<Record<Hdf5Type, number>> = { float64: 8, int8: 1, text64: 64 }

const undefinedAddress = 0xffff_ffff_ffff_ffffn
const superblockBytes = 48
/** Readers look at so much of a heap at once (H5HG_MINSIZE). */
const leastHeapBytes = 4096

const u8 = (...values: number[]) => Uint8Array.from(values)
const u16 = (value: number) => u8(value & 255, value >> 8)
const u32 = (value: number) => new Uint8Array(Uint32Array.of(value).buffer)
const u64 = (value: number | bigint) => new Uint8Array(BigUint64Array.of(BigInt(value)).buffer)
const utf8 = (text: string) => new TextEncoder().encode(text)
const concat = (...parts: readonly Uint8Array[]) => new Uint8Array(Buffer.concat(parts))
const padded = (bytes: Uint8Array, to: number) => concat(bytes, new Uint8Array(to - bytes.byteLength))
const roundUp = (bytes: number) => Math.ceil(bytes / 8) * 8

/** What stands before the data: datasets of so many rows, in this order, each from a multiple of 8 on. */
export function hdf5Head(
  datasets: readonly Hdf5Dataset[],
  rows: number,
  attributes: Readonly<Record<string, string>>,
): Uint8Array {
  const heap = createHeap()
  // Sizes do not depend on addresses: laid out once to know them, and once more with them.
  const layOut = (heapAt: number, headersAt: readonly number[], dataAt: readonly number[]) => {
    const root = objectHeader([
      message(0x02, u8(0, 0), u64(undefinedAddress), u64(undefinedAddress)),
      message(0x0a, u8(0, 0)),
      ...Object.entries(attributes).map(([name, value]) => attribute(name, value, heap, heapAt)),
      ...datasets.map(({ name }, i) => link(name, headersAt[i] ?? 0)),
    ])
    const headers = datasets.map((dataset, i) =>
      objectHeader([
        message(0x01, u8(2, 1, 0, 1), u64(rows)),
        message(0x03, datatype[dataset.type]),
        message(0x05, u8(3, 0x0a)),
        message(
          0x08,
          u8(3, 1),
          u64(rows === 0 ? undefinedAddress : (dataAt[i] ?? 0)),
          u64(rows * hdf5Size[dataset.type]),
        ),
        ...Object.entries(dataset.attributes).map(([name, value]) => attribute(name, value, heap, heapAt)),
      ]),
    )
    return [root, ...headers].map((header) => padded(header, roundUp(header.byteLength)))
  }
  const sizes = layOut(0, [], []).map(({ byteLength }) => byteLength)
  let end = superblockBytes
  const take = (size: number) => {
    end += size
    return end - size
  }
  const [, ...headersAt] = sizes.map(take)
  const heapBytes = heap.bytes()
  const heapAt = take(heapBytes.byteLength)
  const dataAt = datasets.map(({ type }) => take(hdf5Stride(type, rows)))
  return concat(superblock(end), ...layOut(heapAt, headersAt, dataAt), heapBytes)
}

/** Bytes from the beginning of a dataset's values to the beginning of the next one's. */
export const hdf5Stride = (type: Hdf5Type, rows: number): number => roundUp(rows * hdf5Size[type])

function superblock(endOfFile: number): Uint8Array {
  const signature = u8(0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a)
  const fields = [u8(2, 8, 8, 0), u64(0), u64(undefinedAddress), u64(endOfFile), u64(superblockBytes)]
  return summed(concat(signature, ...fields))
}

function objectHeader(messages: readonly Uint8Array[]): Uint8Array {
  const body = concat(...messages)
  return summed(concat(utf8('OHDR'), u8(2, 0x02), u32(body.byteLength), body))
}

function message(type: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const body = concat(...parts)
  return concat(u8(type), u16(body.byteLength), u8(0), body)
}

/** A hard link, its name in UTF-8. */
function link(name: string, headerAt: number): Uint8Array {
  const bytes = utf8(name)
  return message(0x06, u8(1, 0x11, 1), u16(bytes.byteLength), bytes, u64(headerAt))
}

const byte = concat(u8(0x10, 0, 0, 0), u32(1), u16(0), u16(8))
const datatype: Readonly<Record<Hdf5Type, Uint8Array>> = {
  // IEEE 754, little-endian: sign at 63, 11 bits of exponent from 52 on with a bias of 1023, 52 of mantissa.
  float64: concat(u8(0x11, 0x20, 63, 0), u32(8), u16(0), u16(64), u8(52, 11, 0, 52), u32(1023)),
  int8: concat(u8(0x10, 0x08, 0, 0), u32(1), u16(0), u16(8)),
  // UTF-8, filled up with zeros.
  text64: concat(u8(0x13, 0x11, 0, 0), u32(64)),
}
/** UTF-8 of any length. */
const textType = concat(u8(0x19, 0x01, 0x01, 0), u32(16), byte)

function attribute(name: string, value: string, heap: Heap, heapAt: number): Uint8Array {
  const nameBytes = concat(utf8(name), u8(0))
  const space = u8(2, 0, 0, 0)
  const { index, length } = heap.put(value)
  const place = length === 0 ? concat(u64(0), u32(0)) : concat(u64(heapAt), u32(index))
  const sizes = [nameBytes, textType, space].map(({ byteLength }) => u16(byteLength))
  return message(0x0c, u8(3, 0), ...sizes, u8(1), nameBytes, textType, space, u32(length), place)
}

interface Heap {
  /** The same text is kept once. */
  put(text: string): { readonly index: number; readonly length: number }
  bytes(): Uint8Array
}

function createHeap(): Heap {
  const known = new Map<string, { index: number; length: number }>()
  const objects: Uint8Array[] = []
  return {
    put: (text) => {
      const before = known.get(text)
      if (before !== undefined) return before
      const bytes = utf8(text)
      const place = { index: bytes.byteLength === 0 ? 0 : objects.length + 1, length: bytes.byteLength }
      known.set(text, place)
      if (bytes.byteLength > 0) {
        const head = concat(u16(place.index), u16(0), u32(0), u64(bytes.byteLength))
        objects.push(concat(head, padded(bytes, roundUp(bytes.byteLength))))
      }
      return place
    },
    bytes: () => {
      const taken = objects.reduce((sum, { byteLength }) => sum + byteLength, 16)
      const size = Math.max(leastHeapBytes, taken + 16)
      // The free space is object 0; its size counts its own head.
      const free = concat(u16(0), u16(0), u32(0), u64(size - taken))
      return padded(concat(utf8('GCOL'), u8(1, 0, 0, 0), u64(size), ...objects, free), size)
    },
  }
}

const summed = (bytes: Uint8Array) => concat(bytes, u32(lookup3(bytes)))

/** Jenkins' lookup3 (2006), the checksum of HDF5's metadata. */
function lookup3(bytes: Uint8Array): number {
  const words = new Uint32Array(padded(bytes, Math.ceil(bytes.byteLength / 12) * 12).buffer)
  const rotate = (value: number, by: number) => (value << by) | (value >>> (32 - by))
  let a = (0xdeadbeef + bytes.byteLength) | 0
  let b = a
  let c = a
  for (let at = 0; at < words.length; at += 3) {
    a = (a + (words[at] ?? 0)) | 0
    b = (b + (words[at + 1] ?? 0)) | 0
    c = (c + (words[at + 2] ?? 0)) | 0
    if (at + 3 >= words.length) break
    a = ((a - c) ^ rotate(c, 4)) | 0
    c = (c + b) | 0
    b = ((b - a) ^ rotate(a, 6)) | 0
    a = (a + c) | 0
    c = ((c - b) ^ rotate(b, 8)) | 0
    b = (b + a) | 0
    a = ((a - c) ^ rotate(c, 16)) | 0
    c = (c + b) | 0
    b = ((b - a) ^ rotate(a, 19)) | 0
    a = (a + c) | 0
    c = ((c - b) ^ rotate(b, 4)) | 0
    b = (b + a) | 0
  }
  c = ((c ^ b) - rotate(b, 14)) | 0
  a = ((a ^ c) - rotate(c, 11)) | 0
  b = ((b ^ a) - rotate(a, 25)) | 0
  c = ((c ^ b) - rotate(b, 16)) | 0
  a = ((a ^ c) - rotate(c, 4)) | 0
  b = ((b ^ a) - rotate(a, 14)) | 0
  c = ((c ^ b) - rotate(b, 24)) | 0
  return c >>> 0
}
