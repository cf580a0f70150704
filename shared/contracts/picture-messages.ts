/** Pictures as messages of a WebSocket: 8 bytes of IEEE 754, big end first, when it was seen (epoch seconds), then the JPEG file. */
import { isJpeg } from './pictures.ts'

/** Both ends refuse longer messages (`maxPayload`). */
export const MOST_PICTURE_BYTES = 8 * 1024 * 1024

/**
 * So many pictures may be on their way: one arrives while the other is taken up. More would only wait in the network's
 * buffers, and grow old there.
 */
export const MOST_UNANSWERED = 2

const TIME_BYTES = 8

/** The message of a picture. */
export function pictureMessage({ time, jpeg }: { readonly time: number; readonly jpeg: Uint8Array }): Uint8Array {
  const message = new Uint8Array(TIME_BYTES + jpeg.length)
  new DataView(message.buffer).setFloat64(0, time)
  message.set(jpeg, TIME_BYTES)
  return message
}

/** The picture of a message; undefined for one that is none. */
export function readPicture(message: Uint8Array): { readonly time: number; readonly jpeg: Uint8Array } | undefined {
  if (message.length <= TIME_BYTES + 2) return undefined
  const time = new DataView(message.buffer, message.byteOffset, message.byteLength).getFloat64(0)
  const jpeg = message.subarray(TIME_BYTES)
  return Number.isFinite(time) && isJpeg(jpeg) ? { time, jpeg } : undefined
}
