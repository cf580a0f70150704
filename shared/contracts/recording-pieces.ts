/** A piece of a recording as bytes. Pure, and without schemas, for pages read it. */
import { readPicture } from './picture-messages.ts'

const LENGTH_BYTES = 4
/** So much of a piece is not of its pictures' files, for each of them: the length and the time. */
export const AROUND_PICTURE_BYTES = LENGTH_BYTES + 8

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
