/**
 * Messages of a bundle of links, as they travel on a topic: kind (1 byte), number of the link (4), a count (4, big endian),
 * then what the kind says.
 */

export type BundleMessage =
  /** `text`: the name of the format. */
  | { readonly kind: 'open'; readonly link: number; readonly format: string }
  /** The `count`th frame of this end of the link, from 1 on. */
  | { readonly kind: 'frame'; readonly link: number; readonly count: number; readonly frame: string | Uint8Array }
  /** So many bytes of frames were taken, since the link was opened. */
  | { readonly kind: 'taken'; readonly link: number; readonly bytes: number }
  | { readonly kind: 'close'; readonly link: number; readonly why: string }

const OPEN = 1
const TEXT = 2
const BINARY = 3
const TAKEN = 4
const CLOSE = 5
const HEAD = 9

const utf8 = new TextEncoder()

export function writeMessage(message: BundleMessage): Uint8Array {
  const { link } = message
  switch (message.kind) {
    case 'open':
      return bytes(OPEN, link, 0, utf8.encode(message.format))
    case 'frame': {
      const { frame, count } = message
      return typeof frame === 'string'
        ? bytes(TEXT, link, count, utf8.encode(frame))
        : bytes(BINARY, link, count, frame)
    }
    case 'taken':
      // Counts on from zero after 4 GiB, as its reader does.
      return bytes(TAKEN, link, message.bytes, new Uint8Array())
    case 'close':
      return bytes(CLOSE, link, 0, utf8.encode(message.why))
  }
}

/** Undefined for what is none. */
export function readMessage(message: Uint8Array): BundleMessage | undefined {
  if (message.length < HEAD) return undefined
  const view = new DataView(message.buffer, message.byteOffset, message.byteLength)
  const [kind, link, count] = [view.getUint8(0), view.getUint32(1), view.getUint32(5)]
  const rest = message.subarray(HEAD)
  if (kind === BINARY) return { kind: 'frame', link, count, frame: rest }
  if (kind === TAKEN) return { kind: 'taken', link, bytes: count }
  const text = textOf(rest)
  if (text === undefined) return undefined
  if (kind === TEXT) return { kind: 'frame', link, count, frame: text }
  if (kind === OPEN) return { kind: 'open', link, format: text }
  if (kind === CLOSE) return { kind: 'close', link, why: text.slice(0, 200) }
  return undefined
}

function bytes(kind: number, link: number, count: number, rest: Uint8Array): Uint8Array {
  const message = new Uint8Array(HEAD + rest.length)
  const view = new DataView(message.buffer)
  view.setUint8(0, kind)
  view.setUint32(1, link)
  view.setUint32(5, count >>> 0)
  message.set(rest, HEAD)
  return message
}

function textOf(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return undefined
  }
}
