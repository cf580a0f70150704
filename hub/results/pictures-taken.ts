/** Which pictures of an attempt are here, and whether a further document of pictures fits them. Pure. */
import type { EventPageDoc, PictureDoc } from '@fernlab/shared/contracts/documents'
import { isPictureStream, MOST_STILLS, MOST_STILLS_BYTES } from '@fernlab/shared/contracts/pictures'

export interface PicturesTaken {
  count: number
  bytes: number
  /** Of each stream of pictures, the row of its newest. */
  readonly newest: Record<string, number>
}

/** A stored picture is so much longer than its file, at most: counted as stored after a restart, it is not refused for that. */
const MOST_STORED_BYTES = MOST_STILLS_BYTES + 256 * MOST_STILLS

export const noPictures = (): PicturesTaken => ({ count: 0, bytes: 0, newest: {} })

/** Why a picture does not follow those that are here, in a stream of so many rows; undefined where it does. */
export function whyNoPicture(taken: PicturesTaken, rows: number | undefined, doc: PictureDoc): string | undefined {
  const { stream, number, jpeg } = doc
  if (rows === undefined) return `a picture of ${stream}, which has no descriptor`
  if (rows !== number) return `picture ${number} of ${stream} follows row ${rows - 1}`
  if (taken.newest[stream] === number) return `a second picture ${number} of ${stream}`
  if (taken.count >= MOST_STILLS) return `a picture more than the ${MOST_STILLS} that an attempt may have`
  if (taken.bytes + jpeg.byteLength <= MOST_STORED_BYTES) return undefined
  return `its pictures have more than the ${MOST_STILLS_BYTES} bytes that an attempt may have of them`
}

/** Why a page names a picture that is not here; undefined where it names none, or has them all. */
export function whyNoPictureOfPage(taken: PicturesTaken, page: EventPageDoc): string | undefined {
  const { stream, first, count } = page
  if (!isPictureStream(stream) || count === 0) return undefined
  const last = first + count - 1
  return count === 1 && taken.newest[stream] === last ? undefined : `row ${last} of ${stream} has no picture`
}

/** Counts a picture that is taken in. */
export function tookPicture(taken: PicturesTaken, { stream, number, jpeg }: PictureDoc): void {
  taken.count++
  taken.bytes += jpeg.byteLength
  taken.newest[stream] = number
}
