/** What cameras have recorded of a session: pieces of about a second, each with its pictures one after another. Pure. */
import * as z from 'zod'
import { readPicture } from './picture-messages.ts'

/**
 * Pictures that come sooner after the one before are not kept. Those of a camera of 10 to 20 Hz are then no further apart
 * than 100 ms, so that the nearest of any moment is within 50 ms of it.
 */
export const LEAST_APART_S = 0.045
/** So many bytes are kept of an attempt of a run; what would come after is not. */
export const MOST_RECORDED_BYTES = 1024 * 1024 * 1024

/** `GET /api/v1/runs/{id}/recording`. */
export const recordingSchema = z.object({
  attempt: z.number(),
  cameras: z.array(
    z.object({
      part: z.string(),
      bytes: z.number(),
      pieces: z.array(
        z.object({
          number: z.number(),
          /** When each picture of the piece was seen, epoch seconds by the node's clock, as the times of readings. */
          times: z.array(z.number()),
        }),
      ),
    }),
  ),
})
export type Recording = z.infer<typeof recordingSchema>

const LENGTH_BYTES = 4

/** A piece of these messages of pictures (./picture-messages.ts), each after its length in four bytes, big end first. */
export function packPictures(messages: readonly Uint8Array[]): Uint8Array {
  const piece = new Uint8Array(messages.reduce((sum, { length }) => sum + LENGTH_BYTES + length, 0))
  const view = new DataView(piece.buffer)
  let at = 0
  for (const message of messages) {
    view.setUint32(at, message.length)
    piece.set(message, at + LENGTH_BYTES)
    at += LENGTH_BYTES + message.length
  }
  return piece
}

/** The pictures of a piece, in order; those that are whole of one that is not. */
export function unpackPictures(piece: Uint8Array): { readonly time: number; readonly jpeg: Uint8Array }[] {
  const view = new DataView(piece.buffer, piece.byteOffset, piece.byteLength)
  const pictures: { time: number; jpeg: Uint8Array }[] = []
  for (let at = 0; at + LENGTH_BYTES <= piece.length; ) {
    const end = at + LENGTH_BYTES + view.getUint32(at)
    const picture = end > piece.length ? undefined : readPicture(piece.subarray(at + LENGTH_BYTES, end))
    if (picture === undefined) break
    pictures.push(picture)
    at = end
  }
  return pictures
}
